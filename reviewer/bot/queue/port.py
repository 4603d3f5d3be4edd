"""The queue as the bot sees it: what is taken in, what a worker is handed, and what people may look at.

A job is "see that the newest head of this change is reviewed", or "answer this comment". There is one for each
change and comment; what comes while it waits or runs changes what it wants, and its generation. A job is handed
out at least once: who takes it holds a lease and renews it, and after a crash the next one takes over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol

from hunkwise.reviewer.bot.port import ChangeId, Closed, Commented, Event, Pushed
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.text.checked_json import Form, FormError, read_as

SEEN_FOR = 3 * 86400  # seconds that a delivery is remembered; forges deliver again for as long
DONE_FOR = 30 * 86400  # seconds that the head of a finished review is remembered
MOST_TRIES = 3  # of a job whose worker dies or fails; then it is a dead letter
MOST_NEWS = 10_000  # that are kept until somebody asks for them
AGAIN, FULL = 1, 2  # what may be asked for: a review of the same head, or one that nothing known is used for
COMMENT = 2  # how urgent one is
LEASE = 60.0  # seconds without renewal after which a job is anybody's
_KINDS: dict[str, type[Event]] = {"pushed": Pushed, "closed": Closed, "commented": Commented}


class QueueError(ReviewError):
    """The queue can't be read or written; nothing was taken in."""


class State(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Lease:
    """A job as a worker was handed it. `ticket` is the right to it; `tries` counts this one.

    `asked` is the most that was asked for, as `asked_by` says it.
    """

    key: str
    event: Event
    generation: int
    asked: int
    tries: int
    ticket: str

    @property
    def again(self) -> bool:
        """Whether a review is wanted even of a head that was reviewed."""
        return self.asked >= AGAIN

    @property
    def full(self) -> bool:
        """Whether all of the change is to be read anew."""
        return self.asked >= FULL


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as it is shown; `since` is in seconds since 1970, `event` as `written` gave it."""

    key: str
    state: State
    event: str
    high: bool
    tries: int
    since: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What happened to a job: "waited" so many seconds until it was handed out, or how it ended.

    It ended as "done", "superseded" or "dead", or "failed" and is tried again.
    """

    what: str
    seconds: float = 0.0


class Inbox(Protocol):
    """Where webhooks put what they read."""

    def accept(self, delivery: str, event: Event) -> bool:
        """Take an event in, all of it or nothing; False if the delivery was taken in before. Raises QueueError."""
        ...


class Work(Protocol):
    """What a worker asks for. All of it raises QueueError."""

    def claim(self, *, comments: bool = False) -> Lease | None:
        """Hand out a job: one whose worker is gone, else the next: urgent ones first, repositories by turns.

        `comments`: the next comment, and nothing else.
        """
        ...

    def renew(self, lease: Lease) -> bool:
        """Hold on to a job; False if it is not ours any more."""
        ...

    def wanted(self, lease: Lease) -> Lease | None:
        """Say what the job wants by now; None if it is not ours any more."""
        ...

    def done(self, lease: Lease, head: str = "", *, superseded: bool = False) -> bool:
        """End a job as of the lease's generation; if it wants more by now it waits again.

        `head` is what was reviewed; `superseded`: nothing was. False if the job is not ours any more.
        """
        ...

    def fail(self, lease: Lease, reason: str) -> None:
        """Note why a job failed; it is tried again when the lease has run out, `MOST_TRIES` times in all."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a job back as if it had not been handed out."""
        ...

    def bury(self, lease: Lease, reason: str) -> None:
        """Make a job a dead letter at once."""
        ...

    def keep(self, change: ChangeId, report: bytes) -> None:
        """Keep the report of a change's last review for as long as it is known that it was reviewed."""
        ...

    def kept(self, change: ChangeId) -> bytes:
        """Give the report of the change's last review, nothing if none is known."""
        ...

    def count(self, key: str, seconds: int) -> int:
        """Count one more, and give how many there were since the first of these `seconds`."""
        ...

    def reviewed(self, change: ChangeId) -> str:
        """Give the head of the change's last finished review, "" if none is known."""
        ...


class Desk(Protocol):
    """What people may see and do."""

    def entries(self) -> tuple[Entry, ...]:
        """List all jobs, the oldest first."""
        ...

    def depths(self) -> Mapping[State, int]:
        """Count jobs by where they are."""
        ...

    def news(self) -> tuple[News, ...]:
        """Give what happened since somebody asked, each once, whoever asks."""
        ...

    def retry(self, key: str) -> bool:
        """Let a dead job wait again; False if there is none."""
        ...

    def drop(self, key: str) -> bool:
        """Forget a job, running or not; False if there is none."""
        ...


class Queue(Inbox, Work, Desk, Protocol):
    """All of it."""

    def close(self) -> None:
        """Release what it holds."""
        ...


def key_of(event: Event) -> str:
    """Name the job of an event: that of its change, or that of one comment."""
    key = f"{event.change.host}/{event.change}"
    return f"{key}/comments/{event.comment.id}" if isinstance(event, Commented) else key


def urgency(event: Event) -> int:
    """Tell comments (`COMMENT`) from reviews that people asked for (1) and all others (0)."""
    return COMMENT if isinstance(event, Commented) else min(asked_by(event), 1)


def asked_by(event: Event) -> int:
    """Tell what an event asks for: 0, AGAIN or FULL."""
    if not isinstance(event, Pushed):
        return 0
    return FULL if event.full else int(event.again)


def repository_of(event: Event) -> str:
    """Name what takes turns."""
    return f"{event.change.host}/{event.change.repository}"


def written(event: Event) -> str:
    """Write an event as JSON."""
    kind = next(name for name, one in _KINDS.items() if type(event) is one)
    return json.dumps({"kind": kind, "event": asdict(event)})


def read_event(text: str) -> Event:
    """Read what `written` wrote. Raises QueueError."""
    try:
        value = json.loads(text)
        return read_as(Form(partial=True), _KINDS[value["kind"]], value["event"], "event")
    except (ValueError, KeyError, TypeError, FormError) as error:
        raise QueueError(f"the queue holds a job that this version can't read: {error}") from None
