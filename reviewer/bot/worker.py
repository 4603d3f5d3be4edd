"""The worker: takes a job, sees that the newest head of its change is reviewed, and posts the review.

It holds the tokens and loads no model; what reads the change is a child without tokens. Killed at any point it
leaves a job that the next worker does again from the beginning: nothing is posted twice, since what is there is
looked at before (`publish/deliver.py`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hunkwise.engine import RetryPolicy, with_retries
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.bot import notices
from hunkwise.reviewer.bot.access import Keys
from hunkwise.reviewer.bot.fetching import CLONE, Ended, cloned
from hunkwise.reviewer.bot.holding import LOOK, Hold
from hunkwise.reviewer.bot.notices import why_not
from hunkwise.reviewer.bot.port import ChangeId, Closed, Commented, ForgeName
from hunkwise.reviewer.bot.queue.port import MOST_TRIES, Lease, Queue, QueueError
from hunkwise.reviewer.bot.reviewing import Reviewer
from hunkwise.reviewer.errors import ForgeError, ReviewError
from hunkwise.reviewer.forges.attended import Attended, Progress, Stage, Standing
from hunkwise.reviewer.publish.deliver import deliver
from hunkwise.reviewer.publish.port import NotAllowed, StaleHead, Unavailable
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.source.clone import Bounds, Stopped, TooLarge, fetch_change
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Review

LOG = logging.getLogger("hunkwise.bot")
_IDLE = 0.5  # seconds between two looks into an empty queue

Talk = Callable[[Commented, Attended, Queue, Callable[[], Attended]], None]
"""Answers a comment; the last opens its change with the right to resolve threads.

