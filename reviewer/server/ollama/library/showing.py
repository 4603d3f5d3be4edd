"""POST /api/show: what there is to know of one model."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import ParameterValue, compose_modelfile
from hunkwise.engine.errors import ModelfileError
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.ollama.bodies import NameBody
from hunkwise.reviewer.server.ollama.replies import Line, stamp
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread

_KEY = 30  # columns of a parameter's name


async def show(server: Server, request: Request) -> Response:
    """Describe a model."""
    body = await read_body(NameBody, request)
    if not body.named:
        raise Refused(400, "model is required", param="model")
    found = await find(server, body.named)
    return JSONResponse(await in_thread(lambda: shown(server, found, verbose=body.verbose)))


def shown(server: Server, found: Found, *, verbose: bool) -> Line:
    """Put together what Ollama's clients read: Continue the parameters and `.Suffix`, LiteLLM `context_length`."""
    spec, described = found.spec, found.described
    library = server.models.library
    licenses = library.show(spec.name).licenses
    modified = next((each.modified for each in library.list() if each.name == spec.name), 0.0)
    messages = [{"role": role, "content": content} for role, content in spec.messages]
    optional = {
        "license": "\n".join(licenses),
        "parameters": _parameters(spec.parameters),
        "system": spec.system or "",
        "messages": messages,
    }
    return {
        "modelfile": _modelfile(found),
        "template": described.template,
        **{name: value for name, value in optional.items() if value},
        "details": described.details,
        "model_info": _information(described, verbose=verbose),
        "capabilities": list(described.abilities),
        "modified_at": stamp(modified),
        **({"tensors": _tensors(described)} if verbose else {}),
    }


def _parameters(parameters: Mapping[str, ParameterValue]) -> str:
    """Write parameters as aligned lines, texts in quotes, as Go prints them."""
    each = (
        (name, one)
        for name, value in sorted(parameters.items())
        for one in (value if isinstance(value, tuple) else (value,))
    )
    return "\n".join(f"{name:<{_KEY}} {json.dumps(one, ensure_ascii=False)}" for name, one in each)


def _modelfile(found: Found) -> str:
    """Write a Modelfile over the model by its name."""
    spec = found.spec
    try:
        return compose_modelfile(
            [spec.name],
            template=found.described.template,
            system=spec.system,
            parameters=spec.parameters,
            messages=spec.messages,
        )
    except ModelfileError as error:
        return f"# this model can't be written as a Modelfile: {error}\nFROM {spec.name}\n"


def _information(described: Described, *, verbose: bool) -> Line:
    """Give the metadata of the file; arrays are told in full where they are short, which vocabularies are not."""
    found: Line = {}
    for key, value in described.header.metadata.items():
        if isinstance(value, str | int | float):
            found[key] = value
        else:
            found[key] = list(value.values) if verbose else []
    return {**found, "general.parameter_count": described.parameters}


def _tensors(described: Described) -> list[Line]:
    tensors = described.header.tensors
    return [{"name": each.name, "type": each.type, "shape": list(each.shape)} for each in tensors]
