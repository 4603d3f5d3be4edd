"""Ollama's REST API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.ollama.chat import chat
from hunkwise.reviewer.server.ollama.generate import generate
from hunkwise.reviewer.server.ollama.listing import ps, tags, version
from hunkwise.reviewer.server.ollama.showing import show
from hunkwise.reviewer.server.state import Server

Handler = Callable[[Server, Request], Awaitable[Response]]
_ENDPOINTS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/version", version),
    ("GET", "/api/tags", tags),
    ("GET", "/api/ps", ps),
    ("POST", "/api/show", show),
    ("POST", "/api/generate", generate),
    ("POST", "/api/chat", chat),
)


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    return [Route(path, _endpoint(handler, server), methods=[method]) for method, path, handler in _ENDPOINTS]


def _endpoint(handler: Handler, server: Server) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(server, request)

    return endpoint
