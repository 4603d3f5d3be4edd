"""`--coverage`: which new lines no test runs, by real reports, odd ones and hostile ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hunkwise.engine import Engine
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.linters import formats
from hunkwise.reviewer.linters.covered import line_coverage
from hunkwise.reviewer.publish.comment import GITHUB
from hunkwise.reviewer.publish.summary import summary_body
from hunkwise.reviewer.report.interchange.json import load
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk, Line, LineCoverage, LineRange

CASES = Path(__file__).parents[2] / "cases" / "linters"
ROOT = Path("/home/ci/project")


def added(path: str, *numbers: int, part: int = 0) -> FileDiff:
    lines = tuple(Line("added", "x", None, number) for number in numbers)
    hunk = Hunk(0, 0, numbers[0], len(lines), "", lines)
    return FileDiff(None, path, FileStatus.ADDED, (hunk,), part=part)


def told(files: Sequence[FileDiff], *reports: Path) -> tuple[LineCoverage, list[str]]:
    """Read reports in a folder of no repository; gives also what is odd."""
    odd: list[str] = []
    made = line_coverage(files, reports, ROOT, odd.append)
    assert made is not None
    return made, odd


def known(tmp_path: Path, *reports: str, files: tuple[FileDiff, ...]) -> LineCoverage:
    paths = [tmp_path / str(number) for number, _ in enumerate(reports)]
    for path, report in zip(paths, reports, strict=True):
        path.write_text(report)
    return told(files, *paths)[0]


def cobertura(*files: tuple[str, str], sources: tuple[str, ...] = (), before: str = "") -> str:
    """Write a report of files, each with its <line> elements."""
    named = "".join(f"<source>{source}</source>" for source in sources)
    classes = "".join(f'<class filename="{name}"><lines>{lines}</lines></class>' for name, lines in files)
    return (
        f"{before}<coverage><sources>{named}</sources><packages><package><classes>{classes}</classes></package>"
        "</packages></coverage>"
    )


UNRUN = '<line number="1" hits="0"/>'


@pytest.mark.parametrize("form", ["cobertura", "lcov"])
def test_real_reports_are_read(form: str) -> None:
    """What coverage.py and gcovr write, absolute and below a source, tells the same in both forms."""
    python = [added("src/cart.py", *range(1, 14))]
    assert told(python, CASES / f"coveragepy.{form}") == (
        LineCoverage(7, 3, (LineRange("src/cart.py", 5, 5), LineRange("src/cart.py", 12, 13))),
        [],
    )
    c = [added("f.c", 3, 4, 5)]
    assert told(c, CASES / f"gcovr.{form}")[0] == LineCoverage(2, 1, (LineRange("f.c", 4, 4),))


def test_ranges_go_over_what_is_no_code_and_end_at_what_is_old(tmp_path: Path) -> None:
    """Lines 2 and 4 are one range, for line 3 is no code; 5 is run, and between 6 and 8 stands an old line."""
    report = "SF:a.py\n" + "".join(
        f"DA:{at},{hits}\n" for at, hits in ((2, 0), (4, 0), (5, 1), (6, 0), (8, 0))
    )
    made = known(tmp_path, report, files=(added("a.py", 1, 2, 3, 4, 5, 6, 8, 9),))
    assert [(at.start_line, at.end_line) for at in made.places] == [(2, 4), (6, 6), (8, 8)]
    assert (made.lines, made.unrun) == (5, 4)


def test_a_line_is_run_where_one_report_says_so(tmp_path: Path) -> None:
    """Reports of several jobs count together, in any order, and so do several records of a file."""
    reports = ("SF:a.py\nDA:1,0\nDA:2,0\n", "SF:./a.py\nDA:1,3\nend_of_record\nSF:a.py\nDA:1,0\n")
    for order in (reports, reports[::-1]):
        assert known(tmp_path, *order, files=(added("a.py", 1, 2),)).places == (LineRange("a.py", 2, 2),)


def test_only_what_is_certain_is_told(tmp_path: Path) -> None:
    """A name that fits two changed files is neither's; a path that comes twice has no numbers."""
    sources = (str(ROOT / "a"), str(ROOT / "b"))
    report = cobertura(("x.py", UNRUN), sources=sources)
    assert known(tmp_path, report, files=(added("a/x.py", 1),)).unrun == 1
    assert known(tmp_path, report, files=(added("a/x.py", 1), added("b/x.py", 1))).lines == 0
    assert known(tmp_path, report, files=(added("x.py", 1),)).lines == 0
    assert known(tmp_path, report, files=(added("a/x.py", 1, part=1),)).lines == 0
    elsewhere = cobertura(("x.py", UNRUN), ("../y.py", UNRUN), sources=("/somewhere/else",))
    assert known(tmp_path, elsewhere, files=(added("x.py", 1), added("y.py", 1))).lines == 1
    (tmp_path / "far").write_text("SF:/etc/passwd\nDA:1,0\nSF:../b.py\nDA:1,0\n")
    _, odd = told([added("b.py", 1)], tmp_path / "far")
    assert odd == [f"{tmp_path / 'far'}: none of its files (2) is in {ROOT}"]


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ("hello\n", "line 1: no coverage report: neither lcov's form nor Cobertura's XML"),
        ('{"lines": 3}', "line 1: no coverage report"),
        ("DA:1,0\n", "line 1: must be DA:LINE,HITS after the SF of its file"),
        ("SF:a.py\nDA:1,many\n", "line 2: must be DA:LINE,HITS"),
        ("SF:a.py\nDA:" + "9" * 5000 + ",1\n", "line 2: must be DA:LINE,HITS"),
        ("<checkstyle/>", "line 1: must be <coverage>, not <checkstyle>"),
        ("<coverage><packages>", "no XML"),
        ("<a>" * 50, "must be <coverage>"),
        ("<coverage>" + "<a>" * 50, "nested too deep"),
        (cobertura(("a.py", '<line number="x" hits="0"/>')), "must be whole numbers"),
        (cobertura(sources=("x",) * 101), "more than 100 sources"),
        (cobertura(sources=("x" * 20_000,)), "a <source> is too long"),
        (
            cobertura(before='<!DOCTYPE coverage [<!ENTITY a "b">]>'),
            "a document type is not read, for entities can do harm",
        ),
        (
            cobertura(before='<!DOCTYPE coverage SYSTEM "file:///etc/passwd" [<!ENTITY a "b">]>'),
            "can do harm",
        ),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, report: str, why: str) -> None:
    """The error names the file and the place in it."""
    with pytest.raises(UsageError) as refused:
        known(tmp_path, report, files=(added("a.py", 1),))
    assert str(refused.value).startswith(f"--coverage {tmp_path / '0'}: ")
    assert why in str(refused.value)


