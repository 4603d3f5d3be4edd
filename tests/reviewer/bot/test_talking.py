"""Comments at the three forges: a reaction, one answer, and nothing for strangers, bots and ourselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botworld import Forge, drained, forge, is_up_to_date, remarks, summaries, worker
from fakes.gitea import FakeGitea
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab

from hunkwise.reviewer.bot.commands.answers import Answered
from hunkwise.reviewer.bot.commands.conversation import MARK
from hunkwise.reviewer.bot.port import Closed, Comment, Commented, ForgeName, Pushed
from hunkwise.reviewer.bot.queue.port import Queue
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.bot.talking import Talking, is_for_us
from hunkwise.reviewer.bot.worker import Worker
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.types import Review

REPO = {"github": "octo/repo", "gitlab": "group/sub/project", "gitea": "octo/repo"}
Fake = FakeGitHub | FakeGitLab | FakeGitea


@pytest.fixture(params=["github", "gitlab", "gitea"])
def world(request: pytest.FixtureRequest) -> Iterator[Forge]:
    kind: ForgeName = request.param
    with forge(kind) as made:
        made.add(REPO[kind])
        yield made


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = SqliteQueue(tmp_path / "q")
    yield made
    made.close()


def fake_of(world: Forge) -> Fake:
    return world.changes[REPO[world.kind]]


def said(world: Forge, body: str, author: str = "ada", **more: Any) -> Commented:
    """A comment that stands at the forge."""
    fake = fake_of(world)
    if isinstance(fake, FakeGitLab):
        thread = fake.say(author, body)
        more = {"thread": thread, **more}
    return Commented(
        world.change(fake.name), Comment(77, author, body, trusted=False, **more), head=fake.head
    )


def answers(fake: Fake) -> list[str]:
    """All that we answered, wherever it stands."""
    if isinstance(fake, FakeGitLab):
        bodies = [note["body"] for one in fake.discussions for note in one["notes"]]
    else:
        bodies = [one["body"] for one in (*fake.issue_comments, *fake.review_comments)]
    return [body for body in bodies if MARK in body]


def test_a_writer_is_answered_once_and_sees_that_he_was_heard(world: Forge, queue: Queue) -> None:
    fake = fake_of(world)
    fake.writers.add("ada")
    queue.accept("d1", said(world, "/review"))

    drained([worker(queue, world, talk=Talking())])

    assert fake.reactions == [("77", "eyes")]
    assert [body for body in answers(fake) if "reviewed again" in body] == answers(fake)
    assert len(answers(fake)) == 1
    kept = [body for body in summaries(fake) if body not in answers(fake) and body != "/review"]
    assert len(kept) == 1
    assert f"run={fake.head[:7]}" in kept[0]


@pytest.mark.parametrize(
    ("author", "more"), [("stranger", {}), ("bot", {"by_bot": True}), ("hunkwise[bot]", {"trusted": True})]
)
def test_strangers_bots_and_ourselves_are_passed_over(
    world: Forge, queue: Queue, author: str, more: dict[str, Any]
) -> None:
    fake = fake_of(world)
    heard = said(world, "/review", author)
    queue.accept("d1", replace(heard, comment=replace(heard.comment, **more)))

    drained([worker(queue, world, talk=Talking())])

    assert (fake.reactions, answers(fake), fake.statuses) == ([], [], [])


def test_a_remark_is_explained_where_it_stands(world: Forge, queue: Queue) -> None:
    """The reply is known to be to a remark by the mark of our own comment."""
    fake = fake_of(world)
    fake.writers.add("ada")
    queue.accept("d1", world.pushed(fake.name))
    one = worker(queue, world, talk=Talking())
    drained([one])
    assert is_up_to_date(fake)
    if isinstance(fake, FakeGitLab):
        thread = next(one["id"] for one in fake.discussions if one["notes"][0].get("position"))
        place: dict[str, Any] = {"thread": thread, "path": "a.py"}
    else:
        place = {"reply_to": fake.review_comments[0]["id"], "path": "a.py"}

    queue.accept(
        "d2", Commented(world.change(fake.name), Comment(5, "ada", "/explain", trusted=False, **place))
    )
    drained([one])

    (answer,) = answers(fake)
    assert "Wrong value" in answer or "Of " in answer


@pytest.mark.parametrize("may", [True, False])
def test_a_thread_of_ours_is_resolved_where_the_forge_lets_us(world: Forge, queue: Queue, may: bool) -> None:
    """GitHub lets who may write code, GitLab whom it likes, Gitea nobody over its API."""
    fake = fake_of(world)
    fake.writers.add("ada")
    queue.accept("d1", world.pushed(fake.name))
    one = worker(queue, world, talk=Talking())
    drained([one])
    place: dict[str, Any] = {"path": "a.py"}
    if isinstance(fake, FakeGitLab):
        fake.accounts["secret-token"].resolves = may
        thread = next(one for one in fake.discussions if one["notes"][0].get("position"))
        place["thread"] = thread["id"]
    else:
        place["reply_to"] = fake.review_comments[0]["id"]
    if isinstance(fake, FakeGitHub):
        fake.accounts["secret-token"].writes_code = may

    for number in range(2):
        said = Comment(5 + number, "ada", "/resolve", trusted=False, **place)
        queue.accept(f"c{number}", Commented(world.change(fake.name), said))
        drained([one])

    first, second = answers(fake)
    resolved = {
        "github": isinstance(fake, FakeGitHub) and bool(fake.resolved),
        "gitlab": isinstance(fake, FakeGitLab) and bool(thread["notes"][0]["resolved"]),
        "gitea": False,
    }[world.kind]
    assert resolved == (may and world.kind != "gitea")
    if resolved:
        assert first.startswith("Resolved.")
        assert "still open" in second
    else:
        wanted = {"github": "contents: write", "gitlab": "403", "gitea": "press the button"}
        assert wanted[world.kind] in first


@pytest.mark.parametrize("why", ["draft", "label", "closed", "archived"])
def test_a_review_that_is_asked_for_is_made_or_it_is_said_why_not(
    world: Forge, queue: Queue, why: str
) -> None:
    fake = fake_of(world)
    fake.writers.add("ada")
    if why == "closed":
        fake.state = "closed"
    elif why == "label":
        fake.labels = ["hunkwise: skip"]
    else:
        setattr(fake, why, True)
    queue.accept("d1", said(world, "/review"))

    drained([worker(queue, world, talk=Talking())])

    (answer,) = answers(fake)
    wanted = {
        "draft": "is reviewed again",
        "label": "the label",
        "closed": "is closed",
        "archived": "archived",
    }
    assert wanted[why] in answer
    assert bool(fake.statuses) == (why == "draft")
    assert queue.entries() == ()


def test_a_draft_that_is_made_one_ends_the_review_that_was_asked_for(world: Forge, queue: Queue) -> None:
    fake, ended = fake_of(world), list[str]()

    def long(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        assert wanted()
        fake.draft = True
        queue.accept("d2", Closed(world.change(fake.name)))
        assert not wanted()
        ended.append(commits.head)
        return remarks(commits.head)

    queue.accept("d1", world.pushed(fake.name, again=True))
    drained([worker(queue, world, review=long)])

    assert ended == [fake.head]
    assert not any("### Review of" in body for body in summaries(fake))


@pytest.mark.parametrize("trusted", [True, False])
def test_gitea_tells_with_a_comment_who_may_write(queue: Queue, trusted: bool) -> None:
    """It answers nobody but administrators of the repository who asks for it later."""
    with forge("gitea") as world:
        fake = world.add("octo/repo", administers=False, writers={"ada"})
        queue.accept("d1", Commented(world.change("octo/repo"), Comment(5, "ada", "/help", trusted=trusted)))

        drained([worker(queue, world, talk=Talking())])

        assert len(answers(fake)) == int(trusted)
        assert queue.entries() == ()


def test_a_command_waits_for_no_review(world: Forge, queue: Queue) -> None:
    """Though all that review are at it."""
    fake, reviewing, answered, stopping = fake_of(world), *(threading.Event() for _ in range(3))
    fake.writers.add("ada")

    def long(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
        reviewing.set()
        assert answered.wait(30)
        return remarks(commits.head)

    one = worker(queue, world, review=long, talk=Talking(), stopping=stopping)
    thread = threading.Thread(target=one.run, args=(1,))
    queue.accept("d1", world.pushed(fake.name))
    thread.start()
    assert reviewing.wait(30)
    queue.accept("d2", said(world, "/help"))
    while not answers(fake) and thread.is_alive():
        time.sleep(0.01)
    answered.set()
    while queue.entries():
        time.sleep(0.01)
    stopping.set()
    thread.join()

    assert len(answers(fake)) == 1
    assert any("### Review of" in body for body in summaries(fake))


class Dies(Exception):
    """The worker was killed."""


@pytest.mark.parametrize("when", ["before it is done", "while it grows"])
def test_who_is_killed_after_answering_answers_once(
    world: Forge, queue: Queue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    """The next worker finds the answer by its mark, and goes on in it if it is not whole."""
    fake, others = fake_of(world), "/describe is what I would ask for\n\n<!-- hunkwise:v1 answer to=77 -->"
    fake.writers.add("ada")
    heard = said(world, "/ask why?")
    if isinstance(fake, FakeGitLab):
        fake.reply(heard.comment.thread, "eve", others)
    else:
        made = {"id": 3, "user": {"login": "eve"}, "body": others}
        fake.issue_comments.append(made)
    asked = list[str]()

    def ask(change: object, desk: object, question: str, told: Callable[[str], None]) -> Answered:
        asked.append(question)
        told("It is")
        if when == "while it grows" and len(asked) == 1:
            raise Dies
        return Answered("It is so.")

    def dies(*_: object, **__: object) -> bool:
        raise Dies

    queue.accept("d1", heard)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteQueue, "done", dies)
        patched.setattr(Worker, "_failed", dies)
        with pytest.raises(Dies):
            worker(queue, world, talk=Talking(asking=ask)).step()
    later = SqliteQueue(tmp_path / "q", lease=0)
    drained([worker(later, world, talk=Talking(asking=ask))])

    (answer,) = [body for body in answers(fake) if body != others]
    assert "It is so." in answer
    assert answer.endswith("<!-- hunkwise:v1 answer to=77 -->")
    assert len(asked) == (2 if when == "while it grows" else 1)
    assert later.entries() == ()
    later.close()


def test_a_change_is_described_without_a_model(queue: Queue) -> None:
    with forge("gitea") as world:
        fake = world.add("octo/repo")
        fake.writers.add("ada")
        queue.accept(
            "d1", Commented(world.change("octo/repo"), Comment(5, "ada", "@hunkwise describe", trusted=False))
        )

        drained([worker(queue, world, talk=Talking())])

        (answer,) = answers(fake)
        assert "a.py" in answer


def test_only_comments_that_give_a_command_make_a_job() -> None:
    change = Forge("github", url="https://github.com").change("octo/repo")

    def asks(body: str, author: str = "ada") -> bool:
        return is_for_us(Commented(change, Comment(1, author, body, trusted=True)), "hunkwise")

    assert is_for_us(Pushed(change, "a" * 40), "hunkwise")
    assert asks("/review")
    assert not asks("nice work")
    assert not asks("> /review")
    assert not asks("/review", "hunkwise[bot]")
