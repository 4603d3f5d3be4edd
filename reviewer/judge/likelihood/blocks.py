"""Blocks: the runs of changed lines that a hunk is read in, and at how many places a change takes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from hunkwise.reviewer.types import FileDiff, Hunk

SHORT_GAP = 1  # unchanged lines that do not part two blocks
MOST_SPREAD = 5  # doublings
MOST_BLOCKS = 8  # of one hunk; more are scored as one


def blocks(hunk: Hunk) -> tuple[range, ...]:
    """Cut a hunk into blocks of changed lines, as index ranges; a short gap does not part two blocks."""
    found: list[range] = []
    for index, line in enumerate(hunk.lines):
        if line.kind == "context":
            continue
        if found and index - found[-1].stop <= SHORT_GAP:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return tuple(found) if len(found) <= MOST_BLOCKS else (range(found[0].start, found[-1].stop),)


def spread(files: Sequence[FileDiff]) -> float:
    """Tell at how many places of a whole change something went, in doublings: 1, 2, 4, 8, 16, or more.

    Of many places at most a few are slips.
    """
    places = sum(_places(hunk) for file in files for hunk in file.hunks)
    return float(min(max(places - 1, 0).bit_length(), MOST_SPREAD))


def _places(hunk: Hunk) -> int:
    """Count the blocks in which something went, however many they are; what is only added hides no slip."""
    gone = [index for index, line in enumerate(hunk.lines) if line.kind == "removed"]
    unchanged = list(accumulate((line.kind == "context" for line in hunk.lines), initial=0))
    parted = (unchanged[index] - unchanged[last] > SHORT_GAP for last, index in pairwise(gone))
    return sum(parted) + bool(gone)
