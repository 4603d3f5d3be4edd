"""Brings a pull request to the state a review asks for: read, plan, do the next step, and read again.

Nothing is remembered between runs. A request whose outcome is unknown is not repeated: the state is read
anew, and the marker shows whether it was done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hunkwise.engine import RetryPolicy, with_retries
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.publish.comment import Dialect
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.plan import Kind, plan
from hunkwise.reviewer.publish.port import (
    Action,
    Call,
    ChangeRequest,
    ChangeSource,
    EditSummary,
    Existing,
    NotAllowed,
    OwnComment,
    PostReview,
    PostSummary,
    Refused,
    ReviewSink,
    StaleHead,
    Unavailable,
)
from hunkwise.reviewer.publish.summary import Counts
from hunkwise.reviewer.types import Review

_MOST_ROUNDS = 300  # each posts something or learns something; more means that the forge does not keep it


def check_head(review: Review, request: ChangeRequest, so: str = "nothing was posted") -> None:
    """Raise StaleHead unless the review was made of the commit the request stands at.

    `so` says what that means for the posting.
    """
    if review.head is None:
        raise StaleHead(
            "the findings name no head commit, so they can't be matched with the pull request; "
            "make them with `review --from BASE --to HEAD`, or name it with --head"
        )
    if review.head != request.head:
        raise StaleHead(
            f"the findings are of commit {review.head[:12]} and the pull request is at {request.head[:12]}; "
            f"{so}, review again"
        )


@dataclass(slots=True)
class _Delivery:
    """One run of the loop; owns what it has learned so far."""

    review: Review
    source: ChangeSource
    sink: ReviewSink
    dialect: Dialect
    request: ChangeRequest
    refused: set[tuple[str, Kind]] = field(default_factory=set)
    done: list[Action] = field(default_factory=list)  # or not possible; not to be tried again
    sent: dict[str, OwnComment] = field(default_factory=dict)  # accepted here, perhaps not yet listed
    batch: int | None = None  # comments in the next review; halved when one of them is refused

    def step(self) -> Counts | None:
        """Read the state and do what is next; the counts if nothing is."""
        existing = _with_sent(self.sink.existing(), self.sent)
        wanted = plan(self.review, self.request, existing, self.dialect, frozenset(self.refused))
        actions = [action for action in wanted.actions if action not in self.done]
        for action in actions:
            if isinstance(action, PostReview):
                self._post(action)
                break  # what comes next depends on what was taken
            self._tidy(action)
        return None if actions else wanted.counts

    def _tidy(self, action: Action) -> None:
        try:
            self._send(action)
        except (Refused, NotAllowed):
            if isinstance(action, PostSummary | EditSummary):
                raise
        self.done.append(action)  # what is only tidiness is not worth failing for

    def _send(self, action: Action) -> None:
        for call in self.sink.calls(action, self.request):
            self.sink.send(call)

    def _post(self, action: PostReview) -> None:
        chosen = replace(action, comments=action.comments[: self.batch])
        for call in self.sink.calls(chosen, self.request):
            try:
                self.sink.send(call)
            except Refused as error:
                self._learn(chosen, call, error)
                return
        self.batch = None
        for comment in chosen.comments:
            self.sent[comment.fingerprint] = OwnComment("", "", comment.file.path, comment.body)

    def _learn(self, action: PostReview, call: Call, error: Refused) -> None:
        """Find out which comment was refused: look at the request again, then halve the batch."""
        self.request = self.source.fetch()
        check_head(self.review, self.request, "it moved on while we were posting, the rest was not posted")
        if len(call.carries) > 1:
            self.batch = len(call.carries) // 2
            return
        if not call.carries:
            raise error
        on_lines = next(one for one in action.comments if one.fingerprint == call.carries[0]).lines
        self.refused.add((call.carries[0], Kind.LINES if on_lines else Kind.FILE))
        self.batch = None


def _with_sent(existing: Existing, sent: dict[str, OwnComment]) -> Existing:
    """Add what was accepted and is not listed yet."""
    listed = {read_marker(comment.body) for comment in existing.comments}
    missing = tuple(comment for comment in sent.values() if read_marker(comment.body) not in listed)
    return replace(existing, comments=existing.comments + missing) if missing else existing


def deliver(
    review: Review,
    source: ChangeSource,
    sink: ReviewSink,
    dialect: Dialect,
    policy: RetryPolicy | None = None,
) -> Counts:
    """Post what is missing, mend what changed, and return the final counts.

    Raises StaleHead before anything is posted if the request moved on; NotAllowed, Unavailable, ForgeError.
    """
    policy = policy or RetryPolicy()
    request = with_retries(source.fetch, Unavailable, policy)
    check_head(review, request)
    delivery = _Delivery(review, source, sink, dialect, request)
    for _ in range(_MOST_ROUNDS):
        counts = with_retries(delivery.step, Unavailable, policy)
        if counts is not None:
            return counts
    raise ForgeError("the forge accepts the remarks but does not keep them; nothing more was posted")


def rehearse(review: Review, source: ChangeSource, sink: ReviewSink, dialect: Dialect) -> tuple[Call, ...]:
    """Write every request that `deliver` would send if all went well, and send none."""
    request = with_retries(source.fetch, Unavailable, RetryPolicy())
    check_head(review, request)
    steps = plan(review, request, with_retries(sink.existing, Unavailable, RetryPolicy()), dialect)
    return tuple(call for action in steps.actions for call in sink.calls(action, request))


def deliver_check(check: Callable[[], bool], policy: RetryPolicy | None = None) -> None:
    """Send a check run's requests one after the other, each found from what is there; see `check_run`."""
    for _ in range(_MOST_ROUNDS):
        if not with_retries(check, Unavailable, policy or RetryPolicy()):
            return
    raise ForgeError("GitHub accepts the check run but does not keep it")
