"""`hunkwise config`: show the settings with their origins, check a file, print the schema for editors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from hunkwise.reviewer.config import Config, keys, plain, schema
from hunkwise.reviewer.config_files import find, load, read_file
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.visible import visible_line


@click.group("config")
def command() -> None:
    """Show and check the configuration."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Print each setting with its value and where the value comes from."""
    config = load(flags={}, environ=os.environ, folder=Path.cwd())
    rows = described(config)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(map(len, rows))
    for key, row in rows.items():
        value = json.dumps(row["value"], ensure_ascii=False)
        click.echo(visible_line(f"{key:<{width}}  {value}  ({row['origin']})"))


def described(config: Config) -> dict[str, dict[str, Any]]:
    """Give each key's value, as a file would hold it, and its origin."""
    return {
        key: {"value": plain(getattr(config, name)), "origin": config.origin(name)}
        for key, name in keys().items()
    }


@command.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Check a configuration file; without FILE the one that holds in this folder."""
    path = file or find(Path.cwd())
    if path is None:
        raise ConfigError("no .hunkwise.toml and no [tool.hunkwise] here; make one with: hunkwise init")
    layer = read_file(path)
    click.echo(visible_line(f"{path}: {plural(len(layer.values), 'setting')}, all fine"))


@command.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of .hunkwise.toml, for editors."""
    click.echo(json.dumps(schema(), indent=2))
