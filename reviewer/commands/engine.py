"""Opening the engine that the configuration names: find or fetch the model, fit it to this machine, load it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from hunkwise import engine
from hunkwise.reviewer.commands.progress import Progress
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.visible import visible

if TYPE_CHECKING:
    from hunkwise.engine import Engine


def open_engine(config: Config, environ: Mapping[str, str], progress: Progress) -> Engine:
    """Open the model of the configuration, fetching it first if it is not here. Raises EngineError."""
    engine.build()  # without llama-cpp-python a download would be for nothing
    library = engine.library_from_environment(environ, offline=config.offline)
    spec = library.ensure(config.model, progress)
    progress(f"loading {spec.name}")
    opened: Engine = engine.open_local(spec, say=_say)
    return opened


def _say(sentence: str) -> None:
    click.echo(f"hunkwise: {visible(sentence)}", err=True)
