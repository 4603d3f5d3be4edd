"""A Modelfile written from values, as a request over the wire names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hunkwise.engine.models.modelfile.instructions import Command, render_command
from hunkwise.engine.types import ParameterValue, Role


def compose_modelfile(
    bases: Sequence[str],
    *,
    adapters: Sequence[str] = (),
    template: str | None = None,
    system: str | None = None,
    parameters: Mapping[str, ParameterValue] | None = None,
    messages: Sequence[tuple[Role, str]] = (),
    licenses: Sequence[str] = (),
) -> str:
    """Write a Modelfile over `bases`: one name, or paths. Raises ModelfileError for what can't be written."""
    commands = [Command("FROM", base) for base in bases]
    commands += [Command("ADAPTER", adapter) for adapter in adapters]
    commands += [Command("TEMPLATE", template)] if template is not None else []
    commands += [Command("SYSTEM", system)] if system is not None else []
    for name, value in (parameters or {}).items():
        values = value if isinstance(value, tuple) else (value,)
        commands += [Command("PARAMETER", _written(each), name) for each in values]
    commands += [Command("MESSAGE", text, role) for role, text in messages]
    commands += [Command("LICENSE", text) for text in licenses]
    return "".join(render_command(command) + "\n" for command in commands)


def _written(value: float | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
