"""Many threads, one model: nothing is lost, nothing leaks, nobody starves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from hunkwise.engine import Answer, Bundle, Choice, Choose, Generate, ModelSpec, Segment
from hunkwise.engine.errors import Cancelled, Closed, DeadlineExceeded, QueueFull
from hunkwise.engine.llamacpp.decoding.scheduler import Limits
from hunkwise.engine.llamacpp.runner import LocalEngine, load
from hunkwise.engine.planning.plan import Plan

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def crowded(small_model: ModelSpec) -> Iterator[LocalEngine]:
    """An engine that mixes four bundles in a batch and lets few wait."""
    limits = Limits(jobs=64, tokens=2500, side_by_side=4)
    with load(small_model, Plan(n_ctx=768, n_seq=6, n_threads=1), limits) as engine:
        yield engine


def bundle(name: str, shared: str = "Numbers.", **options: object) -> Bundle:
    question = Choose(name, (Segment(f"Is {name} odd?"),), ("Yes", "No", "I do not know"))
    return Bundle((Segment(shared),), (question,), **options)  # type: ignore[arg-type]


def endless(tokens: int) -> Generate:
    """Ask for a text that does not end by itself; the fastest machine writes at it for a while."""
    return Generate("long", (Segment("Count to a thousand."),), tokens, pattern="[0-9]{2000}")


def wait_until_idle(engine: LocalEngine) -> None:
    deadline = time.monotonic() + 60
    while not engine.idle:
        assert time.monotonic() < deadline, "cells or sequences leak"
        time.sleep(0.01)


def tiny(name: str, caller: str) -> Bundle:
    """Make a bundle of a few tokens."""
    return Bundle((), (Choose(name, (Segment(f"{name} is", "raw"),), (" odd", " even")),), caller=caller)


def test_all_are_answered_or_refused(crowded: LocalEngine) -> None:
    """50 threads submit 1,000 bundles to a queue of 64: each is answered or refused, and no cell stays in use."""

    def submit(number: int) -> Future[tuple[Answer, ...]] | QueueFull:
        try:
            return crowded.submit(tiny(str(number), caller=str(number % 3)))
        except QueueFull as error:
            return error

    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(submit, range(1000)))

    refused = [outcome for outcome in outcomes if isinstance(outcome, QueueFull)]
    accepted = {n: outcome for n, outcome in enumerate(outcomes) if not isinstance(outcome, QueueFull)}
    assert len(refused) + len(accepted) == 1000
    assert len(accepted) >= 64
    assert refused
    assert all(error.waiting == 64 and error.retry_after > 0 for error in refused)
    assert all(future.result()[0].id == str(number) for number, future in accepted.items())
    wait_until_idle(crowded)


def test_the_queue_is_bounded_by_tokens_too(crowded: LocalEngine) -> None:
    """Few long bundles fill the queue as many short ones do; taken back, they leave their room."""
    waiting = [bundle(str(n), f"{n}. " + "One of the texts that wait. " * 80) for n in range(64)]
    size = crowded.measure(waiting[0])
    each = size.shared + sum(size.questions)
    long = Generate("long", (Segment("Count to a thousand."),), 300)
    futures = [crowded.submit(Bundle((Segment("First."),), (long,)))]  # the others find no room beside it
    while crowded._scheduler._waiting:
        time.sleep(0.01)

    with pytest.raises(QueueFull) as caught:
        futures.extend(map(crowded.submit, waiting))

    assert caught.value.waiting == len(futures) - 1 == 2500 // each
    assert all(future.cancel() for future in futures)
    wait_until_idle(crowded)
    crowded.submit(waiting[-1]).cancel()
    wait_until_idle(crowded)


def test_a_prefix_in_flight_is_shared(crowded: LocalEngine) -> None:
    """Bundles submitted together compute their common beginning once."""
    shared = "A long text that all of them share. " * 8
    futures = [crowded.submit(bundle(str(number), shared)) for number in range(4)]

    answers: list[Answer] = [future.result()[0] for future in futures]

    size = crowded.measure(bundle("0", shared)).shared
    assert size > 60
    assert sorted(answer.usage.reused for answer in answers) == [0, size, size, size]


def test_a_longer_prefix_forks_from_one_in_flight(crowded: LocalEngine) -> None:
    """A bundle that goes on where another's shared text ends waits for it, then computes the rest only."""
    shared = "Another text that both of them share. " * 17
    first = crowded.submit(bundle("1", shared))
    second = crowded.submit(bundle("2", shared + "And more. " * 5))

    first.result()
    (answer,) = second.result()

    assert answer.usage.reused == 128
    wait_until_idle(crowded)


def test_equal_bundles_in_flight_are_computed_once(crowded: LocalEngine) -> None:
    """Single flight: the second caller gets the first one's answers."""
    before = crowded.statistics().bundles
    futures = [crowded.submit(bundle("7", "Once only. " * 20, caller=str(number))) for number in range(5)]

    results = [future.result() for future in futures]

    assert all(result == results[0] for result in results)
    wait_until_idle(crowded)
    assert crowded.statistics().bundles == before + 1


def test_cancelling_everything_at_once_frees_everything(crowded: LocalEngine) -> None:
    """Running and waiting bundles alike can be taken back; then the engine answers others."""
    question, begun = endless(300), threading.Event()
    futures = [
        crowded.submit(Bundle((Segment(f"Task {n}."),), (question,)), lambda *_: begun.set())
        for n in range(6)
    ]
    assert begun.wait(60)

    assert all(future.cancel() for future in futures)

    for future in futures:
        with pytest.raises(CancelledError):
            future.result()
    wait_until_idle(crowded)
    (answer,) = crowded.ask(bundle("3"))
    assert isinstance(answer, Choice)


def test_a_deadline_ends_the_waiting_and_the_work(crowded: LocalEngine) -> None:
    """A bundle whose deadline passes raises DeadlineExceeded soon after, and leaves nothing behind."""
    started = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        crowded.ask(Bundle((Segment("Do it."),), (endless(400),), deadline=0.2))

    assert time.monotonic() - started < 10
    wait_until_idle(crowded)


def test_more_questions_than_fit_at_once_take_turns(crowded: LocalEngine) -> None:
    """A ledger of cells lets only as many questions run as their worst case allows; all are answered."""
    questions = tuple(Generate(str(n), (Segment(f"Say {n}."),), 150, pattern="[0-9]{1,3}") for n in range(6))

    answers = crowded.ask(Bundle((Segment("Repeat the number. " * 5),), questions))

    assert len(answers) == 6
    wait_until_idle(crowded)


def test_closing_cancels_what_runs(small_model: ModelSpec) -> None:
    """`close` does not wait for a long answer."""
    engine = load(small_model, Plan(n_ctx=512, n_seq=1, n_threads=1))
    begun = threading.Event()
    future = engine.submit(Bundle((Segment("Do it."),), (endless(400),)), lambda *_: begun.set())
    assert begun.wait(60)
    engine.close()
    engine.close()

    with pytest.raises(Cancelled):
        future.result()
    with pytest.raises(Closed, match="closed"):
        engine.ask(bundle("1"))
