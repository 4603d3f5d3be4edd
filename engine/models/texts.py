"""The parts of a stored model that are text: template, system prompt, licences, parameters, messages."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, StoreError
from hunkwise.engine.models.modelfile.parameters import KNOWN, read_parameter
from hunkwise.engine.models.store.manifest import Layer, read_json
from hunkwise.engine.types import ParameterValue, Role

TEXT_LIMIT = 4 << 20  # bytes of a template, a system prompt, a licence
_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


def read_text(layer: Layer, path: Path) -> str:
    """Read a blob that is text. Raises CorruptModel, StoreError."""
    if layer.size > TEXT_LIMIT:
        raise CorruptModel(f"{path}: a text of {layer.size} bytes; at most {TEXT_LIMIT} are read")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != layer.digest:
        raise CorruptModel(f"{path} does not hold what its name says; pull the model again")
    return data.decode("utf-8", "replace")


def read_parameters(text: str) -> dict[str, ParameterValue]:
    """Read a params layer; names that nobody knows any more are passed over, as Ollama does."""
    values = read_json(text.encode(), "the model's parameters")
    if not isinstance(values, dict):
        raise CorruptModel("the model's parameters are no JSON object")
    found: dict[str, ParameterValue] = {}
    for name, value in values.items():
        if name in KNOWN and value not in (None, [], ""):
            try:
                found[name] = read_parameter(name, value)
            except ValueError as error:
                raise CorruptModel(f"the model's parameters: {error}") from None
    return found


def read_messages(text: str) -> tuple[tuple[Role, str], ...]:
    """Read a messages layer. Raises CorruptModel."""
    values = read_json(text.encode(), "the model's messages")
    if not isinstance(values, list):
        raise CorruptModel("the model's messages are no JSON list")
    found = []
    for value in values:
        role = _ROLES.get(str(value.get("role"))) if isinstance(value, dict) else None
        if role is None or not isinstance(value.get("content"), str):
            raise CorruptModel("the model's messages: each needs a role and a content")
        found.append((role, str(value["content"])))
    return tuple(found)
