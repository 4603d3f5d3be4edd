"""What a forge gives and takes, in plain values: two small ports, and the words between them and the plan.

ForgeError
├── Refused       the forge understood and said no (422, 400): the same request will be refused again
├── NotAllowed    the token may not do this (401, 403, or the 404 that hides a 403)
├── StaleHead     the pull request has moved on since the review
└── Unavailable   no answer, or none that counts (5xx, timeout, rate limit): it may or may not have been done
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.types import Change, FileDiff, Line

Verb = Literal["POST", "PATCH", "PUT", "DELETE"]


class Refused(ForgeError):
    """The forge refused the content; repeating it is of no use."""


class NotAllowed(ForgeError):
    """The token may not do this."""


class StaleHead(ForgeError):
    """The pull request's head is not the commit that was reviewed."""


class Unavailable(ForgeError):
    """The forge did not answer, or not finally. `wait` is in seconds, where the forge named a time."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@contextmanager
def understood(forge: str) -> Iterator[None]:
    """Raise ForgeError where an answer lacks a field or has another form: a proxy's page, an old server."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ForgeError(
            f"{forge} answered in a form we don't know ({reason}); is the address that of its API?"
        ) from error


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A pull or merge request as it stands. `change` is the forge's own diff; commits are full hex ids.

    `start` is GitLab's third commit, the tip of the target branch at the time; "" on GitHub.
    """

    title: str
    base: str
    head: str
    change: Change
    start: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person wrote below a comment of ours. `trusted`: may write to the repository, if known."""

    author: str
    body: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class OwnComment:
    """A comment of ours that carries a finding's marker.

    `id` is the forge's, `thread` what its thread is addressed by. `resolved_by` is the person who resolved
    the thread ("somebody" if unknown), never ourselves. `hidden` is None where the forge does not say.
    """

    id: str
    thread: str
    path: str
    body: str
    resolved_by: str | None = None
    hidden: bool | None = None
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnNote:
    """A comment of ours without a place in the diff: a summary, or a draft that was never published."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Existing:
    """What is there already and is ours, oldest first.

    `foreign_drafts`: drafts can't be used, since the account has a person's drafts too, or GitLab has none.
    """

    comments: tuple[OwnComment, ...] = ()
    summaries: tuple[OwnNote, ...] = ()
    drafts: tuple[OwnNote, ...] = ()
    foreign_drafts: bool = False


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment to post on new-side `lines` of one hunk of `file`; without lines, on the whole file."""

    fingerprint: str
    body: str
    file: FileDiff
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class PostReview:
    """Post comments as one review.

    `one_by_one`: the account has a person's drafts, which publishing all drafts at once would publish too.
    """

    comments: tuple[NewComment, ...]
    one_by_one: bool = False


@dataclass(frozen=True, slots=True)
class PostSummary:
    """Post the summary, which is not there yet."""

    body: str


@dataclass(frozen=True, slots=True)
class EditSummary:
    """Rewrite the summary in place."""

    note: OwnNote
    body: str


@dataclass(frozen=True, slots=True)
class EditComment:
    """Rewrite a comment in place."""

    comment: OwnComment
    body: str


@dataclass(frozen=True, slots=True)
class HideComment:
    """Fold an outdated comment away: minimised on GitHub, resolved on GitLab."""

    comment: OwnComment


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Delete a draft an earlier run left behind."""

    note: OwnNote


@dataclass(frozen=True, slots=True)
class DropSummary:
    """Delete a second summary, which two posters at once have made."""

    note: OwnNote


Action = PostReview | PostSummary | EditSummary | EditComment | HideComment | DropDraft | DropSummary


@dataclass(frozen=True, slots=True)
class Call:
    """One writing request. `path` starts with "/" and is relative to the API's base address.

    `carries` are the fingerprints of the comments in it: those the forge may have refused.
    """

    verb: Verb
    path: str
    body: Mapping[str, Any] | None = None
    carries: tuple[str, ...] = ()


class ChangeSource(Protocol):
    """Where a change comes from."""

    def fetch(self) -> ChangeRequest:
        """Read the request and its diff as they stand now. Raises ForgeError."""
        ...


class ReviewSink(Protocol):
    """Where a review goes to."""

    def existing(self) -> Existing:
        """Read what we posted before, and how people answered. Raises ForgeError."""
        ...

    def calls(self, action: Action, request: ChangeRequest) -> tuple[Call, ...]:
        """Write an action as requests, without sending any."""
        ...

    def send(self, call: Call) -> None:
        """Send one request, once. Raises Refused, NotAllowed or Unavailable."""
        ...
