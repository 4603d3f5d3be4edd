"""Ollama's REST API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from hunkwise.reviewer.server.inference.routing import Endpoint, routed
from hunkwise.reviewer.server.ollama.chat import chat
from hunkwise.reviewer.server.ollama.embedding import embed_prompt, embed_texts
from hunkwise.reviewer.server.ollama.generate import generate
from hunkwise.reviewer.server.ollama.library.blobs import has_blob, take_blob
from hunkwise.reviewer.server.ollama.library.listing import ps, tags, version
from hunkwise.reviewer.server.ollama.library.making import copy, create, delete, push
from hunkwise.reviewer.server.ollama.library.pulling import Downloads, pull
from hunkwise.reviewer.server.ollama.library.showing import show
from hunkwise.reviewer.server.ollama.systemone import systemone
from hunkwise.reviewer.server.state import Server

_ENDPOINTS: tuple[Endpoint, ...] = (
    ("GET", "/api/version", version),
    ("GET", "/api/tags", tags),
    ("GET", "/api/ps", ps),
    ("POST", "/api/show", show),
    ("POST", "/api/generate", generate),
    ("POST", "/api/chat", chat),
    ("POST", "/api/embed", embed_texts),
    ("POST", "/api/embeddings", embed_prompt),
    ("POST", "/api/create", create),
    ("POST", "/api/push", push),
    ("POST", "/api/copy", copy),
    ("DELETE", "/api/delete", delete),
    ("HEAD", "/api/blobs/{digest}", has_blob),
    ("POST", "/api/blobs/{digest}", take_blob),
    ("POST", "/v1/systemone", systemone),
)


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    downloads = Downloads()

    async def shared_pull(server: Server, request: Request) -> Response:
        return await pull(server, downloads, request)

    return routed(server, (*_ENDPOINTS, ("POST", "/api/pull", shared_pull)))
