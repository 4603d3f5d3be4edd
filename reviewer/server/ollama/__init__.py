"""Ollama's REST API."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hunkwise.reviewer.server.inference.routing import Endpoint, routed
from hunkwise.reviewer.server.ollama.chat import chat
from hunkwise.reviewer.server.ollama.embedding import embed_prompt, embed_texts
from hunkwise.reviewer.server.ollama.generate import generate
from hunkwise.reviewer.server.ollama.listing import ps, tags, version
from hunkwise.reviewer.server.ollama.showing import show
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
)


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    return routed(server, _ENDPOINTS)
