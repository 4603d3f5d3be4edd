"""What came in for what: runs of changed lines in which a piece of a line was replaced, put in or taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hunkwise.reviewer.describing.clues.clue import LONGEST_LINE, is_balanced
from hunkwise.reviewer.types import FileDiff, FileStatus, Hunk

LONGEST_SWAP = 60  # characters of what is said to have come in for something
MOST_RUNS = 50  # places in which something was replaced
_CLOSED = 48  # characters of both sides, up to which brackets and quotes are taken in to close them
_ALIKE = 0.75  # of two words, one of which is a slip of the other

_TOKEN = re.compile(r"\d+(?:\.\d+)+(?:(?:-|[.+]?(?=[A-Za-z]))\w+(?:\.\w+)*)?|\w+|\s+|[=<>!&|+*/-]+|[^\w\s]")
_WORD = re.compile(r"\w\w|\d")


@dataclass(frozen=True, slots=True)
class Swap:
    """A run of changed lines in which one piece of a line came in for another, or a line was put in or taken out.

    Of what was put in `old` is "", of what was taken out `new`.
    """

    old: str
    new: str
    line: str = ""  # the line that it stands in, without the blanks around it
    inside: str = ""  # the symbol
    lines: int = 2  # that changed

    @property
    def is_version(self) -> bool:
        """True if one version came in for another."""
        sides = all(side[:1].isdigit() and "." in side for side in (self.old, self.new))
        return sides and "version" in f"{self.line} {self.inside}".lower()

    @property
    def words(self) -> bool:
        """True if one word came in for another that is spelled nearly like it."""
        if not (self.old.isalpha() and self.new.isalpha() and min(len(self.old), len(self.new)) > 3):
            return False
        return SequenceMatcher(None, self.old, self.new, autojunk=False).ratio() > _ALIKE


def swaps_of(file: FileDiff, runs: Sequence[Hunk]) -> tuple[Swap | None, ...]:
    """Give what came in for what, run by run; None where that can't be said, nothing where there are too many."""
    if file.status in (FileStatus.ADDED, FileStatus.DELETED) or len(runs) > MOST_RUNS:
        return ()
    return tuple(map(_swap_of, runs))


def _swap_of(run: Hunk) -> Swap | None:
    old, new = (
        [line.text.strip() for line in side if line.text.strip()] for side in (run.removed, run.added)
    )
    if len(old) > 1 or len(new) > 1 or old == new or max(map(len, [*old, *new])) > LONGEST_LINE:
        return None
    if not old or not new:
        line = (old or new)[0]
        fits = len(line) <= LONGEST_SWAP
        return Swap("".join(old), "".join(new), line, lines=1) if fits else None
    gone, come = _parted(_TOKEN.findall(old[0]), _TOKEN.findall(new[0]))
    if not gone or not come:  # an item of a list, without what parts it from the others
        gone, come = gone.strip(" ,;") or gone, come.strip(" ,;") or come
    return (
        Swap(gone, come, new[0])
        if max(len(gone), len(come)) <= LONGEST_SWAP or ("://" in gone and "://" in come)
        else None
    )


def _parted(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """Give what differs between two lines: whole words, with those beside it that open and close it."""
    fewest = min(len(before), len(after))
    start = next((at for at in range(fewest) if before[at] != after[at]), fewest)
    rest = fewest - start
    end = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    first = ("", "")
    while True:
        gone, come = before[start : len(before) - end], after[start : len(after) - end]
        told = "".join(gone).strip(), "".join(come).strip()
        whole = not start and not end
        if whole or all(not side or _WORD.search(side) for side in told):
            first = first if any(first) else told
            short = len("".join(told)) <= _CLOSED
            if short and all(map(is_balanced, told)):
                return told
            if whole or not short:
                return first
        start, end = max(start - 1, 0), max(end - 1, 0)
