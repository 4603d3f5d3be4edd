"""What every queue does, whatever keeps it: SQLite in a file, and a real Redis."""

from __future__ import annotations

import itertools
import json
import resource
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.bot.port import ChangeId, Closed, Comment, Commented, Event, Pushed
from hunkwise.reviewer.bot.queue import file, place
from hunkwise.reviewer.bot.queue.port import (
    MOST_TRIES,
    Lease,
    Queue,
    QueueError,
    State,
    key_of,
    read_event,
    written,
)
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.cli import hunkwise, run

OpenQueue = Callable[..., Queue]
HEADS = ["a" * 40, "b" * 40, "c" * 40]


def change(number: int = 7, repository: str = "octo/repo") -> ChangeId:
    return ChangeId("github", "https://github.com", repository, number)


def push(number: int = 7, head: str = HEADS[0], repository: str = "octo/repo", **more: bool) -> Pushed:
    return Pushed(change(number, repository), head, **more)


def comment(number: int = 1) -> Commented:
    return Commented(change(), Comment(number, "ada", "/review", trusted=True))


def taken(queue: Queue) -> Lease:
    lease = queue.claim()
    assert lease is not None
    return lease


def test_a_job_is_handed_out_once_and_is_gone_when_it_is_done(open_queue: OpenQueue) -> None:
    one, other = open_queue(), open_queue()

    assert one.accept("d1", push())
    lease = taken(one)

    assert (lease.event, lease.tries, lease.again) == (push(), 1, False)
    assert other.claim() is None
    assert one.done(lease, HEADS[0])
    assert one.entries() == ()
    assert other.reviewed(change()) == HEADS[0]
    assert not one.done(lease)


def test_the_last_report_of_a_change_is_kept(open_queue: OpenQueue) -> None:
    queue = open_queue()
    assert queue.kept(change()) == b""

    queue.keep(change(), b"{}")
    queue.keep(change(), "{ü}".encode())

    assert open_queue().kept(change()) == "{ü}".encode()
    assert queue.kept(change(8)) == b""


def test_workers_count_together_and_counts_end(open_queue: OpenQueue) -> None:
    """A window begins with its first and ends by itself, whatever comes in it; keys don't touch each other."""
    one, other = open_queue(), open_queue()

    assert [one.count("a", 60), other.count("a", 60), one.count("a", 0), one.count("b", 60)] == [1, 2, 3, 1]
    assert [one.count("c", 0), other.count("c", 60), one.count("c", 60), one.count("a", 60)] == [1, 1, 2, 4]


def test_a_delivery_is_taken_in_once(open_queue: OpenQueue) -> None:
    queue = open_queue()

    assert [queue.accept("d1", push()), queue.accept("d1", push())] == [True, False]
    assert queue.done(taken(queue))
    assert not queue.accept("d1", push())
    assert queue.claim() is None


def test_pushes_while_a_job_waits_are_one_job_with_the_newest_head(open_queue: OpenQueue) -> None:
    queue = open_queue()
    for number, head in enumerate(HEADS):
        queue.accept(f"d{number}", push(head=head))

    lease = taken(queue)

    assert lease.event == push(head=HEADS[2])
    assert queue.claim() is None
    assert queue.done(lease)
    assert queue.entries() == ()


def test_a_push_while_a_job_runs_is_seen_and_brings_it_back(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push())
    lease = taken(queue)
    queue.accept("d2", push(head=HEADS[1]))

    wanted = queue.wanted(lease)

    assert wanted is not None
    assert wanted.event == push(head=HEADS[1])
    assert queue.done(lease, HEADS[0])
    again = taken(queue)
    assert again.event == push(head=HEADS[1])
    assert queue.done(again)
    assert queue.claim() is None


def test_who_saw_the_newer_push_can_end_the_job_as_of_it(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push())
    lease = taken(queue)
    queue.accept("d2", push())

    wanted = queue.wanted(lease)

    assert wanted is not None
    assert queue.done(wanted)
    assert queue.entries() == ()


