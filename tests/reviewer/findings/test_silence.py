"""Findings that people silenced are kept, with the reason."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import pytest

from hunkwise.reviewer.findings.suppressions import Comment, Known, Suppressions, expired, part, read_comment
from hunkwise.reviewer.types import (
    Category,
    Change,
    FileDiff,
    FileStatus,
    Finding,
    Hunk,
    Line,
    LineKind,
    Severity,
    SuppressionKind,
)

TODAY = dt.date(2026, 6, 30)
FINDING = Finding("a.py", 2, 2, Severity.HIGH, Category.SECURITY, "t", "m", 0.9, True, "1" * 32)


def change_of(above: str, line: str, kind: LineKind = "added") -> Change:
    lines = (Line("context" if kind == "context" else kind, above, 1, 1), Line(kind, line, 2, 2))
    return Change((FileDiff("a.py", "a.py", FileStatus.MODIFIED, (Hunk(1, 2, 1, 2, "", lines),)),))


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("x = 1  # hunkwise: ignore", Comment(frozenset(), None, "no reason given")),
        ("// hunkwise:ignore -- it is fine", Comment(frozenset(), None, "it is fine")),
        ("/* hunkwise: ignore[security] -- checked */", Comment(frozenset({"security"}), None, "checked")),
        ("<!-- hunkwise: ignore -- generated -->", Comment(frozenset(), None, "generated")),
        (
            "# hunkwise: ignore[security, performance] until 2027-01-31 -- later",
            Comment(frozenset({"security", "performance"}), dt.date(2027, 1, 31), "later"),
        ),
        ("# Hunkwise: IGNORE[Security] -- any case", Comment(frozenset({"security"}), None, "any case")),
        ("# hunkwise: ignore checked by hand", Comment(frozenset(), None, "checked by hand")),
        ("# hunkwise: ignore: checked", Comment(frozenset(), None, "checked")),
        ("# hunkwise: ignore — checked", Comment(frozenset(), None, "checked")),
        ("# hunkwise: ignore [security]", Comment(frozenset({"security"}), None, "no reason given")),
        ("# hunkwise: ignore[security, speed]", Comment(frozenset({"security"}), None, "no reason given")),
        ("# hunkwise: ignore until 2027-01-31 later", Comment(frozenset(), dt.date(2027, 1, 31), "later")),
        ("s = 'hunkwise: ignore'  # hunkwise: ignore -- y", Comment(frozenset(), None, "y")),
        ("# hunkwise: ignore[speed]", None),
        ("# hunkwise: ignore security", None),
        ("# hunkwise: ignore (security)", None),
        ("# hunkwise: ignore until tomorrow", None),
        ("# hunkwise: ignore-next-line", None),
        ("# hunkwise: ignore until 2027-13-31 -- no date", None),
        ("# hunkwise: ignored", None),
        ("# please ignore", None),
    ],
)
def test_comments_are_read_in_any_language(line: str, comment: Comment | None) -> None:
    """The words of the comment count, not the sign it starts with."""
    assert read_comment(line) == comment


@pytest.mark.parametrize(
    ("above", "line", "silenced"),
    [
        ("", "x  # hunkwise: ignore", True),
        ("# hunkwise: ignore", "x", True),
        ("# hunkwise: ignore[performance]", "x", False),
        ("# hunkwise: ignore[security]", "x", True),
        ("# hunkwise: ignore until 2026-06-30", "x", True),
        ("# hunkwise: ignore until 2026-06-29", "x", False),
        ("", "x", False),
    ],
)
def test_a_comment_silences_its_line_and_the_next(above: str, line: str, silenced: bool) -> None:
    """Until its last day, for the categories it names."""
    heard, dropped = part((FINDING,), change_of(above, line), Suppressions(today=TODAY))
    assert (heard == ()) is silenced
    assert [rejected.silenced for rejected in dropped] == [SuppressionKind.INLINE] * silenced


def test_a_change_can_not_silence_itself_where_it_is_not_trusted() -> None:
    """An added comment does not count then; one that was there before does."""
    wary = Suppressions(today=TODAY, trusted=False)
    assert part((FINDING,), change_of("# hunkwise: ignore", "x"), wary) == ((FINDING,), ())
    assert part((FINDING,), change_of("# hunkwise: ignore", "x", "context"), wary)[0] == ()


def test_what_is_known_is_not_said_again() -> None:
    """A finding of the baseline is kept as such, with its reason."""
    known = Suppressions({FINDING.fingerprint: Known("accepted risk")}, TODAY)
    heard, dropped = part((FINDING,), change_of("", "x"), known)
    assert heard == ()
    assert dropped[0].reason == "known from the baseline: accepted risk"


@pytest.mark.parametrize(
    ("until", "silenced"), [(TODAY, True), (TODAY - dt.timedelta(1), False), (None, True)]
)
def test_what_was_known_until_a_day_is_said_after_it(until: dt.date | None, silenced: bool) -> None:
    """The last day still counts; what is said again is counted."""
    silence = Suppressions({FINDING.fingerprint: Known("", until)}, TODAY)
    heard, dropped = part((FINDING,), change_of("", "x"), silence)
    assert (heard == (), len(dropped) == 1) == (silenced, silenced)
    assert expired((FINDING,), silence) == (not silenced)


@pytest.mark.parametrize("filling", [" ", "hunkwise: ignore", "hunkwise:", "-", "[", "until ", "*/"])
def test_no_line_takes_long(filling: str) -> None:
    """A line of a megabyte is read in no time, whatever stands in it."""
    started = time.process_time()
    read_comment("AKIA # hunkwise: ignore" + filling * (1_000_000 // len(filling)) + "y")
    read_comment(filling * (1_000_000 // len(filling)) + "y")
    assert time.process_time() - started < 1


def test_each_line_is_read_once_however_many_findings() -> None:
    """Twice the findings on twice the lines take about twice the time."""

    def seconds(many: int) -> float:
        lines = tuple(
            Line("added", f"x{at}  # hunkwise: ignore[performance]", None, at) for at in range(1, many)
        )
        hunk = Hunk(0, 0, 1, many, "", lines)
        change = Change((FileDiff(None, "a.py", FileStatus.ADDED, (hunk,)),))
        findings = [replace(FINDING, start_line=at, end_line=at) for at in range(1, many)]
        started = time.process_time()
        assert len(part(findings, change, Suppressions(today=TODAY))[0]) == len(findings)
        return time.process_time() - started

    assert seconds(16_000) < 12 * max(seconds(4_000), 0.01)
