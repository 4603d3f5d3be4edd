"""What probes ask: `/healthz`, the loop is alive; `/readyz`, new work is taken in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.state import Server


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of the probes."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        why = not_ready(server)
        return JSONResponse({"status": why or "ready"}, 503 if why else 200)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def not_ready(server: Server) -> str:
    """Say in a word why nothing new is taken in; empty if it is."""
    if server.draining:
        return "draining"
    if server.preloading:
        return "loading"
    return "full" if server.full else ""
