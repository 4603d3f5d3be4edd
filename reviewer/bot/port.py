"""What the bot is told and what it keeps to do, in plain values; forges' own forms end in `hooks/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ForgeName = Literal["github", "gitlab", "gitea"]


@dataclass(frozen=True, slots=True)
class ChangeId:
    """A pull or merge request, anywhere. `host` is its forge's web address without a path: `https://github.com`."""

    forge: ForgeName
    host: str
    repository: str  # owner/name, group/sub/name
    number: int
    installation: int = 0  # of a GitHub App

    def __str__(self) -> str:
        """Name it as people do."""
        mark = "!" if self.forge == "gitlab" else "#"
        return f"{self.repository}{mark}{self.number}"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A change has a new head, or wants its review anew (`again`: somebody asked, though the head is the same).

    `full`: all of it is to be read anew, and nothing that is known of it counts.
    """

    change: ChangeId
    head: str  # commit id, hex
    again: bool = False
    full: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """A change was closed, merged, or is not to be reviewed any more."""

    change: ChangeId


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote. `reply_to` is the first comment of its thread.

    `trusted`: may write to the repository.
    """

    id: int
    author: str
    body: str
    trusted: bool
    by_bot: bool = False
    reply_to: int | None = None
    path: str = ""
    line: int = 0
    thread: str = ""  # what GitLab calls a discussion


@dataclass(frozen=True, slots=True)
class Commented:
    """Somebody wrote a comment on a change."""

    change: ChangeId
    comment: Comment
    author: str = ""  # of the change
    head: str = ""


Event = Pushed | Closed | Commented