def test_a_closed_change_is_told_to_who_runs_it_and_makes_no_job(open_queue: OpenQueue) -> None:
    queue = open_queue()
    assert queue.accept("d0", Closed(change()))
    assert queue.claim() is None
    queue.accept("d1", push())
    lease = taken(queue)
    queue.accept("d2", Closed(change()))

    wanted = queue.wanted(lease)

    assert wanted is not None
    assert wanted.event == Closed(change())


def test_that_a_review_is_wanted_again_outlives_a_push(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push(again=True))
    queue.accept("d2", push())

    assert taken(queue).again


def test_people_come_first_and_repositories_take_turns(open_queue: OpenQueue) -> None:
    queue = open_queue()
    for number in (1, 2, 3):
        queue.accept(f"many{number}", push(number, repository="big/one"))
    queue.accept("few", push(1, repository="small/one"))
    queue.accept("asked", comment())
    queue.accept("raised", push(3, repository="big/one", again=True))

    order = [key_of(taken(queue).event).removeprefix("https://github.com/") for _ in range(5)]

    assert order[:2] == ["octo/repo#7/comments/1", "big/one#3"]
    assert order[2:] in (
        ["big/one#1", "small/one#1", "big/one#2"],
        ["small/one#1", "big/one#1", "big/one#2"],
    )
    assert queue.claim() is None


def test_who_answers_comments_is_handed_nothing_else(open_queue: OpenQueue) -> None:
    """Not what a dead worker left, either; and what it takes is taken."""
    queue, quick = open_queue(), open_queue(lease=0)
    waiting: list[Event] = [push(1), push(2, again=True), comment(1), comment(2)]
    for number, event in enumerate(waiting):
        queue.accept(f"d{number}", event)

    first = queue.claim()
    assert first is not None
    assert first.event == comment(1)
    second = quick.claim(comments=True)
    assert second is not None
    assert second.event == comment(2)
    assert quick.claim(comments=True) is None
    assert [taken(queue).event for _ in range(2)] == [push(2, again=True), push(1)]
    assert queue.claim() is None


def test_a_job_of_a_dead_worker_is_taken_over_and_the_dead_one_has_no_right_to_it(
    open_queue: OpenQueue,
) -> None:
    dead, alive = open_queue(), open_queue(lease=0)
    dead.accept("d1", push())
    old = taken(dead)

    new = taken(alive)

    assert (new.event, new.tries) == (push(), 2)
    assert not dead.renew(old)
    assert dead.wanted(old) is None
    assert not dead.done(old)
    assert alive.done(new)
    assert alive.entries() == ()


def test_a_renewed_job_stays_its_workers(open_queue: OpenQueue) -> None:
    queue, other = open_queue(), open_queue(lease=30)
    queue.accept("d1", push())
    lease = taken(queue)

    assert queue.renew(lease)
    assert other.claim() is None


def test_what_fails_every_time_is_a_dead_letter_with_its_reason(open_queue: OpenQueue) -> None:
    queue = open_queue(lease=0)
    queue.accept("d1", push())
    for _ in range(MOST_TRIES):
        queue.fail(taken(queue), "the forge is on fire")

    assert queue.claim() is None
    (entry,) = queue.entries()
    assert (entry.state, entry.reason, entry.event) == (State.DEAD, "the forge is on fire", written(push()))
    assert queue.accept("d1", push()), "a delivery that failed may come again"
    assert taken(queue).tries == 1


def test_a_dead_letter_can_be_retried_and_dropped(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push())
    queue.bury(taken(queue), "no such repository")
    key = key_of(push())
    assert queue.claim() is None

    assert queue.retry(key)
    assert not queue.retry(key)
    lease = taken(queue)
    assert queue.drop(key)

    assert not queue.renew(lease)
    assert not queue.drop(key)
    assert queue.entries() == ()
    assert queue.claim() is None


def test_a_waiting_job_can_be_dropped(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push(1))
    queue.accept("d2", push(2))

    assert queue.drop(key_of(push(1)))
    assert taken(queue).event == push(2)
    assert queue.claim() is None


def test_what_is_given_back_costs_no_try(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push())
    queue.release(taken(queue))

    assert taken(queue).tries == 1


