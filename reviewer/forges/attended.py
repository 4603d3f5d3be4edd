"""What a bot needs of a request beside reading and posting: how it stands, where to show progress, and talk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hunkwise.reviewer.forges.port import IssueSource, Request
from hunkwise.reviewer.publish.port import OwnComment, OwnNote
from hunkwise.reviewer.types import Review


@dataclass(frozen=True, slots=True)
class Standing:
    """How a request stands now.

    `project` is the repository's name as it is now; it has both commits, a fork's head too. `target` is the commit
    that the target branch is at.
    """

    project: str
    head: str
    target: str
    open: bool
    draft: bool
    archived: bool
    labels: frozenset[str]


class Stage(StrEnum):
    """How far a review is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    LEFT = "left"  # not reviewed, as it should be: superseded, closed
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is shown at a commit: a line, and more where there is room."""

    stage: Stage
    title: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A comment that is answered.

    `on_code`: it sits in the diff. `thread` is GitLab's discussion; `root` the comment that a thread begins with,
    where that is known.
    """

    id: int
    thread: str = ""
    on_code: bool = False
    root: int = 0


class Attended(Request, IssueSource, Protocol):
    """A request that a bot attends to. All of it raises ForgeError."""

    def standing(self) -> Standing:
        """Say how the request stands."""
        ...

    def show(self, head: str, progress: Progress, review: Review | None = None) -> None:
        """Show at a commit how far its review is; `review` where it is done."""
        ...

    def may_write(self, user: str) -> bool:
        """Tell whether an account may write to the repository."""
        ...

    def answer(self, heard: Heard, body: str) -> str:
        """Answer a comment, and name the answer."""
        ...

    def answers(self, heard: Heard) -> Iterable[OwnNote]:
        """List our own words wherever an answer to a comment may stand."""
        ...

    def edit(self, heard: Heard, note: str, body: str) -> None:
        """Rewrite an answer."""
        ...

    def resolve(self, own: OwnComment) -> None:
        """Resolve the thread that a comment of ours begins. Raises NotAllowed where that can't be done."""
        ...

    def react(self, heard: Heard) -> None:
        """Show that a comment was seen."""
        ...
