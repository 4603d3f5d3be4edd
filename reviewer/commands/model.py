"""`hunkwise model`: the models on this machine, and bringing more."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.engine import ModelSpec, default_model, human_bytes, library_from_environment
from hunkwise.reviewer.app.progress import Progress, wanted
from hunkwise.reviewer.commands.advise import advise
from hunkwise.reviewer.text.visible import visible, visible_line

if TYPE_CHECKING:
    from hunkwise.engine import Library


@click.group()
def command() -> None:
    """Fetch, list, check and make models.

    NAME is a name such as qwen2.5-coder:0.5b or hf.co/user/repository:Q4_K_M, a path to a .gguf file, or a path
    to a Modelfile. Without it, the default reviewer is meant.
    """


command.add_command(advise)

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_offline = click.option("--offline", is_flag=True, help="Never touch the network.")
_name = click.argument("name", required=False)


@command.command()
@_name
@_offline
@_json
def pull(name: str | None, offline: bool, as_json: bool) -> None:
    """Fetch a model, or check that it is here."""
    with _Telling() as telling:
        spec = _library(offline).pull(name or default_model(), telling)
    _say(as_json, _loadable(spec), f"{spec.name} is ready ({spec.digest[:12]})")


@command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Add what the catalogue has and this machine not.")
@_json
def list_models(everything: bool, as_json: bool) -> None:
    """List the models on this machine."""
    library = _library()
    here = library.list()
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "digest": model.digest,
            "size": model.size,
            "store": str(model.store),
            "problem": model.problem or None,
        }
        for model in here
    ]
    names = {row["name"] for row in rows}
    for entry in library.catalog.values() if everything else ():
        if entry.name not in names:
            known = {"name": entry.name, "digest": entry.sha256, "size": entry.bytes}
            rows.append({**known, "store": None, "problem": None})
    if as_json:
        click.echo(json.dumps({"models": rows}, indent=2))
        return
    table = [("NAME", "SIZE", "DIGEST", "STORE")]
    for row in rows:
        size, where = human_bytes(row["size"]), row["store"] or "not on this machine"
        table.append((row["name"], size, row["digest"][:12], where))
    click.echo(_aligned(table) if rows else "no models yet; run: hunkwise model pull")
    for row in rows:
        if row["problem"]:
            click.echo(visible_line(f"{row['name']}: {row['problem']}"), err=True)


@command.command()
@_name
@_json
def show(name: str | None, as_json: bool) -> None:
    """Describe a model that is on this machine."""
    shown = _library().show(name or default_model())
    spec = shown.spec
    facts = {
        **_loadable(spec),
        "size": shown.size,
        "store": str(shown.store) if shown.store else None,
        "architecture": shown.architecture,
        "quantization": shown.quantization,
        "context": shown.context,
        "licenses": list(shown.licenses),
        "parameters": dict(spec.parameters),
        "without_effect": list(shown.without_effect),
        "template": spec.template,
        "system": spec.system,
        "messages": [{"role": role, "content": content} for role, content in spec.messages],
    }
    table = [("name", spec.name), ("size", human_bytes(shown.size)), ("digest", spec.digest)]
    table += [("weights", str(path)) for path in spec.weights]
    table += [("adapter", f"{path} x {scale:g}") for path, scale in spec.adapters]
    table += [("draft", str(spec.draft))] if spec.draft else []
    table += [("kind", f"{shown.architecture}, {shown.quantization}, {shown.context} tokens of context")]
    table += [("licence", text.strip().partition("\n")[0]) for text in shown.licenses]
    table += [("parameter", f"{key} {_value(value)}") for key, value in spec.parameters.items()]
    if shown.without_effect:
        idle = ", ".join(shown.without_effect)
        table += [("no effect", f"{idle} (reviews always take the likeliest token)")]
    table += [("template", "of the Modelfile" if spec.template else "of the GGUF file")]
    table += [("system", spec.system)] if spec.system else []
    table += [("message", f"{role}: {content}") for role, content in spec.messages]
    _say(as_json, facts, _aligned(table))


@command.command()
@click.argument("name")
@click.option(
    "-f",
    "--file",
    "modelfile",
    default="Modelfile",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The Modelfile.",
)
@_offline
@_json
def create(name: str, modelfile: Path, offline: bool, as_json: bool) -> None:
    """Store a model under NAME, as a Modelfile says."""
    with _Telling() as telling:
        spec = _library(offline).create(name, modelfile, telling)
    _say(as_json, _loadable(spec), f"{spec.name} is made ({spec.digest[:12]})")


@command.command()
@_name
@_json
def verify(name: str | None, as_json: bool) -> None:
    """Hash a model's files again and compare."""
    name = name or default_model()
    with _Telling() as telling:
        files = _library().verify(name, telling)
    paths = [str(path) for path in files]
    what = "file is" if len(paths) == 1 else "files are"
    _say(as_json, {"name": name, "verified": paths}, f"{name}: {len(paths)} {what} as the digest says")


@command.command()
@click.argument("name")
@_json
def rm(name: str, as_json: bool) -> None:
    """Remove a model, and what no other model uses of it."""
    freed = _library().remove(name)
    kept = "" if freed else ", since other models use its files"
    _say(as_json, {"name": name, "freed": freed}, f"{name} is removed; {human_bytes(freed)} freed{kept}")


def _library(offline: bool = False) -> Library:
    library: Library = library_from_environment(os.environ, offline=offline)
    return library


class _Telling(Progress):
    """Progress on a terminal; what a pull notes stays to be read, there and in logs."""

    def __init__(self) -> None:
        self._drawn = wanted(sys.stderr, os.environ)
        super().__init__(sys.stderr, enabled=self._drawn)

    def __call__(self, phase: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        if total:
            super().__call__(phase, done, total, detail)
        else:
            click.echo(("\r\x1b[K" if self._drawn else "") + visible_line(phase), err=True)


def _loadable(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "digest": spec.digest,
        "weights": [str(path) for path in spec.weights],
        "adapters": [{"path": str(path), "scale": scale} for path, scale in spec.adapters],
        "draft": str(spec.draft) if spec.draft else None,
    }


def _value(value: object) -> str:
    return json.dumps(list(value)) if isinstance(value, tuple) else str(value)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    shown = [[visible_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


def _say(as_json: bool, facts: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(facts, indent=2) if as_json else visible(text))
