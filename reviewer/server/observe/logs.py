"""A line of JSON for each request: which, how it ended, how long it took. No code, no diff, no token, no query."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.reviewer.server.guard.life import LIFE

LOG = logging.getLogger("hunkwise.server")


class Logging:
    """Middleware that gives each request an id, and writes its line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, started, status = secrets.token_hex(8), time.perf_counter(), 499

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers["x-request-id"] = name
                message = {**message, "headers": headers.raw}
            await send(message)

        failed = ""
        try:
            await self.app(scope, receive, named)
        except Exception as error:
            failed = type(error).__name__
            raise
        finally:
            life = LIFE.get(None)
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "id": name,
                "method": scope["method"],
                "endpoint": getattr(scope.get("route"), "path", "other"),
                "status": status,
                "seconds": round(time.perf_counter() - started, 4),
                "caller": life.caller if life else "",
            }
            LOG.info(json.dumps(line | ({"error": failed} if failed else {})))


class _Lines(logging.Handler):
    """Writes to whatever the standard error stream is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a stream that is closed takes nothing."""
        with suppress(OSError, ValueError):
            sys.stderr.write(record.getMessage() + "\n")


def log_requests() -> None:
    """Write the lines to the standard error stream."""
    if not LOG.handlers:
        LOG.addHandler(_Lines())
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
