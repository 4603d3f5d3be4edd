"""The life of a request, as its handler and all that it calls know it."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field

from hunkwise.reviewer.server.errors import Failure


@dataclass(eq=False)
class Life:
    """One request on its way. `until` is when its time is up, by the monotonic clock."""

    caller: str = ""
    until: float | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    reason: Failure | None = None  # why it was ended; None where the client has gone

    def end(self, reason: Failure | None) -> None:
        """Cancel the handler, and tell the client why if it is there."""
        if not self.ended.is_set():
            self.reason = reason
            self.ended.set()

    def left(self) -> float | None:
        """Seconds until its time is up."""
        return (
            None if self.until is None or math.isinf(self.until) else max(0.0, self.until - time.monotonic())
        )


LIFE: ContextVar[Life] = ContextVar("hunkwise.life")


def caller() -> str:
    """Name whose request runs; "" where nobody says who he is."""
    life = LIFE.get(None)
    return life.caller if life else ""


class Lives:
    """The requests that run."""

    def __init__(self) -> None:
        self._lives: set[Life] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._lives)

    def add(self, life: Life) -> None:
        """Count one in."""
        self._lives.add(life)
        self._idle.clear()

    def remove(self, life: Life) -> None:
        """Count one out."""
        self._lives.discard(life)
        if not self._lives:
            self._idle.set()

    async def idle(self, seconds: float) -> None:
        """Wait until none runs, or for as many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def end(self, reason: Failure) -> None:
        """End all of them."""
        for life in tuple(self._lives):
            life.end(reason)
