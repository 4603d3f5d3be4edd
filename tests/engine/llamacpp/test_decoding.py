"""Scheduler, lanes and prefixes over a toy context: milliseconds, and no llama.cpp."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from toycontext import ToyContext

from hunkwise.engine import Answer, Bundle, Choose, Generated, Segment, Usage
from hunkwise.engine.errors import Cancelled, Closed, DeadlineExceeded, NativeFailure, QueueFull
from hunkwise.engine.llamacpp.decoding.jobs import Job
from hunkwise.engine.llamacpp.decoding.lanes import Lane, Lanes, Sequences, Trunk
from hunkwise.engine.llamacpp.decoding.port import Row, Tokens
from hunkwise.engine.llamacpp.decoding.prefix import Prefixes
from hunkwise.engine.llamacpp.decoding.scheduler import Limits, Scheduler
from hunkwise.engine.port import Answers

NOTHING = (np.empty(0, np.int32), 0)


class Writing:
    """A work that writes so many tokens after one token of prompt, and notes in which thread what happens."""

    vectors = False

    def __init__(self, length: int = 1, first: int = 7) -> None:
        self.cells = length
        self.left, self.written = length, [first]
        self.seen: list[tuple[str, int]] = []

    def next(self) -> tuple[Tokens, int]:
        if not self.left:
            return NOTHING
        self.left -= 1
        return np.array(self.written[-1:], np.int32), 1

    def foresee(self) -> None:
        self.seen.append(("foresee", threading.get_ident()))

    def take(self, row: Row) -> None:
        self.seen.append(("take", threading.get_ident()))
        self.written.append(int(row.argmax()))

    def branches(self) -> Sequence[Writing]:
        return ()

    def answer(self, usage: Usage) -> Answer:
        return Generated("", " ".join(map(str, self.written[1:])), "stop", usage)


def prefix(length: int, first: int = 0) -> Tokens:
    return np.arange(first, first + length, dtype=np.int32)


def job(
    name: str = "",
    shared: Tokens | None = None,
    *works: Writing,
    caller: str = "",
    deadline: float | None = None,
) -> Job:
    works = works or (Writing(),)
    questions = tuple(Choose(f"{name} {place}", (Segment("?"),), ("a", "b")) for place in range(len(works)))
    bundle = Bundle((), questions, caller=caller, deadline=deadline)
    return Job(bundle, prefix(0) if shared is None else shared, (1,) * len(works), works)


@dataclass
class Bench:
    """A scheduler at work on a toy."""

    context: ToyContext
    scheduler: Scheduler

    def ask(self, job: Job) -> Answers:
        return self.scheduler.submit(job).result(10)

    def settle(self) -> None:
        """Wait until nothing is held."""
        ends = time.monotonic() + 10
        while not self.scheduler.idle:
            assert time.monotonic() < ends, "cells or sequences leak"
            time.sleep(0.001)
        assert self.context.used == 0


@contextmanager
def bench(context: ToyContext | None = None, limits: Limits | None = None) -> Iterator[Bench]:
    toy = context or ToyContext(sequences=8)
    scheduler = Scheduler(toy, 6, limits or Limits(side_by_side=4))
    try:
        yield Bench(toy, scheduler)
    finally:
        toy.gate.set()
        scheduler.close()
    assert toy.closed


def test_no_llama_cpp_is_needed() -> None:
    """What schedules can be imported where llama-cpp-python is not installed."""
    script = (
        "import sys; sys.modules['llama_cpp'] = None\n"
        "import hunkwise.engine.llamacpp.decoding.scheduler as s; assert s.Scheduler"
    )
    subprocess.run([sys.executable, "-P", "-c", script], check=True)


def test_what_needs_no_logits_runs_beside_the_decode() -> None:
    """A work looks ahead in another thread, and has done so before it gets its logits."""
    sequences, work = Sequences(4), Writing()
    done: list[Lane] = []
    lanes = Lanes(ToyContext(), sequences)

    lanes.start(work, Trunk(sequences.take(), prefix(0)), done.append)
    lanes.step()

    (first, thread), (second, owner) = work.seen
    assert (first, second, owner) == ("foresee", "take", threading.get_ident())
    assert thread != owner
    assert len(done) == 1


@pytest.mark.parametrize(("keep", "again"), [(64 << 20, 0), (100, 200)])
def test_a_prefix_returns_from_host_memory(keep: int, again: int) -> None:
    """Moved out and back, a prefix is what it was; beyond the bound it is computed again."""
    context, sequences = ToyContext(), Sequences(4)
    prefixes, lanes = Prefixes(context, sequences, keep), Lanes(context, sequences)
    for wanted, computed in ((prefix(200), 200), (prefix(200, 300), 200), (prefix(200), again)):
        before = context.computed
        trunk, _ = prefixes.acquire(wanted)
        while filling := prefixes.filling():
            lanes.step(filling)
        assert context.tokens(trunk.sequence) == wanted.tolist()
        assert context.computed - before == computed
        prefixes.release(trunk)
        prefixes.evict()
        assert (prefixes.cells, len(sequences), context.used) == (0, 4, 0)


def test_answers_and_usage() -> None:
    """Works run side by side over one prefix, and the first of them pays for it."""
    with bench() as at:
        answers = at.ask(job("q", prefix(150), Writing(3, 7), Writing(2, 20)))

        assert [answer.text for answer in answers if isinstance(answer, Generated)] == ["8 9 10", "21 22"]
        assert [answer.usage for answer in answers] == [Usage(151, 0), Usage(1, 150)]
        at.settle()


def test_first_come_first_answered() -> None:
    """Of prompts that come together, the first begin their answers before the last is computed."""
    toy = ToyContext(cells=4096, sequences=16, batch=512)
    ended: list[int] = []
    with bench(toy) as at:
        toy.gate.clear()
        futures = [at.scheduler.submit(job(str(n), prefix(250, 250 * n))) for n in range(4)]
        for future in futures:
            future.add_done_callback(lambda _: ended.append(toy.computed))
        toy.gate.set()
        for future in futures:
            future.result(10)
        at.settle()
    assert len(ended) == 4
    assert ended[0] <= 2 * 251
    assert ended[1] <= 3 * 251
    assert ended[3] == 4 * 251


def test_all_are_answered_or_refused() -> None:
    """50 threads submit 1,000 jobs to a queue of 64: each is answered or refused, and no cell stays in use."""
    with bench(limits=Limits(jobs=64, side_by_side=4)) as at:
        at.context.gate.clear()

        def submit(number: int) -> Future[Answers] | QueueFull:
            try:
                return at.scheduler.submit(job(str(number), caller=str(number % 3)))
            except QueueFull as error:
                return error

        with ThreadPoolExecutor(50) as threads:
            outcomes = list(threads.map(submit, range(1000)))
        at.context.gate.set()

        refused = [outcome for outcome in outcomes if isinstance(outcome, QueueFull)]
        accepted = [outcome for outcome in outcomes if not isinstance(outcome, QueueFull)]
        assert 64 <= len(accepted) <= 68
        assert all(error.waiting == 64 and error.retry_after > 0 for error in refused)
        assert all(len(future.result(10)) == 1 for future in accepted)
        at.settle()


def test_a_longer_prefix_forks_from_one_in_flight() -> None:
    """What two jobs begin with is computed once, up to a whole chunk."""
    with bench() as at:
        at.context.gate.clear()
        first = at.scheduler.submit(job("1", prefix(150)))
        second = at.scheduler.submit(job("2", prefix(180)))
        at.context.gate.set()

        first.result(10)
        assert second.result(10)[0].usage.reused == 128
        at.settle()


def test_equal_jobs_in_flight_are_computed_once() -> None:
    """All who wait get the one answer."""
    with bench() as at:
        at.context.gate.clear()
        futures = [at.scheduler.submit(job("same", prefix(20))) for _ in range(5)]
        at.context.gate.set()

        assert len({future.result(10) for future in futures}) == 1
        at.settle()
        assert at.scheduler.statistics().bundles == 1


def test_who_comes_after_one_that_left_is_not_interrupted_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither who asks the same, nor who was let in between the leaving and the next batch."""
    with bench(limits=Limits(side_by_side=1)) as at:
        interrupt, said = at.context.interrupt, threading.Event()
        monkeypatch.setattr(at.context, "interrupt", said.set)
        at.context.gate.clear()
        first = at.scheduler.submit(job("same", prefix(20)))
        while not at.scheduler._active:
            time.sleep(0.001)
        assert first.cancel()
        assert said.wait(10)
        second = at.scheduler.submit(job("same", prefix(20)))
        interrupt()  # which comes late
        at.context.gate.set()
        assert len(second.result(10)) == 1

        admit = at.scheduler._admit

        def late() -> None:
            interrupt()
            admit()

        monkeypatch.setattr(at.scheduler, "_admit", late)
        assert len(at.ask(job("other", prefix(20)))) == 1
        at.settle()


