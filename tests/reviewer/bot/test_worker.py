"""The worker at the three forges: one up-to-date review for each change, whatever happens."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botworld import (
    Forge,
    comments,
    drained,
    fetched,
    forge,
    head_of,
    is_up_to_date,
    remarks,
    reviewed,
    summaries,
    worker,
)
from fakes.gitea import FakeGitea
from fakes.github import FakeGitHub
from fakes.server import Answer, Request

from hunkwise.reviewer.bot.port import Closed, ForgeName
from hunkwise.reviewer.bot.queue.port import Queue, QueueError, State
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.bot.reviewing import NotReviewed
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.source.clone import TooLarge
from hunkwise.reviewer.types import Review

OpenQueue = Callable[..., Queue]
REPO = {"github": "octo/repo", "gitlab": "group/sub/project", "gitea": "octo/repo"}


@pytest.fixture(params=["github", "gitlab", "gitea"])
def world(request: pytest.FixtureRequest) -> Iterator[Forge]:
    kind: ForgeName = request.param
    with forge(kind) as made:
        yield made


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = SqliteQueue(tmp_path / "q", lease=0)
    yield made
    made.close()


def test_a_push_becomes_a_review_and_a_status(world: Forge, queue: Queue) -> None:
    fake = world.add(REPO[world.kind])
    queue.accept("d1", world.pushed(fake.name))

    assert worker(queue, world).step()

    assert is_up_to_date(fake)
    assert queue.entries() == ()
    states = [state for _, state, _ in fake.statuses]
    assert states in (["pending", "pending", "success"], ["pending", "running", "success"])
    assert "2 remarks; reviewed 3 hunks" in fake.statuses[-1][2]


def test_a_head_that_was_reviewed_is_reviewed_again_only_if_asked(world: Forge, queue: Queue) -> None:
    fake, made = world.add(REPO[world.kind]), []

    def counted(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        made.append(commits.head)
        return remarks(commits.head)

    one = worker(queue, world, review=counted)
    for number, again in enumerate([False, False, True]):
        queue.accept(f"d{number}", world.pushed(fake.name, again=again))
        drained([one])

    assert made == [fake.head, fake.head]
    assert is_up_to_date(fake)


def test_a_full_review_uses_nothing_that_is_known(world: Forge, queue: Queue) -> None:
    """And one that is asked for while another runs is not taken for that one."""
    fake, made = world.add(REPO[world.kind]), list[tuple[str, ...]]()

    def noted(folder: Path, commits: Range, wanted: Callable[[], bool], *options: str) -> Review:
        if len(made) == 1:
            queue.accept("d2", world.pushed(fake.name, again=True, full=True))
            assert not wanted()
        made.append(options)
        return remarks(commits.head)

    one = worker(queue, world, review=noted)
    for number, full in enumerate([True, False]):
        queue.accept(f"d{number}", world.pushed(fake.name, again=True, full=full))
        drained([one])

    assert made == [("--no-remember",), (), ("--no-remember",)]
    assert is_up_to_date(fake)


def test_a_change_that_is_taken_up_is_shown_as_queued_first(world: Forge, queue: Queue) -> None:
    """Who takes webhooks in holds no token, so it is shown by the worker, before it fetches anything."""
    fake, shown = world.add(REPO[world.kind]), list[list[str]]()

    def seen(*given: Any, **more: Any) -> Range:
        shown.append([title for _, _, title in fake.statuses])
        return fetched(*given, **more)

    queue.accept("d1", world.pushed(fake.name))
    drained([worker(queue, world, fetch=seen)])

    assert shown == [["waits to be reviewed"]]


@pytest.mark.parametrize("why", ["draft", "archived", "closed", "skip"])
def test_what_is_not_to_be_reviewed_now_is_left_alone(world: Forge, queue: Queue, why: str) -> None:
    """Whatever the delivery said: how the change stands now decides."""
    fake = world.add(REPO[world.kind])
    if why == "closed":
        fake.state = "closed"
    elif why == "skip":
        fake.labels = ["Hunkwise:  Skip"]
    else:
        setattr(fake, why, True)
    queue.accept("d1", world.pushed(fake.name))

    drained([worker(queue, world)])

    assert (summaries(fake), fake.statuses, queue.entries()) == ([], [], ())


@pytest.mark.parametrize("what", ["pushed", "closed"])
def test_a_running_review_is_stopped_when_it_is_not_wanted_any_more(
    world: Forge, queue: Queue, what: str
) -> None:
    fake, stopped = world.add(REPO[world.kind]), []

    def slow(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        if commits.head == head_of(1):
            if what == "pushed":
                fake.head = head_of(2)
                queue.accept("d2", world.pushed(fake.name, 2))
            else:
                fake.state = "closed"
                queue.accept("d2", Closed(world.change(fake.name)))
            while wanted():
                pass
            stopped.append(commits.head)
            raise NotReviewed("the review ended with killed by signal 15")
        return remarks(commits.head)

    queue.accept("d1", world.pushed(fake.name))
    drained([worker(queue, world, review=slow)])

    assert stopped == [head_of(1)]
    assert queue.entries() == ()
    assert is_up_to_date(fake) if what == "pushed" else summaries(fake) == []


def test_a_push_that_nobody_told_of_ends_what_is_shown_of_the_old_head(world: Forge, queue: Queue) -> None:
    fake = world.add(REPO[world.kind])

    def moved(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        fake.head = head_of(2)
        return remarks(commits.head)

    queue.accept("d1", world.pushed(fake.name))
    drained([worker(queue, world, review=moved)])

    assert is_up_to_date(fake)
    state, title = [(state, title) for head, state, title in fake.statuses if head == head_of(1)][-1]
    assert (state in ("success", "canceled"), title) == (True, "superseded")


def test_an_older_push_that_is_told_late_stops_nothing(world: Forge, queue: Queue) -> None:
    """Deliveries come in any order; the forge says which head is the newest."""
    fake, made = world.add(REPO[world.kind]), []
    fake.head = head_of(2)

    def late(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        queue.accept("d1", world.pushed(fake.name, 1))
        assert wanted()
        made.append(commits.head)
        return remarks(commits.head)

    queue.accept("d2", world.pushed(fake.name, 2))
    drained([worker(queue, world, review=late)])

    assert made == [head_of(2)]
    assert is_up_to_date(fake)


@pytest.mark.parametrize(("kind", "status"), [("github", 301), ("gitlab", 302), ("gitea", 307)])
def test_a_renamed_repository_is_found_by_its_new_name(queue: Queue, kind: ForgeName, status: int) -> None:
    """Forges send who asks for the old name to the new one; nothing is written by the old."""
    with forge(kind) as world:
        fake, old = world.add(REPO[kind]), REPO[kind].rpartition("/")[0] + "/old"

        def renamed(request: Request) -> Answer | None:
            escape = (lambda name: name.replace("/", "%2F")) if kind == "gitlab" else str
            if escape(old) not in request.path:
                return None
            assert request.method == "GET"
            place = request.path.replace(escape(old), escape(fake.name))
            return Answer(status, {"message": "Moved"}, {"Location": f"{world.url}{place}"})

        world.fault = renamed
        queue.accept("d1", world.pushed(old))

        drained([worker(queue, world)])

        assert is_up_to_date(fake)


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/api/v1/user", "//evil.example/api/v1/x", "/login", ""])
def test_a_forge_that_sends_us_elsewhere_is_not_followed(queue: Queue, place: str) -> None:
    with forge("gitea") as world:
        world.add("octo/repo")
        world.fault = lambda request: Answer(307, {}, {"Location": place} if place else {})
        queue.accept("d1", world.pushed("octo/repo"))

        drained([worker(queue, world)])

        (entry,) = queue.entries()
        assert "sends us elsewhere" in entry.reason
        assert {request.path for request in world.requests} == {"/api/v1/repos/octo/repo/pulls/7"}


def test_a_forge_that_fails_for_a_while_costs_no_review(world: Forge, queue: Queue) -> None:
    fake, failures = world.add(REPO[world.kind]), [0]

    def faulty(request: Request) -> Answer | None:
        failures[0] += 1
        return Answer(502, {"message": "bad gateway"}) if failures[0] % 7 == 0 else None

    world.fault = faulty
    queue.accept("d1", world.pushed(fake.name))

    drained([worker(queue, world)])

    assert is_up_to_date(fake)


def test_what_can_never_be_done_is_a_dead_letter_with_its_reason(world: Forge, queue: Queue) -> None:
    fake = world.add(REPO[world.kind])

    def huge(*_: object, **__: object) -> Range:
        raise TooLarge("the repository has more than 500,000 files")

    queue.accept("d1", world.pushed(fake.name))
    drained([worker(queue, world, fetch=huge)])

    (entry,) = queue.entries()
    assert (entry.state, entry.reason) == (State.DEAD, "the repository has more than 500,000 files")
    assert fake.statuses[-1][1] in ("error", "failed")
    assert "500,000 files" in fake.statuses[-1][2]


def test_a_bug_of_ours_ends_no_worker_and_is_told(world: Forge, queue: Queue) -> None:
    fake, said = world.add(REPO[world.kind]), list[str]()

    def broken(*_: object, **__: object) -> Range:
        raise ZeroDivisionError("oh")

    queue.accept("d1", world.pushed(fake.name))
    drained([worker(queue, world, fetch=broken, said=said)])

    (entry,) = queue.entries()
    assert entry.state is State.DEAD
    assert "ZeroDivisionError" in entry.reason
    assert sum("tried again" in line for line in said) == 2


def test_a_machine_that_fails_is_no_bug(queue: Queue) -> None:
    with forge("gitea") as world:
        world.add("octo/repo")

        def full(*_: object, **__: object) -> Range:
            raise OSError(28, "No space left on device")

        queue.accept("d1", world.pushed("octo/repo"))
        drained([worker(queue, world, fetch=full)])

        (entry,) = queue.entries()
        assert entry.reason == "this machine could not do it: [Errno 28] No space left on device"


def test_a_queue_out_of_reach_is_told_of_now_and_then(queue: Queue) -> None:
    class Gone:
        def claim(self, *, comments: bool = False) -> None:
            raise QueueError("Redis does not answer")

    with forge("gitea") as world:
        said, stopping = list[str](), threading.Event()
        one = worker(Gone(), world, said=said, stopping=stopping, pause=0.2)  # type: ignore[arg-type]
        threading.Timer(0.5, stopping.set).start()
        one.run(1)

        assert 2 <= len(said) <= 8
        assert set(said) == {"Redis does not answer"}


def test_a_worker_that_is_told_to_end_gives_its_job_back(world: Forge, queue: Queue) -> None:
    fake, stopping = world.add(REPO[world.kind]), threading.Event()

    def ended(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        stopping.set()
        assert not wanted()
        raise NotReviewed("killed")

    queue.accept("d1", world.pushed(fake.name))
    worker(queue, world, review=ended, stopping=stopping).step()

    (entry,) = queue.entries()
    assert (entry.state, entry.tries) == (State.WAITING, 0)
    drained([worker(queue, world)])
    assert is_up_to_date(fake)


def test_an_apps_token_writes_one_check_run_from_queued_to_done(queue: Queue) -> None:
    with forge("github") as world:
        fake = world.add("octo/repo")
        assert isinstance(fake, FakeGitHub)
        stages: list[str] = []

        def seen(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
            stages.extend(run["status"] for run in fake.check_runs)
            return reviewed(folder, commits, wanted)

        from dataclasses import replace

        from hunkwise.reviewer.bot.access import Keys

        class AppKeys(Keys):
            def _token(self, change: object, permissions: object) -> str:
                return "secret-token"

        one = worker(queue, world, review=seen)
        keys = AppKeys("github", world.url, app="1", key="k")
        one = replace(one, keys={"github": keys})
        for number in range(2):
            queue.accept(f"d{number}", world.pushed("octo/repo", again=True))
            drained([one])

        assert stages == ["in_progress", "completed", "in_progress"]
        assert [run["status"] for run in fake.check_runs] == ["completed"] * 2
        assert {run["external_id"] for run in fake.check_runs} == {
            "hunkwise-bot/7"
        }  # what a fork's button tells
        assert [run["output"]["annotations_count"] for run in fake.check_runs] == [2, 2]
        assert fake.statuses == []


def test_five_hundred_deliveries_make_one_review_for_each_change(open_queue: OpenQueue) -> None:
    """A tenth comes twice, in random order, while people push and two workers work."""
    chance = random.Random(16)
    with forge("github") as hub, forge("gitlab") as lab, forge("gitea") as tea:
        worlds = [hub, lab, tea]
        queue, said = open_queue(), list[str]()
        keys = {kind: key for world in worlds for kind, key in world.keys.items()}
        workers = [worker(open_queue(), hub, said=said, keys=keys) for _ in range(2)]
        fakes = [(world, world.add(f"o/r{number}")) for world in worlds for number in range(4)]
        deliveries = [
            (f"{world.kind}{fake.name}{number}", world, fake, number)
            for world, fake in fakes
            for number in range(1, 43)
        ]
        deliveries += chance.sample(deliveries, len(deliveries) // 10)
        chance.shuffle(deliveries)
        told = threading.Event()

        def deliver() -> None:
            for name, world, fake, number in deliveries:
                fake.head = max(fake.head, head_of(number))  # people pushed before the forge told of it
                queue.accept(name, world.pushed(fake.name, number))
            told.set()

        thread = threading.Thread(target=deliver)
        thread.start()
        while not told.is_set():
            drained(workers)
        thread.join()
        drained(workers)

        assert len(deliveries) > 500 - 1
        old = [(world.kind, fake.name) for world, fake in fakes if not is_up_to_date(fake)]
        ends = [{head: state for head, state, _ in fake.statuses}.values() for _, fake in fakes]
        assert (old, queue.entries(), said) == ([], (), [])
        assert not {"pending", "running"} & set(itertools.chain(*ends)), (
            "no commit is said to be reviewed yet"
        )


def test_gitea_shows_remarks_on_lines_that_it_shows(queue: Queue) -> None:
    with forge("gitea") as world:
        fake = world.add("octo/repo", largest_page=50)
        assert isinstance(fake, FakeGitea)
        queue.accept("d1", world.pushed("octo/repo"))
        drained([worker(queue, world)])

        assert sorted(one["position"] for one in fake.review_comments) == [2, 3]
        assert all("```suggestion" not in body for body in comments(fake))
