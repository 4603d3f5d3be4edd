"""A worker in a process of its own that dies at a chosen step."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from botworld import Forge, worker

from hunkwise.reviewer.bot.port import ForgeName
from hunkwise.reviewer.bot.queue.port import LEASE, Queue
from hunkwise.reviewer.bot.queue.redis import RedisQueue
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue

STEPS = ["claimed", "read", "queued", "fetched", "running", "reviewed", "posted", "shown", "done"]


def opened(place: str, prefix: str, lease: float = LEASE) -> Queue:
    if place.startswith("unix:"):
        return RedisQueue(place, lease=lease, prefix=prefix)
    return SqliteQueue(Path(place), lease=lease)


def work_until(point: str, kind: ForgeName, url: str, place: str, prefix: str) -> None:
    """Work as a worker does, and die with -9 at a step."""

    def reached(step: str) -> None:
        if step == point:
            os.kill(os.getpid(), signal.SIGKILL)

    worker(opened(place, prefix), Forge(kind, url=url), reached=reached).step()
