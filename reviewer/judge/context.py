"""The lines of a file that a hunk is read with: those right before its first change, inside a token budget.

The model reads from above, so what stands below serves only to word a remark. More than twenty lines above, the
function's head or the file's imports made no review better (docs/quality.md).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from hunkwise.reviewer.diff.hunks import numbered, span
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.languages.functions import enclosing
from hunkwise.reviewer.types import Change, FileDiff, Hunk, HunkContext, Line

Count = Callable[[str], int]

ABOVE = 20  # lines before a hunk's first change
BELOW = 8  # lines after its last one
FARTHEST = 60  # lines of its function on either side
_LONGEST_LINE = 400  # characters; a longer line of context is not worth its tokens


def with_context(
    change: Change, picked: ReviewUnit, count: Count, budget: int, above: int = ABOVE, below: int = BELOW
) -> HunkContext:
    """A hunk with `above` lines before its first change, its own among them, and `below` after its last one.

    They are cut, the farthest first, to `budget` tokens, which `count` measures in `count(surroundings(...))`.
    Lines come from the file's whole text if there is one and the hunk holds in it, else from its other hunks.
    """
    hunk = picked.hunk
    bare = HunkContext(picked.file, hunk, picked.hunk_index)
    if budget <= 0:
        return bare
    first, last = span(hunk)
    start, stop = first - above + _unchanged(hunk.lines), last + 1 + below - _unchanged(reversed(hunk.lines))
    lines = known_lines(change, picked.file, hunk, range(start, stop))
    near = [
        number
        for number in (*range(start, first), *range(last + 1, stop))
        if number in lines and len(lines[number]) < _LONGEST_LINE
    ]
    near.sort(key=lambda number: first - number if number < first else number - last)

    def around(numbers: Iterable[int]) -> HunkContext:
        rows = [(number, lines[number]) for number in sorted(numbers)]
        before = tuple(row for row in rows if row[0] < first)
        return replace(bare, before=before, after=tuple(rows[len(before) :]))

    sizes = range(1, len(near) + 1)
    return around(
        near[: bisect_right(sizes, budget, key=lambda size: count(surroundings(around(near[:size]))))]
    )


def with_function(change: Change, picked: ReviewUnit, count: Count, budget: int) -> HunkContext:
    """A hunk with the function around it, inside the budget, and at most `FARTHEST` lines on either side."""
    first, last = span(picked.hunk)
    near = range(first - FARTHEST, last + FARTHEST + 1)
    around = enclosing(known_lines(change, picked.file, picked.hunk, near), picked.hunk)
    lines = picked.hunk.lines
    above = first + _unchanged(lines) - around.start if around else 0
    below = around.stop - 1 - last + _unchanged(reversed(lines)) if around else 0
    return with_context(
        change, picked, count, budget, min(max(above, BELOW), FARTHEST), min(max(below, BELOW), FARTHEST)
    )


def surroundings(context: HunkContext) -> str:
    """The lines around a hunk as they are measured, each with its number."""
    return "".join(f"{number}  {text}\n" for number, text in (*context.before, *context.after))


def known_lines(change: Change, file: FileDiff, hunk: Hunk, near: range) -> Mapping[int, str]:
    """New-side lines by number: of the whole file if the hunk holds in it, else of its hunks, those `near`."""
    text = change.text(file)
    if text is not None:
        lines = numbered(text)
        claims = ((line.new_no, line.text) for line in hunk.lines if line.new_no is not None)
        if all(lines.get(number, "\0").rstrip("\r") == claim.rstrip("\r") for number, claim in claims):
            return lines
    every = (line for other in (*_around(file.hunks, near), hunk) for line in other.lines)
    return {line.new_no: line.text for line in every if line.new_no is not None}


def _around(hunks: Sequence[Hunk], near: range) -> Iterator[Hunk]:
    """Give the hunks that hold one of these new-side lines; a file's hunks come in order."""
    at = bisect_left(hunks, near.start, key=lambda other: other.new_start + other.new_length)
    while at < len(hunks) and hunks[at].new_start < near.stop:
        yield hunks[at]
        at += 1


def _unchanged(lines: Iterable[Line]) -> int:
    """Count the unchanged lines at the beginning."""
    return sum(1 for _ in takewhile(lambda line: line.kind == "context", lines))
