"""Reading the bodies of deliveries that nobody has verified yet: in little room, and for a short time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from hunkwise.reviewer.bot.hooks.delivery import LARGEST

ROOM = 64 << 20  # bytes of all bodies that are being read
SECONDS = 10.0  # for one body: GitHub and GitLab wait no longer


class TooLarge(Exception):
    """A body has more than `LARGEST` bytes."""


class Bodies:
    """Reads bodies. Where they take more than `room` together, whoever takes longest is given up first.

    So senders who hold on to what they began keep out nobody who sends at once, as forges do.
    """

    def __init__(self, room: int = ROOM, seconds: float = SECONDS) -> None:
        self._room, self._seconds = room, seconds
        self._held: dict[asyncio.Timeout, int] = {}  # bytes, the oldest first

    async def read(self, request: Request) -> bytes:
        """Read a body. Raises TooLarge; TimeoutError where its time or its room is up; ClientDisconnect."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > LARGEST:
            raise TooLarge
        body = bytearray()
        async with asyncio.timeout(self._seconds) as limit:
            try:
                async for piece in request.stream():
                    body += piece
                    if len(body) > LARGEST:
                        raise TooLarge
                    self._held[limit] = len(body)
                    self._make_room()
            finally:
                self._held.pop(limit, None)
        return bytes(body)

    def _make_room(self) -> None:
        while sum(self._held.values()) > self._room:
            oldest = next(iter(self._held))
            del self._held[oldest]
            if not oldest.expired():
                oldest.reschedule(0.0)