Raises ReviewError, EngineError.
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """Does jobs of a queue, one after the other in each thread that runs it.

    `fetch` fetches a change, and `reached` is told of each step; tests put their own in their place.
    """

    queue: Queue
    keys: Mapping[ForgeName, Keys]
    review: Reviewer
    environ: Mapping[str, str] = field(repr=False)
    say: Callable[[str], None]
    talk: Talk | None = None
    bounds: Bounds = field(default_factory=Bounds)
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(spread=0.3))
    folder: Path | None = None  # for throw-away folders
    stopping: threading.Event = field(default_factory=threading.Event)
    look: float = LOOK  # seconds
    pause: float = 5.0  # seconds, where the queue is out of reach
    fetch: Callable[..., Range] = fetch_change
    reached: Callable[[str], None] = lambda step: None

    def run(self, threads: int) -> None:
        """Work until `stopping` is set, and in one more thread on comments alone, which wait for no review."""
        others = [
            threading.Thread(target=self._work, args=(each == 0,), daemon=True) for each in range(threads + 1)
        ]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join()

    def _work(self, comments: bool) -> None:
        while not self.stopping.is_set():
            if not self.step(comments=comments):
                self.stopping.wait(_IDLE)

    def step(self, *, comments: bool = False) -> bool:
        """Do one job, perhaps of those on comments alone; False if there is none."""
        try:
            lease = self.queue.claim(comments=comments)
            if lease is None:
                return False
            with Hold(self.queue, lease, self.stopping, look=self.look).renewed() as hold:
                self._do(hold)
        except QueueError as error:
            self.say(str(error))
            self.stopping.wait(self.pause)
            return False
        return True

    def _do(self, hold: Hold) -> None:
        lease = hold.lease
        try:
            self._attended(hold)
        except QueueError:
            raise
        except Ended:
            self.queue.release(lease)
        except (TooLarge, NotAllowed) as error:
            self._given_up(lease, str(error))
        except (ReviewError, EngineError) as error:
            self._failed(lease, str(error))
        except OSError as error:
            self._failed(lease, f"this machine could not do it: {error}")
        except Exception as error:  # one job must not end the worker
            LOG.debug("a job failed", exc_info=error)
            self._failed(
                lease, f"unexpected {type(error).__name__}: {error}; this is a bug, please report it"
            )

    def _failed(self, lease: Lease, reason: str) -> None:
        """Leave a job to be tried again when its lease has run out, or give it up."""
        if lease.tries >= MOST_TRIES:
            self._given_up(lease, reason)
        else:
            self.say(f"{lease.key}: {reason}; it is tried again")
            self.queue.fail(lease, visible_line(reason)[:1000])

    def _given_up(self, lease: Lease, reason: str) -> None:
        self.say(f"{lease.key}: {reason}; it is given up, see `hunkwise queue`")
        self.queue.bury(lease, visible_line(reason)[:1000])
        if not isinstance(lease.event, Commented):
            try:
                desk = self._open(lease.event.change)
                self._show(desk, desk.standing().head, notices.failed(reason))
            except (ReviewError, EngineError) as error:
                self.say(f"{lease.key}: that can't be shown either: {error}")

    def _open(self, change: ChangeId, *, resolving: bool = False) -> Attended:
        keys = self.keys.get(change.forge)
        if keys is None:
            raise ForgeError(f"there is no token of {change.forge}")
        return keys.attend(change, resolving=resolving)

    def _attended(self, hold: Hold) -> None:
        event = hold.lease.event
        self.reached("claimed")
        desk = self._open(event.change)
        if isinstance(event, Commented):
            if self.talk is not None:
                self.talk(event, desk, self.queue, partial(self._open, event.change, resolving=True))
            self.queue.done(hold.lease)
            return
        standing = with_retries(desk.standing, Unavailable, self.policy)
        self.reached("read")
        known = self.queue.reviewed(event.change) == standing.head and not hold.lease.again
        if known or why_not(standing, asked=is_asked(hold.lease)):
            if hold.lease.tries > 1:  # who died may have left a check that never ends
                self._show(desk, standing.head, notices.left("not to be reviewed now"))
            self.queue.done(hold.lease)
            return
        change = event.change
        if standing.project != change.repository:  # it was renamed
            change = replace(change, repository=standing.project)
            desk = self._open(change)
        self._reviewed(hold, change, desk, standing)

    def _reviewed(self, hold: Hold, change: ChangeId, desk: Attended, standing: Standing) -> None:
        head, full = standing.head, hold.lease.full

        def serves(newest: Lease) -> bool:
            """Tell whether the head that is being reviewed is still the one to be reviewed, and as it is."""
            if newest.full and not full:
                return False
            try:
                now = desk.standing()
            except ForgeError:
                return True  # nobody knows; it is looked at again before anything is posted
            return now.head == head and not why_not(now, asked=is_asked(newest))

        def wanted() -> bool:
            return hold.wanted(serves)

        self._show(desk, head, Progress(Stage.QUEUED, "waits to be reviewed"))
        self.reached("queued")
        try:
            review = self._made(change, desk, standing, wanted, full=full)
        except ReviewError:
            if hold.wanted_now(serves):
                raise
            review = None  # it was ended since nobody wants it
        if review is None or not hold.wanted_now(serves):
            self._left(hold, desk, head)
            return
        desk = self._open(change)  # a token that is good for another hour
        try:
            deliver(review, desk, desk, self.keys[change.forge].dialect, self.policy)
        except StaleHead:
            self._show(desk, head, notices.left("superseded"))
            self.queue.release(hold.lease)  # pushed to, and not told yet
            return
        self.reached("posted")
        self.queue.keep(hold.lease.event.change, renderer("json")(review, View()).encode())
        self._show(desk, head, notices.done(review), review)
        self.reached("shown")
        self.queue.done(hold.lease, head)
        self.reached("done")

    def _made(
        self,
        change: ChangeId,
        desk: Attended,
        standing: Standing,
        wanted: Callable[[], bool],
        *,
        full: bool,
    ) -> Review | None:
        """Fetch and review a change, `full` without what is known of it; None as soon as it is not wanted."""
        try:
            with cloned(
                change,
                standing,
                self.keys[change.forge],
                self.environ,
                folder=self.folder,
                fetch=self.fetch,
                bounds=self.bounds,
                wanted=wanted,
            ) as (folder, commits):
                self.reached("fetched")
                self._show(desk, standing.head, Progress(Stage.RUNNING, "is being reviewed"))
                self.reached("running")
                review = self.review(folder / CLONE, commits, wanted, *(["--no-remember"] if full else []))
        except Stopped:
            return None
        self.reached("reviewed")
        return replace(review, head=standing.head)

    def _left(self, hold: Hold, desk: Attended, head: str) -> None:
        """Leave a review that nobody wants any more, or that this worker may not go on with."""
        if self.stopping.is_set() and not (hold.lost or hold.superseded):
            self.queue.release(hold.lease)
        elif not hold.lost:
            self._show(desk, head, notices.left("superseded"))
            # of its generation; what is wanted instead waits again
            self.queue.done(hold.lease, superseded=True)

    def _show(self, desk: Attended, head: str, progress: Progress, review: Review | None = None) -> None:
        """Show how far it is; a forge that does not take it loses us no review."""
        try:
            with_retries(lambda: desk.show(head, progress, review), Unavailable, self.policy)
        except ForgeError as error:
            self.say(f"the status of {head[:12]} is not shown: {error}")


def is_asked(lease: Lease) -> bool:
    """Tell whether somebody asked for the review, and nothing was told since that ends it."""
    return lease.again and not isinstance(lease.event, Closed)
