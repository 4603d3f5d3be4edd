"""The endpoints that OpenAI's clients call."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hunkwise.reviewer.server.inference.routing import Endpoint, routed
from hunkwise.reviewer.server.openai.chat import chat
from hunkwise.reviewer.server.openai.completions import completions
from hunkwise.reviewer.server.openai.embeddings import embeddings
from hunkwise.reviewer.server.openai.listing import model, models
from hunkwise.reviewer.server.state import Server

_ENDPOINTS: tuple[Endpoint, ...] = (
    ("GET", "/v1/models", models),
    ("GET", "/v1/models/{name:path}", model),
    ("POST", "/v1/chat/completions", chat),
    ("POST", "/v1/completions", completions),
    ("POST", "/v1/embeddings", embeddings),
)


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    return routed(server, _ENDPOINTS)
