"""What is on this machine and what is in memory: /api/tags, /api/ps and /api/version."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.server.ollama.replies import Line, stamp
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread
from hunkwise.reviewer.version import VERSION

_FOR_EVER = datetime(2500, 1, 1, tzinfo=UTC).timestamp()
_INTEGERS = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


async def version(server: Server, request: Request) -> Response:
    """Say the version, as dotted integers alone: Open WebUI reads nothing else."""
    found = _INTEGERS.match(VERSION)
    return JSONResponse({"version": found[0] if found else "0.0.0"})


async def tags(server: Server, request: Request) -> Response:
    """List the models that can be used."""
    return JSONResponse({"models": await in_thread(lambda: on_disk(server))})


def on_disk(server: Server) -> list[Line]:
    """Describe the models of all stores, the newest first; what can't be used is left out."""
    found: dict[str, Line] = {}
    for listed in sorted(server.models.library.list(), key=lambda each: -each.modified):
        if listed.problem or listed.name in found:
            continue
        with suppress(EngineError, OSError):
            described = server.models.describe(server.models.resolve(listed.name))
            found[listed.name] = {
                "name": listed.name,
                "model": listed.name,
                "modified_at": stamp(listed.modified),
                "size": listed.size,
                "digest": listed.manifest,
                "details": described.details,
                "capabilities": list(described.abilities),
            }
    return list(found.values())


async def ps(server: Server, request: Request) -> Response:
    """List the models in memory."""
    return JSONResponse({"models": await in_thread(lambda: in_memory(server))})


def in_memory(server: Server) -> list[Line]:
    """Describe the models that are loaded, and until when they stay."""
    manifests = {each.name: each.manifest for each in reversed(server.models.library.list())}
    return [
        {
            "name": running.spec.name,
            "model": running.spec.name,
            "size": running.bytes,
            "digest": manifests.get(running.spec.name, running.spec.digest),
            "details": server.models.describe(running.spec).details,
            "expires_at": stamp(min(running.expires, _FOR_EVER)),
            "size_vram": running.device_bytes,
            "context_length": running.context,
        }
        for running in server.models.running()
    ]
