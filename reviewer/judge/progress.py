"""How far a review is, and what it has found so far, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.findings.suppressions import Suppressions
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.thresholds import settled
from hunkwise.reviewer.types import Change, FileDiff, Finding


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is: `done` of `total` hunks. `found` is a finding just confirmed that clears every bar.

    Whether it is said is settled at the end: of twins one is, and of many the best.
    `recalled` of those done were not read now, but as they stand in an earlier review.
    """

    done: int
    total: int
    path: str = ""
    found: Finding | None = None
    recalled: int = 0


Observer = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the observer how far the review is, and of what is found as it comes."""

    config: Config
    silence: Suppressions
    total: int
    observer: Observer

    def __call__(self, done: int, path: str = "", recalled: int = 0) -> None:
        """Tell how many hunks are done."""
        self.observer(Progress(done, self.total, path, recalled=recalled))

    def found(self, pick: ReviewUnit, made: Sequence[Finding], done: int, recalled: int = 0) -> None:
        """Tell of what was found in a hunk, as far as that alone can be settled."""
        self.found_in(replace(pick.file, hunks=(pick.whole,)), made, done, recalled)

    def found_in(self, file: FileDiff, made: Sequence[Finding], done: int = 0, recalled: int = 0) -> None:
        """Tell of what was found in a file, as far as that alone can be settled."""
        if made:
            for found in settled(made, Change((file,)), self.config, self.silence)[0]:
                self.observer(Progress(done, self.total, file.path, found, recalled))
