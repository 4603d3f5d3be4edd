"""What the model is shown when it words a remark."""

from __future__ import annotations

from hunkwise.reviewer.judge.wording.remark import NEAR_LINES, narrowed
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk, HunkContext, Line


def _context(count: int, *changed: int) -> HunkContext:
    """Lay out a hunk of numbered lines from 101 on, of which some are new."""
    lines = tuple(
        Line("added" if n in changed else "context", f"line {n}", None if n in changed else n, n)
        for n in range(101, 101 + count)
    )
    hunk = Hunk(101, count - len(changed), 101, count, "", lines)
    file = FileDiff("a.py", "a.py", FileStatus.MODIFIED, (hunk,))
    before = ((99, "line 99"), (100, "line 100"))
    after = ((101 + count, f"line {101 + count}"),)
    return HunkContext(file, hunk, 0, before=before, after=after)


def test_only_lines_near_a_block_are_shown() -> None:
    """What decides is more than what the words are about: far lines and other marks are left out."""
    seen = narrowed(_context(100, 150, 152), range(49, 50))
    numbers = [line.new_no for line in seen.hunk.lines]

    assert numbers == list(range(150 - NEAR_LINES, 150 + NEAR_LINES + 1))
    assert [line.new_no for line in seen.hunk.lines if line.kind == "added"] == [150]
    assert (seen.before, seen.after) == ((), ())


def test_lines_around_a_hunk_are_shown_as_far_as_they_are_near() -> None:
    """At the edge of the hunk the file goes on."""
    seen = narrowed(_context(NEAR_LINES + 1, 101), range(1))
    short = narrowed(_context(4, 102), range(1, 2))

    assert [number for number, _ in seen.before] == [99, 100]
    assert seen.after == ()
    assert [number for number, _ in short.after] == [105]
