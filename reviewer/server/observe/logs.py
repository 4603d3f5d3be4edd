"""A line of JSON for each request: which, how it ended, how long it took. No code, no diff, no token, no query."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hunkwise.reviewer.server.errors import failure_of, response
from hunkwise.reviewer.server.guard.life import caller
from hunkwise.reviewer.server.observe.faults import LOG, REQUEST


class Broken(Exception):
    """A response broke off; the log has said why."""


class Logging:
    """Middleware that gives each request an id, and writes its line.

    A fault of ours ends here: who serves us would log it with its words, and those may be of the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, started, status = secrets.token_hex(8), time.perf_counter(), 499
        REQUEST.set(name)

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
        except Exception as error:  # noqa: BLE001 - logged, and told to the client if it can be
            failed, begun = type(error).__name__, status != 499
            failure = failure_of(error)
            if begun:
                raise Broken from None  # so that the connection is closed: the response has no end
            await response(failure, scope["path"])(scope, receive, named)
        finally:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "id": name,
                "method": scope["method"],
                "endpoint": getattr(scope.get("route"), "path", "other"),
                "status": status,
                "seconds": round(time.perf_counter() - started, 4),
                "caller": caller(),
            }
            LOG.info(json.dumps(line | ({"error": failed} if failed else {})))
