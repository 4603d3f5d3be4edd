"""Changed lines that stand in docstrings."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

import pytest

from hunkwise.engine import Scored, ScriptedEngine
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.docstrings import prose
from hunkwise.reviewer.judgement import Inquiry, inquiries, read_evidence, read_with_context
from hunkwise.reviewer.selection import select
from hunkwise.reviewer.types import Change

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


def _change(new: str, path: str = "a.py", *, known: bool = True, around: int = 3) -> Change:
    diff = unified_diff(OLD.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=around)
    return replace(parse_diff(("\n".join(diff) + "\n").encode()), new_texts={path: new} if known else {})


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
    change = _change(OLD.replace(old, new))

    assert _prose(change) == expected
    assert bool(expected) == (_asked(change) == 0)


def _asked(change: Change) -> int:
    (pick,) = select(change, (), ())[0]
    engine = ScriptedEngine(lambda _, question: Scored(question.id, ()))
    ((_, inquiry),) = inquiries([pick], Inquiry(change, Config(), engine))
    return len(read_evidence(read_with_context(pick, inquiry), engine))


def test_a_docstring_that_went_is_prose() -> None:
    """A docstring of the old file alone is none of the new one."""
    gone = OLD.replace('    r"""A row."""\n\n', "")

    assert _prose(_change(gone)) == {(20, None)}
    assert _asked(_change(gone)) == 0


def test_without_the_file_a_docstring_has_to_be_in_view() -> None:
    """From the middle of a docstring nobody can tell that it is one."""
    new = OLD.replace("Empty lists", "No rows")

    assert _prose(_change(new, known=False, around=5)) == {(12, None), (None, 12)}
    assert _prose(_change(new, known=False)) == set()


def test_other_languages_have_none() -> None:
    """Only Python's files are looked at."""
    assert _prose(_change(OLD.replace("A module.", "The module."), "a.js")) == set()


def test_hostile_text_costs_little() -> None:
    """Quotes that never close and endless white space are walked over once."""
    new = "#:\n" * 50_000 + (":" + "\n" * 2000) * 50 + '"""\n' * 9_999 + "'''\n"

    assert len(_prose(_change(new))) > 0
