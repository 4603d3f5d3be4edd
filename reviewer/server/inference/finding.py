"""How an endpoint comes by a model, and refuses what it can't do: in Ollama's words."""

from __future__ import annotations

import time
from typing import NamedTuple

from hunkwise.engine import ModelSpec
from hunkwise.engine.errors import InvalidName, ModelNotFound
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread

_FRESH = 1.0  # seconds; many requests come at once, and changing threads costs each more than all else of it
_KEPT = 64  # names


class Found(NamedTuple):
    """A model that is here, under the name that the request gave it."""

    name: str
    spec: ModelSpec
    described: Described

    def require(self, ability: str, what: str = "") -> None:
        """Refuse what the model can't do; `what` names it in the sentence, the ability unless it is given."""
        if ability not in self.described.abilities:
            raise Refused(400, f'"{self.name}" does not support {what or ability}', code="unsupported")


async def find(server: Server, name: str, missing: str = "model '{}' not found") -> Found:
    """Find a model for a request. Raises Refused in Ollama's words.

    What was found a moment ago holds, until this server makes or takes away a model (`forget`).
    """

    def look() -> Found:
        spec = server.models.resolve(name)
        return Found(name, spec, server.models.describe(spec))

    seen = server.found
    if (known := seen.get(name)) and time.monotonic() < known[0]:
        return Found(name, known[1], known[2])
    try:
        found = await in_thread(look)
    except (InvalidName, ModelNotFound):
        raise Refused(404, missing.format(name[:200]), code="model_not_found", param="model") from None
    if len(seen) >= _KEPT:
        seen.clear()
    seen[name] = time.monotonic() + _FRESH, found.spec, found.described
    return found


def forget(server: Server) -> None:
    """Look for models anew: one was made, or taken away. What is being looked up now is not kept."""
    server.found = {}
