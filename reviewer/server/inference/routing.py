"""Handlers that get the server beside the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.state import Server

Handler = Callable[[Server, Request], Awaitable[Response]]
Endpoint = tuple[str, str, Handler]  # method, path, and who answers


def routed(server: Server, endpoints: Iterable[Endpoint]) -> list[BaseRoute]:
    """Make the routes of endpoints."""
    return [Route(path, _bound(handler, server), methods=[method]) for method, path, handler in endpoints]


def _bound(handler: Handler, server: Server) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(server, request)

    return endpoint
