"""Requests without words: they load a model, or unload it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.running import Times
from hunkwise.reviewer.server.ollama.replies import Line, loaded, opening
from hunkwise.reviewer.server.state import Server


async def load(
    server: Server, found: Found, keep_alive: float | None, context: int, nothing: Line
) -> AsyncGenerator[Line, None]:
    """Load a model, or unload it where `keep_alive` is 0; `nothing` is the empty text of the API."""
    times = Times()
    unload = keep_alive == 0
    if not unload or found.spec.name in server.models.loaded():
        async with server.lease(found.name, context=context, keep_alive=keep_alive):
            times.mark_loaded()
        times.mark_ended()
    reason = {"done": True, "done_reason": "unload" if unload else "load"}
    yield {**opening(found.name), **nothing, **reason, **({} if unload else loaded(times))}
