"""GET /v1/models."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.reviewer.server.inference.finding import find
from hunkwise.reviewer.server.openai.replies import Value
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread


async def models(server: Server, request: Request) -> Response:
    """List the models that can be used."""

    def listed() -> list[Value]:
        usable = {each.name: each for each in reversed(server.models.library.list()) if not each.problem}
        return [_model(name, each.modified) for name, each in sorted(usable.items())]

    return JSONResponse({"object": "list", "data": await in_thread(listed)})


async def model(server: Server, request: Request) -> Response:
    """Tell of one model."""
    name = (await find(server, request.path_params["name"])).spec.name
    listed = await in_thread(server.models.library.list)
    return JSONResponse(_model(name, next((each.modified for each in listed if each.name == name), 0.0)))


def _model(name: str, modified: float) -> Value:
    return {"id": name, "object": "model", "created": int(modified), "owned_by": "library"}
