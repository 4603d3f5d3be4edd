"""A bot among fake forges: changes that people push to, and workers whose reviews are made up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.gitea import FakeGitea
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.reviews import PATCH, finding, review
from fakes.server import Answer, Request, serving

from hunkwise.engine import RetryPolicy
from hunkwise.reviewer.bot.access import Keys
from hunkwise.reviewer.bot.port import ChangeId, ForgeName, Pushed
from hunkwise.reviewer.bot.queue.port import Queue
from hunkwise.reviewer.bot.worker import Worker
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.types import Review

Fake = FakeGitHub | FakeGitLab | FakeGitea
KINDS: dict[ForgeName, type[Fake]] = {"github": FakeGitHub, "gitlab": FakeGitLab, "gitea": FakeGitea}
TOKEN = "secret-token"
REPO: dict[ForgeName, str] = {"github": "octo/repo", "gitlab": "group/sub/project", "gitea": "octo/repo"}


def head_of(number: int) -> str:
    """The head after so many pushes."""
    return f"{number:040x}"


@dataclass
class Forge:
    """A forge with a repository for each change; each is pull or merge request 7 of its own."""

    kind: ForgeName
    changes: dict[str, Fake] = field(default_factory=dict)
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    fault: Callable[[Request], Answer | None] | None = None

    def add(self, name: str, **more: Any) -> Fake:
        fake = KINDS[self.kind](PATCH, name=name, head=head_of(1), base="b" * 40, **more)
        fake.url = self.url
        self.changes[name] = fake
        return fake

    def handle(self, request: Request) -> Answer:
        if self.fault is not None and (answer := self.fault(request)) is not None:
            return answer
        for name, fake in self.changes.items():
            place = name.replace("/", "%2F") if self.kind == "gitlab" else name
            body = str(request.body)
            if f"/{place}/" in f"{request.path}/" or (
                request.path == "/graphql" and repr(name.partition("/")[2]) in body
            ):
                fake.requests.append(request)
                return fake.handle(request)
        return next(iter(self.changes.values())).handle(request)  # of the account

    def change(self, name: str) -> ChangeId:
        return ChangeId(self.kind, self.url, name, 7)

    def pushed(self, name: str, number: int = 1, **more: bool) -> Pushed:
        return Pushed(self.change(name), head_of(number), **more)

    @property
    def keys(self) -> Mapping[ForgeName, Keys]:
        api = f"{self.url}/api/v1" if self.kind == "gitea" else self.url
        return {self.kind: Keys(self.kind, api, TOKEN)}


@contextmanager
def forge(kind: ForgeName) -> Iterator[Forge]:
    world = Forge(kind)
    with serving(world):
        yield world


def remarks(head: str) -> Review:
    """A review of a head: one remark that stays, and one that names the head."""
    found = (finding("a.py", 2), finding("a.py", 3, title=f"Of {head[-4:]}"))
    return review(*found, base="b" * 40, head=head)


def fetched(url: str, head: str, target: str, into: Path, environ: Mapping[str, str], **_: Any) -> Range:
    """Fetch nothing."""
    return Range("b" * 40, head)


def reviewed(folder: Path, commits: Range, wanted: Callable[[], bool]) -> Review:
    """Find two remarks at once."""
    return remarks(commits.head)


def worker(queue: Queue, world: Forge, **more: Any) -> Worker:
    """A worker that waits for nothing."""
    given: dict[str, Any] = {
        "review": reviewed,
        "fetch": fetched,
        "policy": RetryPolicy(tries=3, sleep=lambda seconds: None),
        "look": 0.0,
        "pause": 0.0,
        "said": [],
        "keys": world.keys,
    } | more
    said = given.pop("said")
    return Worker(queue=queue, environ={}, say=said.append, **given)


def drained(workers: list[Worker]) -> None:
    """Let workers work side by side until nothing waits."""

    def work(one: Worker) -> None:
        while one.step():
            pass

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def comments(fake: Fake) -> list[str]:
    """Bodies of the remarks that stand in the diff and are not marked as outdated."""
    if isinstance(fake, FakeGitLab):
        notes = [one["notes"][0] for one in fake.discussions]
        bodies = [note["body"] for note in notes if note.get("position")]
    else:
        bodies = [one["body"] for one in fake.review_comments]
    return [body for body in bodies if "outdated=" not in body]


def summaries(fake: Fake) -> list[str]:
    if isinstance(fake, FakeGitLab):
        notes = [one["notes"][0] for one in fake.discussions]
        return [note["body"] for note in notes if not note.get("position")]
    return [one["body"] for one in fake.issue_comments]


def is_up_to_date(fake: Fake) -> bool:
    """Tell whether exactly one review stands there, and is of the newest head."""
    marked = [body for body in summaries(fake) if f"summary run={fake.head[:7]} -->" in body]
    titles = sorted("Of " in body for body in comments(fake))
    newest = [body for body in comments(fake) if f"Of {fake.head[-4:]}" in body]
    return len(summaries(fake)) == len(marked) == len(newest) == 1 and titles == [False, True]
