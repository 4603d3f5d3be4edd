"""`hunkwise config`: show the settings with their origins, check a file, print the schema for editors."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hunkwise.engine import library_from_environment
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.app.baseline import read_baseline
from hunkwise.reviewer.app.cache import place_from_environment
from hunkwise.reviewer.app.engines import LLAMACPP, engine_and_model
from hunkwise.reviewer.config.files import find, load, read_file
from hunkwise.reviewer.config.guidelines import read_guidelines
from hunkwise.reviewer.config.settings import Config, keys, plain, schema
from hunkwise.reviewer.errors import ConfigError, ReviewError
from hunkwise.reviewer.judge.likelihood.precision import point_of
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.server.settings import server_settings
from hunkwise.reviewer.text.visible import visible_line


@click.group("config")
def command() -> None:
    """Show and check the configuration."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Print each setting with its value and where the value comes from."""
    config = load(flags={}, environ=os.environ, folder=Path.cwd())
    rows = {**described(config), **served(os.environ)}
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


def served(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give the settings of `hunkwise serve` likewise; they are made by flags and variables, in no file."""
    shown = server_settings({}, environ).shown()
    return {
        f"serve.{name}": {"value": plain(None if value == math.inf else value), "origin": origin}
        for name, value, origin in shown
    }


@command.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Name what a review would refuse of a configuration file; without FILE of the one that holds in this folder.

    Paths in it are looked up, and the model; nothing is fetched.
    """
    path = file or find(Path.cwd())
    if path is None:
        raise ConfigError("no .hunkwise.toml and no [tool.hunkwise] here; make one with: hunkwise init")
    layer = read_file(path)
    config = load(flags={}, environ=os.environ, folder=Path.cwd(), file=file)
    if problems := refused(config, os.environ, Path.cwd()):
        raise ConfigError("\n".join([f"{path}: a review would refuse it:", *problems]))
    click.echo(visible_line(f"{path}: {plural(len(layer.values), 'setting')}, all fine"))
    if any(rule.instructions for rule in config.rules) or read_guidelines(config, Path.cwd(), os.environ):
        click.echo(
            "hunkwise: guidelines and instructions shape how remarks are worded; by themselves they find nothing",
            err=True,
        )


def refused(config: Config, environ: Mapping[str, str], folder: Path) -> list[str]:
    """List what the parts of a review would refuse, each asked itself."""

    def model() -> None:
        engine, _ = engine_and_model(config.model)
        if engine != LLAMACPP or config.engine:
            return
        library = library_from_environment(environ, offline=config.offline)
        digest = library.digest(config.model)
        if config.precision_target:
            point_of(config.precision_target, config.model, digest)

    problems = []
    for part in (
        lambda: read_guidelines(config, folder, environ),
        lambda: read_baseline(config, folder, environ),
        lambda: place_from_environment(environ),
        model,
    ):
        try:
            part()
        except (ReviewError, EngineError) as error:
            problems.append(str(error))
    return problems


@command.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of .hunkwise.toml, for editors."""
    click.echo(json.dumps(schema(), indent=2))
