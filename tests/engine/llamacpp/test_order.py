"""Which waiting bundle runs next, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import numpy as np

from hunkwise.engine.llamacpp.decoding.jobs import Job, Ticket, best
from hunkwise.engine.llamacpp.decoding.port import Tokens
from hunkwise.engine.types import Bundle

NOW = 1000.0


def job(prefix: int = 0, *, priority: int = 0, caller: str = "", waited: float = 0.0) -> Job:
    bundle = Bundle((), (), priority=priority, caller=caller)
    ticket = Ticket(bundle, Future(), NOW - waited)
    return Job(bundle, np.full(prefix, 7, np.int32), (), (), tickets=[ticket])


def chosen(*jobs: Job, served: Mapping[str, int] | None = None) -> int:
    def known(tokens: Tokens) -> int:
        return len(tokens)

    return jobs.index(best(jobs, served or {}, known, NOW))


def test_the_earliest_of_equals() -> None:
    """Without another reason the order of arrival holds."""
    assert chosen(job(), job(), job()) == 0


def test_a_higher_priority_goes_first() -> None:
    """Priority beats arrival and prefix."""
    assert chosen(job(500), job(priority=1)) == 1


def test_waiting_raises_a_priority() -> None:
    """No bundle waits for ever behind more important ones."""
    assert chosen(job(waited=65), job(priority=1)) == 0


def test_the_longest_known_prefix_goes_first() -> None:
    """Among equals the one that saves most is next: bundles of one prefix run after each other."""
    assert chosen(job(0), job(300), job(200)) == 1


def test_a_caller_far_ahead_waits() -> None:
    """A caller that had much more than another does not go on just because its prefix is known."""
    jobs = job(300, caller="greedy"), job(0, caller="modest")

    assert chosen(*jobs, served={"greedy": 9000, "modest": 100}) == 1
    assert chosen(*jobs, served={"greedy": 900, "modest": 100}) == 0