@pytest.mark.parametrize("handles", [2, 5])
def test_many_workers_hand_out_each_job_once(open_queue: OpenQueue, handles: int) -> None:
    queues = [open_queue() for _ in range(handles)]
    for number in range(40):
        queues[number % handles].accept(f"d{number}", push(number + 1, repository=f"o/{number % 3}"))
    got: list[str] = []

    def work(queue: Queue) -> None:
        while lease := queue.claim():
            got.append(lease.key)
            queue.done(lease)

    threads = [threading.Thread(target=work, args=(queue,)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == len(set(got)) == 40


_NAMES = itertools.count()
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(1, 3), st.sampled_from(HEADS)),
        st.tuples(st.just("close"), st.integers(1, 3), st.just("")),
        st.tuples(
            st.sampled_from(["claim", "done", "release", "die", "bury", "drop", "retry"]),
            st.integers(1, 3),
            st.just(""),
        ),
    ),
    max_size=30,
)


@given(steps=_STEPS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost_or_done_twice_in_any_order(
    open_queue: OpenQueue, steps: list[tuple[str, int, str]]
) -> None:
    """After any history each change has the job that its last event asks for, and no other."""
    queue, taker = open_queue(), open_queue(lease=0)
    for entry in queue.entries():
        queue.drop(entry.key)
    running: dict[str, Lease] = {}
    jobs: dict[str, Event] = {}  # what is to be done, by the model
    seen: dict[str, int] = {}  # generation that its lease knows of
    newest: dict[str, int] = {}
    for step, number, head in steps:
        key = key_of(push(number))
        lease = running.get(key)
        match step:
            case "push" | "close":
                event: Event = push(number, head) if head else Closed(change(number))
                queue.accept(f"any{next(_NAMES)}", event)
                newest[key] = newest.get(key, 0) + 1
                if head or key in jobs:
                    jobs[key] = event
                if not head and key not in running and _state(queue, key) is None:
                    jobs.pop(key, None)
            case "claim" | "die":
                if found := (taker if step == "die" else queue).claim():
                    if found.tries > 1:
                        assert step == "die" or found.key not in running
                    running[found.key], seen[found.key] = found, newest[found.key]
                    assert found.event == jobs[found.key]
            case "done" if lease and queue.done(lease):
                if seen[key] == newest[key]:
                    del jobs[key]
                del running[key]
            case "release" if lease:
                queue.release(lease)
                running.pop(key)
            case "bury" if lease:
                queue.bury(lease, "why")
                running.pop(key)
            case "drop" if queue.drop(key):
                jobs.pop(key, None)
                running.pop(key, None)
            case "retry":
                queue.retry(key)
        for known in list(running):
            if queue.wanted(running[known]) is None:  # a dead letter by now
                del running[known]
        assert {entry.key for entry in queue.entries()} == set(jobs)
    while lease := taker.claim():
        assert lease.event == jobs[lease.key]
        assert taker.done(lease)
    assert all(entry.state is State.DEAD for entry in queue.entries())


def _state(queue: Queue, key: str) -> State | None:
    return next((entry.state for entry in queue.entries() if entry.key == key), None)


def test_a_redis_out_of_reach_is_told_in_a_sentence() -> None:
    from hunkwise.reviewer.bot.queue.redis import RedisQueue

    queue = RedisQueue("unix:///nowhere/at/all?password=secret")

    with pytest.raises(QueueError, match="Redis does not answer") as told:
        queue.accept("d", push())

    assert "secret" not in str(told.value)


def test_an_address_of_something_else_is_no_file() -> None:
    with pytest.raises(QueueError, match="neither"):
        place.open_queue({"HUNKWISE_QUEUE": "http://127.0.0.1/queue"})


def test_what_is_asked_for_most_holds(open_queue: OpenQueue) -> None:
    """A full review that was asked for is not taken back by a push or by another `/review`."""
    queue = open_queue()
    for number, event in enumerate([push(again=True), push(full=True), push(again=True), push()]):
        queue.accept(f"d{number}", event)

    lease = taken(queue)

    assert (lease.again, lease.full) == (True, True)
    queue.accept("other", push(8, again=True))
    assert not taken(queue).full


def test_a_job_of_an_older_version_is_read(open_queue: OpenQueue) -> None:
    assert read_event(written(push()).replace(', "full": false', "")) == push()


def test_what_happens_to_jobs_is_told_once(open_queue: OpenQueue) -> None:
    queue, other = open_queue(lease=0), open_queue()
    for number in range(4):
        queue.accept(f"d{number}", push(number + 1))
    assert other.depths() == {State.WAITING: 4}

    queue.done(taken(other), HEADS[0])
    queue.done(taken(other), superseded=True)
    queue.fail(taken(other), "soon")
    queue.bury(taken(other), "never")

    assert queue.depths() == {State.RUNNING: 1, State.DEAD: 1}
    told = other.news()
    ends = [one.what for one in told if one.what != "waited"]
    assert ends == ["done", "superseded", "failed", "dead"]
    assert [one.what for one in told].count("waited") == 4
    assert all(one.seconds >= 0 for one in told)
    assert queue.news() == ()


def test_a_job_that_waits_again_waits_from_then_on(open_queue: OpenQueue) -> None:
    queue = open_queue()
    queue.accept("d1", push())
    lease = taken(queue)
    (before,) = queue.entries()
    queue.accept("d2", push(head=HEADS[1]))
    queue.done(lease)

    (after,) = queue.entries()
    assert after.since > before.since


@pytest.mark.parametrize("what", ["deleted", "replaced", "deleted while it writes"])
def test_a_file_that_is_taken_away_loses_no_delivery(tmp_path: Path, what: str) -> None:
    """What was answered 202 is in the file that the next worker opens."""
    file = tmp_path / "folder" / "q"
    queue = SqliteQueue(file)
    queue.accept("d1", push(1))
    if what == "deleted":
        shutil.rmtree(file.parent)
    elif what == "replaced":
        SqliteQueue(tmp_path / "other").close()
        (tmp_path / "other").rename(file)
    else:

        def clock() -> float:
            nonlocal file
            if file.exists() and not gone:
                gone.append(True)
                file.unlink()
            return 1.0

        gone: list[bool] = []
        queue = SqliteQueue(file, clock=clock)

    assert queue.accept("d2", push(2))

    assert [entry.key for entry in SqliteQueue(file).entries()] == [key_of(push(2))]


def test_a_file_that_is_replaced_by_something_else_is_an_error(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "q")
    (tmp_path / "other").write_text("no database, but a text that is long enough to be none" * 100)
    (tmp_path / "other").rename(tmp_path / "q")

    with pytest.raises(QueueError, match="can't be opened"):
        queue.accept("d1", push())


def test_a_file_that_somebody_else_writes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, held, done = SqliteQueue(tmp_path / "q"), threading.Event(), threading.Event()

    def hold() -> None:
        other = sqlite3.connect(tmp_path / "q", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        held.set()
        done.wait(0.3)
        other.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)

    monkeypatch.setattr(file, "_BUSY", 0.02)
    with pytest.raises(QueueError, match="locked"):
        queue.accept("d1", push(1))
    monkeypatch.undo()
    assert queue.depths() == {}
    assert queue.accept("d1", push(1))
    thread.join()
    assert file._BUSY < 10, "which is as long as forges wait"


def test_a_disk_that_is_full_loses_nothing_that_was_taken_in(tmp_path: Path) -> None:
    """What is not taken in is said to be not; and all goes on when there is room."""
    queue, taken_in, full = SqliteQueue(tmp_path / "q"), 0, 0
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "q").stat().st_size + 8192, before[1]))
        while full < 3:
            try:
                taken_in += queue.accept(f"d{taken_in}", push(taken_in + 1))
            except QueueError:
                full += 1
        lease = queue.claim()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert lease is None or queue.done(lease)
    assert queue.accept("more", push(1000))
    assert len(queue.entries()) == taken_in + 1 - (lease is not None)


def test_a_job_that_is_damaged_is_shown_and_can_be_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    SqliteQueue(tmp_path / "q").accept("d1", push())
    with sqlite3.connect(tmp_path / "q") as base:
        base.execute("UPDATE jobs SET event = '{broken'")
    base.close()
    monkeypatch.setenv("HUNKWISE_QUEUE", str(tmp_path / "q"))

    assert run(hunkwise, ["queue", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["event"] == "{broken"
    assert run(hunkwise, ["queue", "drop", "octo/repo#7"]) == 0
    assert SqliteQueue(tmp_path / "q").entries() == ()
