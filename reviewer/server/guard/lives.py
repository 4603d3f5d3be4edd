"""Each request ends: when it is answered, when its client is gone, when its time is up, or with the server.

A handler is cancelled in all cases but the first, so what it holds is freed in its `finally`.
"""

from __future__ import annotations

import asyncio
import math
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.reviewer.server.errors import Failure, response
from hunkwise.reviewer.server.guard.life import LIFE, Life
from hunkwise.reviewer.server.state import Server

_ENDLESS = ("/api/pull", "/api/push", "/api/create", "/api/blobs/")  # as long as a download takes


class Ending:
    """Middleware that runs each request as a task of its own and ends it."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self.app, self.server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = math.inf if scope["path"].startswith(_ENDLESS) else self.server.settings.request_timeout
        life = Life(until=time.monotonic() + limit)
        LIFE.set(life)
        self.server.lives.add(life)
        try:
            await _Run(self.app, life, scope, receive, send, self.server.settings.send_timeout).run(limit)
        finally:
            self.server.lives.remove(life)


class _Run:
    """A handler, and who listens meanwhile whether the client is still there."""

    def __init__(
        self, app: ASGIApp, life: Life, scope: Scope, receive: Receive, send: Send, patience: float
    ) -> None:
        self._app, self._life, self._scope, self._patience = app, life, scope, patience
        self._real_receive, self._real_send = receive, send
        self._body_read = asyncio.Event()
        if scope["method"] in ("GET", "HEAD"):
            self._body_read.set()
        self._started = False

    async def run(self, limit: float) -> None:
        handler = asyncio.ensure_future(self._app(self._scope, self._receive, self._send))
        listener = asyncio.ensure_future(self._listen())
        ended = asyncio.ensure_future(self._life.ended.wait())
        try:
            await asyncio.wait(
                {handler, ended},
                timeout=None if math.isinf(limit) else limit,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not handler.done():
                self._life.end(Failure(504, f"the request took longer than {limit:g} s", "timeout"))
                handler.cancel()
                await asyncio.wait({handler})
        finally:
            for task in (handler, listener, ended):
                task.cancel()
            await asyncio.gather(handler, listener, ended, return_exceptions=True)
        if not handler.cancelled():
            handler.result()
        if self._life.reason and not self._started:
            await response(self._life.reason, self._scope["path"])(
                self._scope, self._real_receive, self._real_send
            )

    async def _listen(self) -> None:
        """Wait for the client to go; before its body is read, the handler itself does so."""
        await self._body_read.wait()
        while (await self._real_receive())["type"] != "http.disconnect":
            pass
        self._life.end(None)

    async def _receive(self) -> Message:
        """Give the next piece of the body; a client who stops in the middle of it is given up."""
        if self._body_read.is_set():
            await self._life.ended.wait()
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout(self._patience):
                message = await self._real_receive()
        except TimeoutError:
            self._life.end(Failure(408, f"nothing of the body came for {self._patience:g} s", "slow_sender"))
            await asyncio.Event().wait()  # until we are cancelled, which is next
            raise
        if not message.get("more_body"):
            self._body_read.set()
        return message

    async def _send(self, message: Message) -> None:
        """Send the next piece of the response; a client who does not take it is given up."""
        self._started = True
        self._body_read.set()  # what is still to come of it, nobody wants
        try:
            async with asyncio.timeout(self._patience):
                await self._real_send(message)
        except TimeoutError:
            self._life.end(None)
            raise