def test_taking_everything_back_frees_everything() -> None:
    """Running and waiting jobs alike; then others are answered."""
    with bench() as at:
        at.context.gate.clear()
        futures = [at.scheduler.submit(job(str(number), prefix(60), Writing(50))) for number in range(6)]
        assert all(future.cancel() for future in futures)
        for future in futures:
            with pytest.raises(CancelledError):
                future.result(10)
        at.context.gate.set()

        at.settle()
        assert at.ask(job("next"))


def test_a_thousand_taken_back_leak_nothing() -> None:
    """Wherever each of them is: waiting, at its prefix, at work, or answered."""
    random = Random(7)
    with bench(limits=Limits(side_by_side=4, jobs=2000)) as at:
        futures = []
        for number in range(1000):
            asked = job(str(number), prefix(random.randrange(90)), *(Writing(9) for _ in range(3)))
            futures.append(at.scheduler.submit(asked))
            random.choice(futures[-9:]).cancel()
        for future in futures[::-1]:
            future.cancel()

        at.settle()
        assert any(future.cancelled() for future in futures)
        assert at.ask(job("next"))


def test_a_deadline_that_passes_in_the_queue_or_at_work() -> None:
    """Both raise, and leave nothing behind."""
    with bench(limits=Limits()) as at:
        at.context.gate.clear()
        running = at.scheduler.submit(job("running", prefix(9), Writing(50), deadline=0.02))
        waiting = at.scheduler.submit(job("waiting", prefix(9), deadline=0.02))
        time.sleep(0.03)
        at.context.gate.set()

        for late in (running, waiting):
            with pytest.raises(DeadlineExceeded):
                late.result(10)
        at.settle()


def test_a_failure_of_the_context_fails_what_runs_alone() -> None:
    """The next job finds a clean cache."""
    with bench() as at:
        at.context.broken = True
        with pytest.raises(NativeFailure, match="llama_decode"):
            at.ask(job("bad", prefix(30)))
        at.context.broken = False

        assert at.ask(job("good", prefix(30)))
        at.settle()


def test_more_works_than_fit_take_turns() -> None:
    """Decoding never runs out of cells: the toy would find out."""
    with bench(ToyContext(cells=300, sequences=8)) as at:
        assert len(at.ask(job("many", prefix(50), *(Writing(100) for _ in range(6))))) == 6
        at.settle()


def test_closing_cancels_what_runs() -> None:
    """Who waits is told, and who comes after."""
    with bench() as at:
        at.context.gate.clear()
        future = at.scheduler.submit(job("long", prefix(9), Writing(50)))
        at.scheduler.close()

        with pytest.raises(Cancelled):
            future.result(10)
        with pytest.raises(Closed, match="closed"):
            at.scheduler.submit(job("after"))
