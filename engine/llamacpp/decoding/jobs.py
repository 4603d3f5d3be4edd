"""Bundles on their way: the tickets of those who wait, and which bundle should run next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hunkwise.engine.errors import EngineError
from hunkwise.engine.llamacpp.decoding.lanes import Lane, Trunk
from hunkwise.engine.llamacpp.decoding.port import Tokens
from hunkwise.engine.port import Answers
from hunkwise.engine.types import Bundle, Usage, settled

if TYPE_CHECKING:
    from hunkwise.engine.llamacpp.decoding.works.work import Work

_AGE = 30.0  # seconds of waiting that raise a job's priority by one
_QUANTUM = 4096  # tokens by which one caller may be ahead of another before it must wait


@dataclass(frozen=True, slots=True)
class Ticket:
    """One caller's wish for a job's answers. Equal bundles in flight are one job with several tickets."""

    bundle: Bundle
    future: Future[Answers]
    submitted: float  # seconds, monotonic clock

    def expired(self, now: float) -> bool:
        """True if the deadline has passed."""
        return self.bundle.deadline is not None and now > self.submitted + self.bundle.deadline

    def succeed(self, answers: Answers) -> None:
        """Hand over the answers, unless the ticket was taken back in the same moment."""
        try:
            self.future.set_result(answers)
        except InvalidStateError:
            return

    def fail(self, error: EngineError) -> None:
        """Hand over an error, unless the ticket was taken back in the same moment."""
        try:
            self.future.set_exception(error)
        except InvalidStateError:
            return


@dataclass(eq=False, slots=True)
class Job:
    """A bundle made ready: its tokens, the works of its questions, and how far they are."""

    bundle: Bundle
    shared: Tokens
    prompts: tuple[int, ...]  # tokens each question adds
    works: Sequence[Work]
    lasting: int = 0  # of the shared tokens, those other bundles begin with as well
    heard: bool = False  # somebody hears its texts as they come
    tickets: list[Ticket] = field(default_factory=list)
    trunk: Trunk | None = None
    reused: int = 0  # of the shared tokens
    unstarted: deque[Work] = field(default_factory=deque)
    lanes: list[Lane] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """The most tokens it computes."""
        return len(self.shared) + sum(work.cells for work in self.works)

    @property
    def floor(self) -> int:
        """Cells that let its questions run, at least one after the other."""
        return max(work.cells for work in self.works)

    @property
    def dead(self) -> bool:
        """True if nobody waits for it any more."""
        return all(ticket.future.done() for ticket in self.tickets)

    def same(self, other: Job) -> bool:
        """True if the other job has the same answers."""
        mine, others = self.bundle, other.bundle
        if self.heard or other.heard or (mine.shared, mine.questions) != (others.shared, others.questions):
            return False
        return all(map(settled, mine.questions))

    def waited(self, now: float) -> float:
        """Return the seconds since the first ticket."""
        return now - self.tickets[0].submitted if self.tickets else 0.0

    def answers(self) -> Answers:
        """Read the finished works; the first question pays for the shared tokens that were computed."""
        shared = len(self.shared)
        usages = [Usage(prefilled=own, reused=shared) for own in self.prompts]
        usages[0] = replace(
            usages[0], prefilled=usages[0].prefilled + shared - self.reused, reused=self.reused
        )
        return tuple(work.answer(usage) for work, usage in zip(self.works, usages, strict=True))


def best(
    waiting: Sequence[Job], served: Mapping[str, int], known: Callable[[Tokens], int], now: float
) -> Job:
    """Choose by priority and waiting time, then fairness, then what the longest known prefix saves.

    `served` counts the tokens computed for each caller, `known` those of a prefix that need no computing.
    """
    aged = [(job.bundle.priority + int(job.waited(now) / _AGE), job) for job in waiting]
    top = max(priority for priority, _ in aged)
    jobs = [job for priority, job in aged if priority == top]
    least = min(served.get(job.bundle.caller, 0) for job in jobs)
    fair = [job for job in jobs if served.get(job.bundle.caller, 0) <= least + _QUANTUM]
    return max(fair, key=lambda job: known(job.shared))  # the earliest of equals
