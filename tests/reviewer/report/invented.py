"""One rich invented review: every severity, ranges, suggestions, hostile text, things left out."""

from __future__ import annotations

from dataclasses import replace

from hunkwise.reviewer.types import (
    Category,
    Change,
    Coverage,
    FileDiff,
    FileStatus,
    Finding,
    Hunk,
    Line,
    LineCoverage,
    LineRange,
    Manifest,
    Rejected,
    Review,
    Severity,
    Skipped,
    Source,
    Suggestion,
    SuppressionKind,
    Witness,
)

LOCK = Finding(
    path="src/pool.py",
    start_line=4,
    end_line=4,
    severity=Severity.HIGH,
    category=Category.CONCURRENCY,
    title="The lock is never released",
    message="`acquire` is called without `release` on the path that raises, so the next caller waits for ever. "
    "A with statement releases it on every path.",
    confidence=0.83,
    calibrated=True,
    fingerprint="0123456789abcdef0123456789abcdef",
    code=("    lock.acquire()",),
    suggestion=Suggestion(4, 4, "    with lock:\n        pass", verified=True),
)
RANGE = Finding(
    path="src/数据.py",
    start_line=98,
    end_line=109,
    severity=Severity.MEDIUM,
    category=Category.PERFORMANCE,
    title="循环内重复查询",
    message="每次迭代都会查询数据库，应当在循环之前一次取出全部记录，否则大表上会非常慢，而且会占满连接池。",
    confidence=0.625,
    calibrated=False,
    fingerprint="1" * 32,
    code=tuple(f"\trow{number} = query({number})" for number in range(98, 110)),
)
HOSTILE = Finding(
    path="docs/a`b|c <x>.md",
    start_line=1,
    end_line=2,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    title="<script>alert(1)</script> @everyone ![x](http://evil.example/x.png) ]]> </script>",
    message="/approve\n::error::owned ##[add-mask]x \x1b]52;c;aGk=\x07 see #1 and http://evil.example "
    "<!-- hunkwise:v1 fp=0 --> right\u202eleft ```\n# heading\n\x9b31m & 'quoted' \"too\"",
    confidence=1.0,
    calibrated=True,
    fingerprint="2" * 32,
    code=("```</script><!--", "\x1b[31mred\u200b %0A::set-output name=a::b"),
    suggestion=Suggestion(1, 1, "", verified=False),
)
RULED = Finding(
    path="src/pool.py",
    start_line=8,
    end_line=8,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    title="yaml.load builds any object that the text names",
    message="Who writes `text` can name any class.",
    confidence=0.96,
    calibrated=True,
    fingerprint="6" * 32,
    code=("    return yaml.load(text)",),
    source=Source(rule="python-yaml-load-unsafe", cwe=502),
    witnesses=(Witness("rule", "23 of 24 hits in 20 projects were right"),),
    advice="Use yaml.safe_load.",
    example="import yaml\nconfig = yaml.safe_load(text)",
)
LINTED = Finding(
    path="src/pool.py",
    start_line=10,
    end_line=10,
    severity=Severity.LOW,
    category=Category.CORRECTNESS,
    title="`x` is <b>unused</b>",
    message="Local variable `x` is assigned to but never used",
    confidence=1.0,
    calibrated=False,
    fingerprint="7" * 32,
    source=Source("ruff", "F841", "https://docs.astral.sh/ruff/rules/unused-variable"),
)
INFO = Finding(
    path="src/pool.py",
    start_line=9,
    end_line=9,
    severity=Severity.INFO,
    category=Category.TESTABILITY,
    title="No test reaches this branch",
    message="Add one.",
    confidence=0.5,
    calibrated=True,
    fingerprint="3" * 32,
)
LOW = Finding(
    path="src/pool.py",
    start_line=5,
    end_line=6,
    severity=Severity.LOW,
    category=Category.MAINTAINABILITY,
    title="The name hides what is counted",
    message="Name it after its unit.",
    confidence=0.51,
    calibrated=True,
    fingerprint="4" * 32,
    code=("    n = 1", "    n += 1"),
)

KNOWN = Rejected(
    replace(LOCK, fingerprint="5" * 32), "silenced in the code: \x1bchecked", SuppressionKind.INLINE
)

REVIEW = Review(
    findings=(HOSTILE, LOCK, RULED, RANGE, LOW, LINTED, INFO),
    rejected=(Rejected(INFO, "below --min-confidence 0.5"), Rejected(LOW, "over --max-comments 5"), KNOWN),
    skipped=(
        Skipped("package-lock.json", "lock file"),
        Skipped("src/huge.py", "over the limit of 10,000 characters in a line", 0, fault=True),
        Skipped("src/huge.py", "over the limit of 10,000 characters in a line", 2, fault=True),
        Skipped("bad\x1b[0m\udcff.bin", "binary file"),
    ),
    coverage=Coverage(files=4, files_reviewed=3, hunks=7, hunks_reviewed=5, lines=1230, lines_reviewed=230),
    manifest=Manifest(
        version="0.1.0",
        model="qwen2.5-coder:1.5b",
        model_digest="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        prompt_digest="a" * 64,
        calibration="none",
        engine="llama.cpp b1 (CPU)",
        settings={"language": "English", "min_confidence": 0.5, "max_comments": 5, "offline": False},
    ),
    base="b" * 40,
    head="c" * 40,
    line_coverage=LineCoverage(40, 12, (LineRange("src/pool.py", 3, 9), LineRange("a_[b]_<c>.py", 12, 12))),
)

EMPTY = Review(
    findings=(),
    rejected=(),
    skipped=(),
    coverage=Coverage(0, 0, 0, 0, 0, 0),
    manifest=Manifest("0.1.0", "qwen2.5-coder:1.5b", "", "a" * 64, "none", "not loaded", {}),
)

CHANGE = Change(
    files=(
        FileDiff(
            "src/pool.py",
            "src/pool.py",
            FileStatus.MODIFIED,
            (
                Hunk(
                    2,
                    4,
                    2,
                    5,
                    "def take(lock):",
                    (
                        Line("context", "def take(lock):", 2, 2),
                        Line("removed", "    with lock:", 3, None),
                        Line("removed", "        n = 1", 4, None),
                        Line("added", "    # <b>wait</b>", None, 3),
                        Line("added", "    lock.acquire()", None, 4),
                        Line("added", "    n = 1", None, 5),
                        Line("added", "    n += 1", None, 6),
                        Line("context", "    return n", 5, 7),
                    ),
                ),
            ),
        ),
        FileDiff(
            None,
            "docs/a`b|c <x>.md",
            FileStatus.ADDED,
            (
                Hunk(
                    0,
                    0,
                    1,
                    2,
                    "",
                    (
                        Line("added", "```</script><!--", None, 1),
                        Line(
                            "added", "\x1b[31mred\u200b %0A::set-output name=a::b", None, 2, no_newline=True
                        ),
                    ),
                ),
            ),
        ),
        FileDiff("package-lock.json", "package-lock.json", FileStatus.MODIFIED),
    ),
    base="b" * 40,
    head="c" * 40,
)
