"""Nothing slips by: each changed line of any diff is reviewed, left out with a reason, or refused with one.

Runs for as long as its profile says: `HYPOTHESIS_PROFILE=long pytest tests/reviewer/test_invariant.py`.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunkwise.engine import (
    Answer,
    BadEntry,
    Bundle,
    Choice,
    Choose,
    EngineCard,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    ScriptedEngine,
    TokenScore,
    errors,
)
from hunkwise.reviewer.app.review import exit_code
from hunkwise.reviewer.config.path_rules import Rule
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.report.summary import is_idle
from hunkwise.reviewer.types import Change, FileKey, Review, Severity

T = TypeVar("T")

CASES = sorted((Path(__file__).parents[2] / "cases" / "diff").iterdir())
SECRET = "AKIA" + "ABCDEFGH23456723"
LIMITS = Limits(files=6, hunks=12, lines=90, line_length=60)

NAMES = st.sampled_from(
    [
        "a.py",
        "b.js",
        "src/c.go",
        "README.md",
        "yarn.lock",
        "vendor/d.c",
        "data.csv",
        "e_pb2.py",
        "f",
        "a b.sh",
    ]
)
TEXTS = st.sampled_from([
    "", "    ", "x = 1", "x = f(y) + 1", "if not ready:", "    return total / count", "# a comment", "// one too",
    "import os", '"""Doc."""', "}", "-- a", "++ b", "-- a/a.py", "@@ -1 +1 @@", "diff --git a/a.py b/a.py",
    "\\ No newline at end of file", "<<<<<<< HEAD", "=======", f'key = "{SECRET}"', "// @generated",
    "y" * 61, "t = a  # gross\r    import os", "let t = a; // gross\u2028  eval(a);", "x\u200b = 1", "\x0cx = 2",
    "self.close()", "caf\u00e9", "number = number - 1",
])  # fmt: skip
BETWEEN = st.sampled_from([
    "", "\ncommit 1234567\nAuthor: A <a@b>\n\n    A message.\n\n",
    "\nFrom 12 Mon Sep 17 00:00:00 2001\n\nText\n---\n",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """A file of a generated diff, with what its lines are known to be."""

    path: str
    text: str
    changed: int
    secrets: tuple[int, ...] = ()  # new-side lines that add one


@st.composite
def hunks(draw: st.DrawFn, signs: str, at: int) -> tuple[str, int, tuple[int, ...], int]:
    """A hunk: its text, how many lines it changes, where it adds secrets, and where the next one may begin."""
    rows = draw(st.lists(st.tuples(st.sampled_from(signs), TEXTS), min_size=1, max_size=9))
    rows.append((draw(st.sampled_from(signs.replace(" ", ""))), draw(TEXTS)))
    old, new = (sum(sign in (side, " ") for sign, _ in rows) for side in "-+")
    secrets, number = [], at
    for sign, text in rows:
        if sign == "+" and SECRET in text:
            secrets.append(number)
        number += sign != "-"
    header = f"@@ -{at if old else 0},{old} +{at if new else 0},{new} @@\n"
    body = "".join(f"{sign}{text}\n" for sign, text in rows)
    return header + body, sum(sign != " " for sign, _ in rows), tuple(secrets), at + max(old, new) + 5


@st.composite
def sections(draw: st.DrawFn) -> Section:
    """A file as git or diff print it: changed, new, deleted, renamed, or without text."""
    old = new = draw(NAMES)
    kind = draw(
        st.sampled_from(["plain", "git", "new", "deleted", "renamed", "pure", "mode", "binary", "crlf"])
    )
    git = f"diff --git a/{old} b/{new}\n"
    if kind == "renamed" or kind == "pure":
        new = draw(NAMES.filter(lambda name: name != old))
        same = 90 if kind == "renamed" else 100
        git = f"diff --git a/{old} b/{new}\nsimilarity index {same}%\nrename from {old}\nrename to {new}\n"
    if kind == "pure":
        return Section(new, git, 0)
    if kind == "mode":
        return Section(new, git + "old mode 100644\nnew mode 100755\n", 0)
    if kind == "binary":
        return Section(new, f"{git}index 1..2 100644\nBinary files a/{old} and b/{new} differ\n", 0)
    names = f"--- a/{old}\n+++ b/{new}\n"
    signs, count, at = "+- ", draw(st.integers(1, 3)), draw(st.integers(1, 40))
    match kind:
        case "new":
            git, names = (
                f"{git}new file mode 100644\nindex 0000000..2222222\n",
                f"--- /dev/null\n+++ b/{new}\n",
            )
            signs, count, at = "+", 1, 1
        case "deleted":
            git, names = (
                f"{git}deleted file mode 100644\nindex 1111111..0000000\n",
                f"--- a/{old}\n+++ /dev/null\n",
            )
            signs, count, at = "-", 1, 1
        case "plain" | "crlf":
            git = f"diff -ru a/{old} b/{new}\n"
        case _:
            git += "index 1111111..2222222 100644\n"
    text, changed = git + names, 0
    secrets: tuple[int, ...] = ()
    for _ in range(count):
        body, more, found, at = draw(hunks(signs, at))
        text, changed, secrets = text + body, changed + more, secrets + found
    return Section(new, text.replace("\n", "\r\n") if kind == "crlf" else text, changed, secrets)


SERIES = st.lists(st.tuples(sections(), BETWEEN), min_size=1, max_size=6)


def opinion(bundle: Bundle, question: Question) -> Answer | None:
    """An engine whose opinions, and failures, hang on the text asked about alone."""
    match question:
        case Score(text=text):
            mark = zlib.crc32(text.encode("utf-8", "surrogateescape"))
            if mark % 23 == 0:
                raise errors.PromptTooLong("the prompt", 9_999, 8_192)
            if mark % 29 == 0:
                raise errors.NativeFailure("the engine's process was killed")
            tokens, start = [], 0
            for line in text.splitlines(keepends=True):
                end = start + len(line.encode("utf-8", "surrogateescape"))
                tokens.append(TokenScore(line, start, end, -(mark % 9) - 0.1, -0.1))
                start = end
            return Scored(question.id, tuple(tokens))
        case Choose(id="true" | "false" as name):
            return Choice(name, (0.9, 0.1) if name == "true" else (0.1, 0.9), (-0.1, -0.1))
        case Generate(schema=schema):
            assert schema is not None
            line = schema["properties"]["line"]["enum"][0]
            found = {
                "line": line,
                "severity": "high",
                "title": "It is wrong here",
                "message": "The page is skipped.",
            }
            return Generated(question.id, json.dumps(found), "schema")
    return None


@dataclass(slots=True)
class Remembered:
    """A memory that keeps everything, as JSON."""

    kept: dict[str, str] = field(default_factory=dict)

    def key(self, kind: str, card: EngineCard, *parts: object) -> str:
        """Name a value by all that decides it."""
        return json.dumps([kind, card.digest, *parts], default=str, sort_keys=True)

    def get(self, readers: Mapping[str, Callable[[object], T]]) -> dict[str, T]:
        """Give what is known and readable."""
        found: dict[str, T] = {}
        for key, reader in readers.items():
            if key in self.kept:
                try:
                    found[key] = reader(json.loads(self.kept[key]))
                except BadEntry as error:
                    raise AssertionError(error) from error
        return found

    def put(self, values: Mapping[str, object]) -> None:
        """Keep values."""
        self.kept.update({key: json.dumps(value) for key, value in values.items()})


def reviewed(change: Change, config: Config, memory: Remembered | None = None) -> Review | None:
    """A review; None where the engine fails on all that it is asked, which is no review."""
    try:
        return review(change, config, ScriptedEngine(opinion), memory=memory)
    except errors.NativeFailure:
        return None


def check(made: Review, changed: Mapping[FileKey, int]) -> None:
    """Check the account of a review: `changed` counts the lines of each file of the diff."""
    left: Counter[FileKey] = Counter()
    for skip in made.skipped:
        assert skip.reason
        left[skip.path, skip.part] += skip.lines
    assert all(left[key] <= count for key, count in changed.items()), (left, changed)
    assert left.total() + made.coverage.lines_reviewed == sum(changed.values())
    named = Counter((skip.path, skip.part, skip.hunk, skip.reason) for skip in made.skipped)
    assert set(named.values()) <= {1}
    seen = made.coverage
    assert seen.files_reviewed <= seen.files
    assert seen.hunks_reviewed <= seen.hunks
    assert seen.lines_reviewed <= seen.lines
    assert made.complete == (not any(skip.fault for skip in made.skipped))
    assert exit_code(made, None) == (0 if made.complete else 3)
    findings = {(found.path, found.part, found.start_line, found.title) for found in made.findings}
    assert len(findings) == len(made.findings)


def check_places(made: Review, change: Change) -> None:
    """Check that each remark is on a line of its own patch, and says that line."""
    lines = {
        (file.path, file.part, line.new_no): line.text
        for file in change.files
        for hunk in file.hunks
        for line in hunk.lines
    }
    for found in (*made.findings, *(drop.finding for drop in made.rejected)):
        assert (found.path, found.part, found.start_line) in lines
        if SECRET not in lines[found.path, found.part, found.start_line]:
            assert len(found.code[0]) <= len(lines[found.path, found.part, found.start_line])


CONFIGS = st.builds(
    Config,
    min_confidence=st.sampled_from([0.0, 0.75]),
    max_comments=st.sampled_from([1, 1000]),
    exclude=st.sampled_from([(), ("*.js",), ("!vendor/",)]),
    rules=st.sampled_from([(), (Rule(("src/",), min_severity=Severity.CRITICAL),)]),
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(SERIES, CONFIGS)
def test_each_changed_line_is_accounted_for_once(
    series: Sequence[tuple[Section, str]], config: Config
) -> None:
    """Whatever comes how often in a diff, each of its lines has one fate, and the memory changes nothing."""
    change = parse_diff("".join(between + section.text for section, between in series).encode(), LIMITS)
    times, seen = Counter(section.path for section, _ in series), Counter[str]()
    changed: dict[FileKey, int] = {}
    secrets = set()
    for section, _ in series:
        seen[section.path] += 1
        key = section.path, seen[section.path] if times[section.path] > 1 else 0
        changed[key] = section.changed
        secrets |= {(*key, line) for line in section.secrets}
    made = reviewed(change, config)
    if made is None:
        return
    check(made, changed)
    check_places(made, change)
    excluded = {(skip.path, skip.part) for skip in made.skipped if "configuration" in skip.reason}
    unread = {(skip.path, skip.part) for skip in made.skipped if "over the limit of" in skip.reason}
    told = {
        (found.path, found.part, found.start_line)
        for found in (*made.findings, *(drop.finding for drop in made.rejected))
        if "AWS" in found.title
    }
    assert {place for place in secrets if place[:2] not in excluded | unread} <= told
    memory = Remembered()
    alone = Remembered()
    for section, _ in series:
        reviewed(parse_diff(section.text.encode(), LIMITS), config, alone)
    assert [reviewed(change, config, each) for each in (memory, memory, alone, alone)] == [made] * 4
    for name in ("text", "html", "junit", "annotations"):
        assert "Nothing to review" not in renderer(name)(made, View(change=change)) or is_idle(made)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_lines_of_each_case_are_accounted_for_once(case: Path) -> None:
    """The diffs that tools print, as they are kept for the parser."""
    try:
        change = parse_diff((case / "input.patch").read_bytes())
    except DiffError:
        return
    changed: Counter[FileKey] = Counter()
    for file in change.files:
        changed[file.key] += sum(line.kind != "context" for hunk in file.hunks for line in hunk.lines)
    for skip in change.skipped:
        changed[skip.key] += skip.lines if skip.hunk is None else 0
    made = reviewed(change, Config(min_confidence=0.0))
    if made is not None:
        check(made, changed)
        check_places(made, change)
