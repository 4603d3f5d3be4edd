"""Making models and taking them away: /api/create, /api/copy and /api/delete."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Library, ParameterValue, compose_modelfile, parse_name, read_parameter
from hunkwise.engine.errors import InvalidName, ModelNotFound, StoreError
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import find, forget
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.ollama.bodies import CopyBody, Message, NameBody
from hunkwise.reviewer.server.ollama.library.blobs import blob_of
from hunkwise.reviewer.server.ollama.replies import Line, last_of
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import ndjson
from hunkwise.reviewer.server.threads import in_thread

_NO_QUANTIZING = (
    "quantize is not supported; pull a tag that is quantized, or make the file with llama.cpp's llama-quantize, "
    "send it to /api/blobs and create the model from files"
)
_NO_PUSHING = (
    "push is not supported; pull the model on the other machine, or send its GGUF file to /api/blobs there "
    "and create the model from files"
)


@dataclass(frozen=True, slots=True)
class CreateBody:
    """POST /api/create; `from` is read by hand, for Python has a meaning of its own for it."""

    model: str = ""
    name: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    system: str = ""
    license: str | tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    quantize: str = ""
    modelfile: str = ""
    stream: bool = True


async def create(server: Server, request: Request) -> Response:
    """Make a model of another, or of files that were sent before."""
    body, base = await read_body(CreateBody, request), (await request.json()).get("from")
    for name, why in (
        ("quantize", _NO_QUANTIZING),
        ("modelfile", "modelfile is no longer read; send from, files, template, system and parameters"),
    ):
        if getattr(body, name):
            raise Refused(400, why, param=name)
    name = checked_name(body.model or body.name)
    library = server.models.library
    text = await in_thread(partial(_recipe, library, body, base))
    lines = _making(server, name, text)
    return ndjson(lines) if body.stream else JSONResponse(await last_of(lines))


def checked_name(text: str) -> str:
    """Read a name that a model is to have, and never a path. Raises Refused."""
    try:
        name = str(parse_name(text))
    except InvalidName as error:
        raise Refused(400, str(error), code="invalid_model", param="model") from None
    if name.lower().endswith(".gguf"):
        raise Refused(400, f"{text[:200]} names a file; give the name of a model", param="model")
    return name


def _recipe(library: Library, body: CreateBody, base: object) -> str:
    """Write the Modelfile: over a name, or over blobs of the own store by their digests alone."""
    if base is not None and not isinstance(base, str):
        raise Refused(400, "from must be a text", param="from")
    if bool(base) == bool(body.files):
        raise Refused(400, "neither 'from' or 'files' was specified" if not base else "give from or files")
    bases = [checked_name(base)] if base else [blob_of(library, each) for each in body.files.values()]
    turns = prompts.chat(((each.role, each.content) for each in body.messages), prompts.NOBODY)
    return compose_modelfile(
        bases,
        adapters=[blob_of(library, each) for each in body.adapters.values()],
        template=body.template or None,
        system=body.system or None,
        parameters={
            name: _parameter(name, value) for name, value in body.parameters.items() if value is not None
        },
        messages=[(each.role, each.text) for each in turns],
        licenses=[body.license] if isinstance(body.license, str) else body.license,
    )


def _parameter(name: str, value: object) -> ParameterValue:
    try:
        return read_parameter(name, value)
    except ValueError as error:
        raise Refused(400, f"parameters.{name[:40]}: {error}", param="parameters") from None


async def _making(server: Server, name: str, text: str) -> AsyncGenerator[Line, None]:
    yield {"status": "parsing modelfile"}
    await in_thread(partial(_make, server, name, text))
    yield {"status": "writing manifest"}
    yield {"status": "success"}


def _make(server: Server, name: str, text: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hunkwise-create-") as folder:
        recipe = Path(folder) / "Modelfile"
        recipe.write_text(text, encoding="utf-8")
        server.models.library.create(name, recipe)
    forget(server)


async def push(server: Server, request: Request) -> Response:
    """Refuse: nothing is sent to registries from here."""
    raise Refused(400, _NO_PUSHING, code="unsupported")


async def copy(server: Server, request: Request) -> Response:
    """Give a model another name."""
    body = await read_body(CopyBody, request)
    found = await find(server, body.source)
    text = compose_modelfile([checked_name(found.spec.name)])
    await in_thread(partial(_make, server, checked_name(body.destination), text))
    return Response()


async def delete(server: Server, request: Request) -> Response:
    """Unload a model and drop its files."""
    body = await read_body(NameBody, request)
    found = await find(server, body.named)
    if found.spec.name in server.models.loaded():
        async with server.lease(found.name, keep_alive=0):
            pass
    try:
        await in_thread(partial(server.models.library.remove, checked_name(found.spec.name)))
    except ModelNotFound:
        raise Refused(404, f"model '{body.named[:200]}' not found", code="model_not_found") from None
    except StoreError as error:
        raise Refused(403, str(error), code="read_only") from None
    forget(server)
    return Response()
