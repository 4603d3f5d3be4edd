"""`make_app`: the routes of all parts, and what stands before them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.server import asks, bundle, description, ollama, openai, page, reviews
from hunkwise.reviewer.server.errors import Refused, failure_of, response
from hunkwise.reviewer.server.guard.gate import Gate
from hunkwise.reviewer.server.guard.lives import Ending
from hunkwise.reviewer.server.observe import health, metrics
from hunkwise.reviewer.server.observe.logs import Logging
from hunkwise.reviewer.server.state import Server

PARTS = (
    page,
    health,
    ollama,
    openai,
    reviews,
    asks,
    bundle,
    description,
    metrics,
)  # of two with one route the first has it


def make_app(server: Server) -> Starlette:
    """Join the parts."""
    parts = (health, metrics) if server.alone else PARTS
    expected = (HTTPException, Refused, EngineError, ReviewError)
    return Starlette(
        routes=[*server.mounted, *(route for part in parts for route in part.routes(server))],
        middleware=[
            Middleware(Logging),
            Middleware(metrics.Counting, server=server),
            Middleware(Ending, server=server),
            Middleware(Gate, server=server),
        ],
        exception_handlers=dict.fromkeys(expected, _failed),
    )


async def _failed(request: Request, error: Exception) -> Response:
    return response(failure_of(error), request.url.path)
