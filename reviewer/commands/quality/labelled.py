"""What the verbs that read labelled changes share: cases, journal, plot, engine, and a count as they work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hunkwise.reviewer.app.progress import Progress, wanted
from hunkwise.reviewer.commands.flags import given, setting_flags
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.named_files import is_file
from hunkwise.reviewer.config.settings import Config

if TYPE_CHECKING:
    from hunkwise.engine import Engine

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class _File(click.Path):
    """A path to a file, or to where one is to be."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is there and no file: nobody may ever write into a pipe."""
        path = super().convert(value, param, ctx)
        if isinstance(path, Path) and path.exists() and not is_file(path):
            self.fail(f"{path} is a folder, a pipe or a device, and no file", param, ctx)
        return path


def labelled(command: F) -> F:
    """Add the cases, `--journal`, `--plot` and the settings of a review."""
    command = setting_flags(command)
    command = _file("--plot", "plot", "PNG|HTML", "Draw the reliability plot; a PNG needs hunkwise[plot].")(
        command
    )
    command = _file(
        "--journal", "journal", "FILE", "Keep what is done here; an interrupted run goes on from it."
    )(command)
    kind = _File(exists=True, path_type=Path)
    return click.argument("files", nargs=-1, required=True, metavar="CASES...", type=kind)(command)


def _file(flag: str, name: str, metavar: str, about: str) -> Callable[[F], F]:
    return click.option(flag, name, type=_File(path_type=Path), metavar=metavar, help=about)


def configured(values: dict[str, Any]) -> Config:
    """Build the configuration that holds here. Raises ConfigError."""
    return load(flags=given(values), environ=os.environ, folder=Path.cwd(), file=None, trusted=True)


def engine_for(ctx: click.Context, config: Config) -> Engine:
    """Open the configured model, with progress on a terminal."""
    from hunkwise.reviewer.app.engines import open_engine

    with Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress:
        if ctx.obj is not None:
            given_engine: Engine = ctx.obj(config, surroundings(), progress)
            return given_engine
        return open_engine(config, surroundings(), progress)


def counted(rows: Iterable[T], total: int) -> Iterator[T]:
    """Pass the rows on and count them on a terminal."""
    with Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress:
        progress("cases done:", 0, total)
        for number, row in enumerate(rows, 1):
            progress("cases done:", number, total)
            yield row
