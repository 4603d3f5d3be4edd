"""`/ask`: what of a change and its repository is read, by whom, and what becomes of an answer."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botworld import TOKEN, Forge, drained, forge, worker
from fakes.gitea import FakeGitea
from gits import git, save

from hunkwise.engine import Engine, ScriptedEngine
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.answering.types import Answer, Quote, Sentence
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs import child
from hunkwise.reviewer.app.telling import ask
from hunkwise.reviewer.bot import asking
from hunkwise.reviewer.bot.asked import EVENTS, Asked, answer_in, found, is_inside
from hunkwise.reviewer.bot.asking import Asking
from hunkwise.reviewer.bot.fetching import Fetching
from hunkwise.reviewer.bot.port import Comment, Commented
from hunkwise.reviewer.bot.queue.port import State
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue
from hunkwise.reviewer.bot.talking import Talking
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.knowledge.port import Hit, Passage
from hunkwise.reviewer.source.ci import is_foreign, repository_name
from hunkwise.reviewer.source.clone import fetch_change

DIFF = """\
diff --git a/pool.py b/pool.py
--- a/pool.py
+++ b/pool.py
@@ -9,3 +9,3 @@ class Pool:
 def lease(self):
-    wait = 3
+    wait_seconds = 30
     return wait
diff --git a/readme.txt b/readme.txt
--- a/readme.txt
+++ b/readme.txt
@@ -1 +1 @@
-Old
+New
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""
CHANGE = parse_diff(DIFF.encode())


def test_hunks_are_passages_with_true_lines() -> None:
    """The one that shares words with the question comes first; removed lines are in none."""
    best, other = (hit.passage for hit in found(CHANGE, "How many seconds does lease wait?"))

    assert (best.path, best.start, best.end) == ("pool.py", 9, 11)
    assert best.text == "def lease(self):\n    wait_seconds = 30\n    return wait"
    assert other.path == "readme.txt"


def test_a_long_hunk_comes_in_parts() -> None:
    """Each part knows its own lines, and there are not too many."""
    body = "".join(f"+line {number}\n" for number in range(1, 1001))
    head = (
        "diff --git a/l.txt b/l.txt\nnew file mode 100644\n--- /dev/null\n+++ b/l.txt\n@@ -0,0 +1,1000 @@\n"
    )
    hits = found(parse_diff((head + body).encode()), "What is on line 990?")

    assert len(hits) == 8
    assert all(hit.passage.text.split("\n")[0] == f"line {hit.passage.start}" for hit in hits)
    assert hits[0].passage.start <= 990 <= hits[0].passage.end


class Repository:
    """A change of one file in a repository that has others, one of them a secret and one a link elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git(folder, "init", "-q", "-b", "main", ".")
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            git(folder, "config", name, "true")
        (folder / "link.md").symlink_to("/etc/hostname")
        (folder / "guide.md").write_text(
            "# Pools\n\nA pool keeps its leases for a fortnight of quiet days.\n"
        )
        (folder / ".env").write_text("FORTNIGHT_KEY=quiet\n")
        self.base = save(folder, "first", **{"pool.py": "def lease(self):\n    wait = 3\n    return wait\n"})
        git(folder, "switch", "-q", "-c", "topic")
        (folder / ".hunkwise.toml").write_text('language = "no language at all"\n')
        self.head = save(
            folder, "more", **{"pool.py": "def lease(self):\n    wait_seconds = 30\n    return wait\n"}
        )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


def asked_of(repository: Repository, folder: Path, question: str, issue: str = "") -> Environment:
    """Leave a question for the child, as the worker does."""
    git(folder, "clone", "-q", str(repository.folder), "change")
    Asked(question, repository.base, repository.head, issue).write(folder)
    return Environment({"PATH": os.environ["PATH"], "HOME": str(folder)}, folder, lambda said: None)


def events(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / EVENTS).read_text().splitlines()]


def test_the_whole_repository_is_read(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hunks, the issue and files that the change does not touch; no secret, and nothing behind a link."""
    seen: list[Passage] = []

    def answer(question: str, hits: Sequence[Hit], engine: Engine, *, heard: Any, **_: Any) -> Answer:
        seen.extend(hit.passage for hit in hits)
        made = Sentence("A fortnight.", Quote("guide.md", 3, 3, "a fortnight"))
        heard(made)
        return Answer(question, "answered", (), (made,), model="m")

    monkeypatch.setattr(ask, "answer", answer)
    issue = json.dumps({"number": 12, "title": "Leases of a fortnight end early", "body": "quiet"})
    environment = asked_of(repository, tmp_path, "Which leases wait a fortnight of quiet seconds?", issue)

    answer_in(tmp_path, environment, ScriptedEngine, "English")

    assert {passage.path for passage in seen} == {"issue #12", "pool.py", "guide.md"}
    assert sorted(path.name for path in (tmp_path / "files").rglob("*")) == [
        ".hunkwise.toml",
        "guide.md",
        "pool.py",
    ]
    first, last = events(tmp_path)
    assert (first["sentence"]["text"], first["sentence"]["path"]) == ("A fortnight.", "guide.md")
    assert (last["answer"]["verdict"], last["answer"]["model"]) == ("answered", "m")


