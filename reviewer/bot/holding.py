"""A job while a worker has it: renewed in the background, and watched for what is wanted instead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from hunkwise.reviewer.bot.queue.port import LEASE, Lease, QueueError, Work

_RENEW = LEASE / 3  # seconds; two renewals may fail before others take over
LOOK = 1.0  # seconds between two questions to the queue

Check = Callable[[Lease], bool]
"""Tells whether what the job wants by now is what is being done: Lease is what it wants."""


class Hold:
    """The right to a job. `lease` is as of the newest event that was seen and is served by what is being done."""

    def __init__(
        self,
        work: Work,
        lease: Lease,
        stopping: threading.Event,
        *,
        renew: float = _RENEW,
        look: float = LOOK,
    ) -> None:
        self.lease = lease
        self.lost = False
        self.superseded = False
        self._work, self._stopping, self._renew, self._look = work, stopping, renew, look
        self._asked = 0.0
        self._over = threading.Event()

    def wanted(self, serves: Check) -> bool:
        """Tell whether to go on; the queue is asked now and then, and `serves` about each newer event."""
        if self.lost or self.superseded or self._stopping.is_set():
            return False
        if time.monotonic() - self._asked < self._look:
            return True
        self._asked = time.monotonic()
        with suppress(QueueError):  # out of reach for now; what is done is posted once all the same
            newest = self._work.wanted(self.lease)
            if newest is None:
                self.lost = True
            elif newest.generation != self.lease.generation:
                if serves(newest):
                    self.lease = newest
                else:
                    self.superseded = True
        return not (self.lost or self.superseded)

    def wanted_now(self, serves: Check) -> bool:
        """Ask the queue at once, and hold on to the job."""
        self._asked = 0.0
        with suppress(QueueError):
            self.lost = self.lost or not self._work.renew(self.lease)
        return self.wanted(serves)

    @contextmanager
    def renewed(self) -> Iterator[Hold]:
        """Renew the lease in a thread of its own."""
        thread = threading.Thread(target=self._keep, name="hunkwise-lease", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _keep(self) -> None:
        while not self._over.wait(self._renew):
            with suppress(QueueError):
                if not self._work.renew(self.lease):
                    self.lost = True
                    return