def test_files_that_cant_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None there, a folder, one that is too large."""
    monkeypatch.setattr(formats, "LARGEST", 10)
    (tmp_path / "large").write_text("TN:" + "x" * 20)
    for name, why in (("none", "No such file"), (".", "can't be read"), ("large", "larger than 10 bytes")):
        with pytest.raises(UsageError, match=why):
            told([], tmp_path / name)[0]


DIFF = """\
diff --git a/<b>.py b/<b>.py
new file mode 100644
--- /dev/null
+++ b/<b>.py
@@ -0,0 +1,3 @@
+def double(x):
+    y = x + x
+    return y
"""


def never(*_: object) -> Engine:
    raise AssertionError("a model was opened")


def test_reports_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """People's formats, JSON, a forge's summary and `describe` have it; it is no finding."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    Path("x.patch").write_text(DIFF)
    Path("t.info").write_text("SF:<b>.py\nDA:1,1\nDA:2,0\nDA:3,0\n")
    options = ["x.patch", "--coverage", "t.info", "--no-model"]
    wanted = "Tests: 2 of 3 new lines of code are run by no test: <b>.py:2-3."

    def said(*arguments: str) -> str:
        assert run(hunkwise, [*arguments], never) == 0
        return capsys.readouterr().out

    assert f"\n{wanted}\n" in said("review", *options)
    for form, name in (("markdown", r"\<b\>"), ("html", "&lt;b&gt;")):
        assert wanted.replace("<b>", name).removesuffix(".") in said("review", *options, "--format", form)
    review = load(said("review", *options, "--format", "json").encode())
    assert review.line_coverage == LineCoverage(3, 2, (LineRange("<b>.py", 2, 3),))
    assert review.findings == ()
    assert "2 of 3 new lines of code are run by no test" in summary_body(review, (), "c" * 40, GITHUB)[0]
    assert f"no test changed. {wanted}\n" in said("describe", *options)
    assert json.loads(said("describe", *options, "--format", "json"))["risk"].endswith(wanted)
    Path("t.info").write_text("<")
    for verb in ("review", "describe"):
        assert run(hunkwise, [verb, *options], never) == 2
        assert "--coverage" in capsys.readouterr().err
