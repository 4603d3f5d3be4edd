"""Suggestions apply, change something, and parse."""

from __future__ import annotations

from hunkwise.reviewer.findings.suggestion import offer, parses, restore
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk, Line

NEW = "def f(a):\n    return a + 1\n"


def _context(text: str, old: int, new: int) -> Line:
    return Line("context", text, old, new)


CHANGED = Hunk(
    1,
    2,
    1,
    2,
    "",
    (
        _context("def f(a):", 1, 1),
        Line("removed", "    return a - 1", 2, None),
        Line("added", "    return a + 1", None, 2),
    ),
)
REMOVED = Hunk(
    1,
    3,
    1,
    2,
    "",
    (
        _context("def f(a):", 1, 1),
        Line("removed", "    check(a)", 2, None),
        _context("    return a + 1", 3, 2),
    ),
)
FILE = FileDiff("a.py", "a.py", FileStatus.MODIFIED, (CHANGED,))


def test_a_replaced_block_gets_its_old_lines_back() -> None:
    """The range is that of the added block, the text that of the removed one."""
    assert restore(CHANGED, 2) == (2, 2, "    return a - 1")


def test_removed_lines_come_back_before_the_line_after_the_gap() -> None:
    """A suggestion can't sit on a line that is gone, so the line after it is repeated."""
    assert restore(REMOVED, 2) == (2, 2, "    check(a)\n    return a + 1")


def test_an_untouched_line_has_nothing_to_restore() -> None:
    """A context line away from the change has no old text."""
    assert restore(CHANGED, 1) is None


def test_an_offer_is_tried_on_the_whole_file() -> None:
    """With the file at hand the suggestion is applied and parsed."""
    made = offer(FILE, CHANGED, NEW, 2, 2, "    return a - 1")

    assert made is not None
    assert made.verified


def test_without_the_file_an_offer_is_unverified() -> None:
    """What could not be tried says so."""
    made = offer(FILE, CHANGED, None, 2, 2, "    return a - 1")

    assert made is not None
    assert not made.verified


def test_broken_python_is_not_offered() -> None:
    """A replacement that does not parse is dropped."""
    assert offer(FILE, CHANGED, NEW, 2, 2, "    return a -") is None


def test_an_offer_that_changes_nothing_is_dropped() -> None:
    """The text that stands is no suggestion."""
    assert offer(FILE, CHANGED, NEW, 2, 2, "    return a + 1") is None


def test_a_file_that_differs_from_the_diff_gets_no_offer() -> None:
    """If the lines are not where the hunk says, the suggestion does not apply."""
    assert offer(FILE, CHANGED, "x = 1\n" + NEW, 2, 2, "    return a - 1") is None


def test_lines_outside_the_hunk_get_no_offer() -> None:
    """A forge accepts suggestions on lines of the diff alone."""
    assert offer(FILE, CHANGED, NEW, 2, 9, "pass") is None


def test_a_file_that_can_not_be_parsed_is_no_traceback() -> None:
    """NUL bytes and absurd nesting count as not parsing."""
    assert not parses("a.py", "x = '\0'")
    assert not parses("a.py", "(" * 100_000)
    assert parses("a.go", "not python at all (")
