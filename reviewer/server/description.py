"""`/openapi.json`: our own endpoints, for programs."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.state import Server


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    text = files(__package__).joinpath("openapi.json").read_bytes()

    async def describe(request: Request) -> Response:
        return Response(text, media_type="application/json")

    return [Route("/openapi.json", describe)]