def test_without_a_model_there_are_passages(repository: Repository, tmp_path: Path) -> None:
    """Whether none is wanted, or the one that is can't be had."""

    def gone() -> Engine:
        raise EngineError("no such model")

    for number, engine in enumerate([None, gone]):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = asked_of(repository, folder, "What does a pool keep for a fortnight?")
        answer_in(folder, environment, engine, "English")
        (event,) = events(folder)
        assert event["answer"]["verdict"] == "passages only"
        paths = [one["path"] for one in event["answer"]["passages"]]
        assert sorted(paths) == ["guide.md", "pool.py"], "the hunk, and not its lines once more"


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".git/config", "a/.git/hooks/x", "a\0b"])
def test_a_tree_writes_nothing_elsewhere(path: str) -> None:
    assert not is_inside(path)
    assert is_inside("a/b.c..d/.github/x")


@pytest.fixture
def world(repository: Repository, tmp_path: Path) -> Iterator[tuple[Forge, FakeGitea, SqliteQueue]]:
    with forge("gitea") as made:
        fake = made.add("octo/repo")
        assert isinstance(fake, FakeGitea)
        fake.base, fake.head = repository.base, repository.head
        fake.writers.add("ada")
        queue = SqliteQueue(tmp_path / "q", lease=0)
        question = Comment(5, "ada", "/ask What does a pool keep for a fortnight?", trusted=False)
        queue.accept("d1", Commented(made.change("octo/repo"), question))
        yield made, fake, queue
        queue.close()


def local(repository: Repository) -> Any:
    return lambda url, *rest, **more: fetch_change(f"file://{repository.folder}", *rest, **more)


def test_a_question_is_answered_by_a_child_without_tokens(
    repository: Repository,
    world: tuple[Forge, FakeGitea, SqliteQueue],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the comment to the answer with the real child; HUNKWISE_ENGINE reaches it as the flag would."""
    forge, fake, queue = world
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    secrets = {
        "HUNKWISE_GITEA_TOKEN": TOKEN,
        "HUNKWISE_ENGINE": "http://127.0.0.1:9",
        "HUNKWISE_OFFLINE": "1",
    }
    given: list[Any] = []

    def supervise(argv: Any, *rest: Any, **more: Any) -> Any:
        given.append(more["environ"])
        return child.supervise(argv, *rest, **more)

    monkeypatch.setattr(asking, "supervise", supervise)
    one = Asking(Fetching(forge.keys, {**environ, **secrets}, tmp_path, fetch=local(repository)))

    drained([worker(queue, forge, talk=Talking(asking=one))])

    (answer,) = [note["body"] for note in fake.issue_comments]
    assert "No model was asked" in answer
    assert "`guide.md:1`" in answer
    assert "```\n# Pools" in answer
    assert (given[0]["HUNKWISE_ENGINE"], TOKEN in given[0].values()) == ("http://127.0.0.1:9", False)
    assert (repository_name(given[0]), is_foreign(given[0])) == (f"file://{repository.folder}", True)
    assert list(tmp_path.glob("hunkwise-*")) == []


def test_a_worker_that_ends_leaves_the_question_to_another(
    repository: Repository, world: tuple[Forge, FakeGitea, SqliteQueue], tmp_path: Path
) -> None:
    forge, fake, queue = world
    stopping = threading.Event()

    def fetched(*given: Any, **more: Any) -> Any:
        commits = fetch_change(f"file://{repository.folder}", *given[1:], **more)
        stopping.set()
        return commits

    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    one = Asking(Fetching(forge.keys, environ, tmp_path, stopping, fetched))

    worker(queue, forge, talk=Talking(asking=one)).step()

    assert fake.issue_comments == []
    assert [(entry.state, entry.tries) for entry in queue.entries()] == [(State.WAITING, 0)]


@pytest.mark.parametrize("reachable", [True, False])
def test_a_change_is_described_with_its_whole_files(
    repository: Repository, world: tuple[Forge, FakeGitea, SqliteQueue], tmp_path: Path, reachable: bool
) -> None:
    """So that what is in it has its names; where git can't fetch it, the forge's diff has to do."""
    forge, fake, _ = world
    fake.patch = git(repository.folder, "diff", "-U0", repository.base, repository.head) + "\n"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    fetch = local(repository) if reachable else fetch_change  # the fake has no git
    fetching = Fetching(forge.keys, environ, tmp_path, fetch=fetch)
    queue = SqliteQueue(tmp_path / "other")
    queue.accept("d1", Commented(forge.change("octo/repo"), Comment(6, "ada", "/describe", trusted=False)))

    drained([worker(queue, forge, talk=Talking(read=fetching.change))])

    (answer,) = [note["body"] for note in fake.issue_comments]
    assert "pool.py" in answer
    assert ("`lease`" in answer) == reachable
    queue.close()
