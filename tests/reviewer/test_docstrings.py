"""Changed lines that stand in docstrings."""

from __future__ import annotations

import pytest
from edits import asked, edit

from hunkwise.reviewer.docstrings import prose
from hunkwise.reviewer.types import Change, FileDiff, FileStatus

OLD = '''\
"""A module."""

QUERY = """
select:
"""


def total(rows):
    # the sum
    """Add up.

    Empty lists give:
        0
    """
    text = "not a docstring"
    return sum(rows)


class Row:  # one
    r"""A row."""

    def size(self):
        return 1
'''


def _prose(change: Change) -> set[tuple[int | None, int | None]]:
    (file,) = change.files
    return set(prose(file, change.new_texts.get(file.path)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("A module.", "The module.", {(1, None), (None, 1)}),
        ("        0\n", "        1\n", {(13, None), (None, 13)}),
        ("    Empty lists give:\n        0\n", "", {(12, None), (13, None)}),
        ('r"""A row."""', '"""A line."""', {(20, None), (None, 20)}),
        ("select:", "delete:", set()),
        ("sum(rows)", "max(rows)", set()),
        ("not a docstring", "no docstring", set()),
    ],
)
def test_docstrings_are_told_from_other_text(
    old: str, new: str, expected: set[tuple[int | None, int | None]]
) -> None:
    """A docstring comes first in a file, or below a line that ends in a colon; other long strings are code."""
    change = edit(OLD, OLD.replace(old, new))

    assert _prose(change) == expected
    assert bool(expected) == (asked(change) == [])


def test_a_docstring_that_went_is_prose() -> None:
    """A docstring of the old file alone is none of the new one."""
    gone = OLD.replace('    r"""A row."""\n\n', "")

    assert _prose(edit(OLD, gone)) == {(20, None)}
    assert asked(edit(OLD, gone)) == []


def test_without_a_file_that_parses_there_is_no_docstring() -> None:
    """A patch alone, or a file of another Python, is read as code."""
    new = OLD.replace("Empty lists", "No rows")

    assert _prose(edit(OLD, new)) == {(12, None), (None, 12)}
    assert _prose(edit(OLD, new, known=False)) == set()
    assert _prose(edit(OLD, new + "print 1\n")) == {(12, None)}


def test_other_languages_have_none() -> None:
    """Only Python's files are looked at."""
    assert _prose(edit(OLD, OLD.replace("A module.", "The module."), "a.js")) == set()


@pytest.mark.parametrize(
    "hidden",
    [
        "    'A row.'; os.remove(path)",
        "    # ''' note:\n    os.remove(path)  # ''' note:\n    '''A row.'''",
        "    x = 1  # note:\n    '''a'''; os.remove(path)",
    ],
)
def test_code_is_not_hidden_by_quotes(hidden: str) -> None:
    """Beside a docstring on its line, or between quotes in comments, code is code."""
    change = edit(OLD, OLD.replace('    r"""A row."""', hidden))
    (file,) = change.files
    (at,) = (line.numbers for hunk in file.hunks for line in hunk.lines if "os.remove" in line.text)

    assert at not in _prose(change)


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 5000, "x = " + "-" * 100_000 + "1", "\0", "\ud800", "'''" * 9_999]
)
def test_hostile_text_does_no_harm(text: str) -> None:
    """What Python can't parse holds no docstring."""
    file = FileDiff("a.py", "a.py", FileStatus.MODIFIED, ())

    assert prose(file, text) == set()
