"""The endpoints that OpenAI's clients call."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hunkwise.reviewer.server.state import Server


def routes(server: Server) -> list[BaseRoute]:
    """List the routes of this part."""
    return []
