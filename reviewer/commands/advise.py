"""`hunkwise model advise`: which published quantization of a model suits this machine."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hunkwise import engine
from hunkwise.reviewer.text.visible import visible_line

if TYPE_CHECKING:
    from hunkwise.engine.planning.advice import Advice

_RUNS = {"gpu": "on the GPU", "cpu": "on the CPU", "none": "does not fit"}


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def advise(name: str | None, as_json: bool) -> int:
    """Say which quantization of a model suits this machine.

    NAME is hf.co/user/repository, or a model of the catalogue. Exit codes: 0 one fits; 2 none does.
    """
    name = name or engine.default_model()
    names = engine.library_from_environment(os.environ).published(name)
    published = [engine.Published(quant, size) for quant, (_, size) in names.items()]
    rows: tuple[Advice, ...] = engine.advise(published, engine.survey())
    best = next((row for row in rows if row.best), None)
    pull = names[best.quantization][0] if best else None
    if as_json:
        click.echo(
            json.dumps({"name": name, "pull": pull, "quantizations": list(map(asdict, rows))}, indent=2)
        )
        return 0 if best else 2
    for row in rows:
        mark = "*" if row.best else " "
        line = f"{mark} {row.quantization:<10}{engine.human_bytes(row.bytes):>10}  {_RUNS[row.place]}"
        click.echo(visible_line(line))
    click.echo(
        visible_line(f"run: hunkwise model pull {pull}" if pull else "none fits; choose a smaller model")
    )
    return 0 if best else 2
