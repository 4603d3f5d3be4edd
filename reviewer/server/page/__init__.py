"""The page in a browser: five files of our own, and nothing from anywhere else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from hunkwise.reviewer.server.state import Server

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    "page.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "ask.js": "text/javascript",
    "diff.js": "text/javascript",
}
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part: the root for browsers, and Ollama's sentence for its clients."""

    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return _file("page.html")
        return PlainTextResponse("Ollama is running")

    return [Route("/", root), *(_route(name) for name in _TYPES if name != "page.html")]


def _route(name: str) -> Route:
    async def file(request: Request) -> Response:
        return _file(name)

    return Route(f"/{name}", file)


@cache
def _content(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _file(name: str) -> Response:
    return Response(_content(name), headers=_HEADERS, media_type=_TYPES[name])
