"""Cutting hunks: into runs of changed lines, by the lines they span, and a text by its lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby

from hunkwise.reviewer.types import Hunk, LineKind

MARKS: Mapping[LineKind, str] = {"context": " ", "added": "+", "removed": "-"}  # as a diff has them


def changes(hunk: Hunk) -> Iterator[Hunk]:
    """Cut a hunk into its runs of changed lines, each a hunk without lines around it."""
    at = hunk.new_start if hunk.new_length else hunk.new_start + 1
    for changed, group in groupby(hunk.lines, key=lambda line: line.kind != "context"):
        run = tuple(group)
        length = sum(line.kind != "removed" for line in run)
        if changed:
            yield Hunk(hunk.old_start, 0, at if length else at - 1, length, hunk.section, run)
        at += length


@lru_cache(maxsize=2)  # what is asked about a file comes one after the other
def numbered(text: str) -> Mapping[int, str]:
    """Number the lines of a text, from 1."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()  # after the final newline
    return dict(enumerate(lines, 1))


def span(hunk: Hunk) -> tuple[int, int]:
    """First and last new-side line; of a pure removal an empty span after the line before it."""
    if hunk.new_length:
        return hunk.new_start, hunk.new_start + hunk.new_length - 1
    return hunk.new_start + 1, hunk.new_start
