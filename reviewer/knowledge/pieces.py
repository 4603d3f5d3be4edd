"""Texts in pieces that fit: cut at the borders of lines, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

MOST = 2_000  # characters of a passage; about 500 tokens
_Piece = tuple[int, int, str]
"""First and last line, both included, and the text."""


def _short(text: str) -> bool:
    return len(text) <= MOST


def pieces(lines: Sequence[str], first: int, fits: Callable[[str], bool] = _short) -> Iterator[_Piece]:
    """Cut lines, of which the first has the number `first`, into pieces that fit, best at blank lines.

    Blank lines at their borders are left out. A line that does not fit alone is cut between its words; its pieces
    have the same number. `fits` must hold for each part of what it holds for, and for a single character.
    """
    start = 0
    while start < len(lines):
        end = start + most(len(lines) - start, partial(_fit, lines, start, fits))
        if end == start:
            yield from ((first + start, first + start, text) for text in _cut(lines[start], fits))
            start += 1
            continue
        if end < len(lines):
            end = _border(lines, start, end)
        told = [at for at in range(start, end) if lines[at].strip()]
        if told:
            yield first + told[0], first + told[-1], "\n".join(lines[told[0] : told[-1] + 1])
        start = end


def _border(lines: Sequence[str], start: int, end: int) -> int:
    """Find the best place to cut, in the second half: after a blank line, as late as possible."""
    blank = (at for at in range(end, start + (end - start) // 2, -1) if not lines[at - 1].strip())
    return next(blank, end)


def _cut(line: str, fits: Callable[[str], bool]) -> Iterator[str]:
    while line:
        end = max(1, most(len(line), partial(_begins, line, fits)))
        if end < len(line):
            end = line.rfind(" ", end // 2, end) + 1 or end
        yield line[:end]
        line = line[end:]


def _fit(lines: Sequence[str], start: int, fits: Callable[[str], bool], count: int) -> bool:
    return fits("\n".join(lines[start : start + count]))


def _begins(line: str, fits: Callable[[str], bool], count: int) -> bool:
    return fits(line[:count])


def most(count: int, holds: Callable[[int], bool]) -> int:
    """Find the largest number up to `count` for which something holds; 0 if for none."""
    good, bad = 0, 1
    while bad <= count and holds(bad):
        good, bad = bad, bad * 2
    bad = min(bad, count + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
