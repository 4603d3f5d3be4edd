"""The routes that webhooks are sent to: verify, keep, answer; what has to be done is done elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hunkwise.reviewer.bot.hooks.bodies import Bodies, TooLarge
from hunkwise.reviewer.bot.hooks.delivery import LARGEST, Delivery, Forged, Hook, Ignored
from hunkwise.reviewer.bot.port import Event, ForgeName
from hunkwise.reviewer.bot.queue.port import Inbox, QueueError, key_of

LOG = logging.getLogger("hunkwise.bot")
_RETRY = {"retry-after": "5"}  # seconds

Wanted = Callable[[Event], bool]
"""Tells whether an event is worth a job."""


def hook_routes(
    hooks: Mapping[ForgeName, Hook], inbox: Inbox, wanted: Wanted = lambda event: True
) -> list[Route]:
    """Make a route for each forge, `/hooks/NAME`. What is refused is 401; what is only ignored never is 4xx."""
    bodies = Bodies()

    def route(name: ForgeName, hook: Hook) -> Route:
        async def receive(request: Request) -> Response:
            """Take a delivery in; of one that can't be signed, or is too large, no body is read."""
            headers = {key.lower(): value for key, value in request.headers.items()}
            try:
                hook.look(Delivery(headers, b""))
            except Forged as error:
                return _forged(name, error)
            try:
                body = await bodies.read(request)
            except TooLarge:
                return JSONResponse({"error": f"the body has more than {LARGEST:,} bytes"}, 413)
            except (ClientDisconnect, TimeoutError):
                return JSONResponse({"error": "the body did not come whole, and in time"}, 408)
            return await run_in_threadpool(_taken, name, hook, inbox, wanted, Delivery(headers, body))

        return Route(f"/hooks/{name}", receive, methods=["POST"])

    return [route(name, hook) for name, hook in hooks.items()]


def _taken(name: ForgeName, hook: Hook, inbox: Inbox, wanted: Wanted, delivery: Delivery) -> Response:
    try:
        notice = hook.read(delivery)
        if not wanted(notice.event):
            raise Ignored("no command for us")
        new = inbox.accept(notice.name, notice.event)
    except Forged as error:
        return _forged(name, error)
    except Ignored as error:
        _log(name, "ignored")
        return JSONResponse({"ignored": str(error)})
    except QueueError:
        _log(name, "queue is out of reach")
        return JSONResponse({"error": "the queue is out of reach; deliver this again"}, 503, _RETRY)
    _log(name, "accepted" if new else "known")
    return JSONResponse({"accepted": new, "key": key_of(notice.event)}, 202)


def _forged(name: ForgeName, error: Forged) -> Response:
    _log(name, "forged")
    return JSONResponse({"error": str(error)}, 401)


def _log(name: str, outcome: str) -> None:
    """Log what came of a delivery: no repository, no name, no text."""
    LOG.info(json.dumps({"delivery": name, "outcome": outcome}))
