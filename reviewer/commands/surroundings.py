"""What surrounds a command: the process's environment, its folder, and its standard error."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.text.visible import visible_line


def surroundings() -> Environment:
    """Make the value that the use cases take."""
    return Environment(os.environ, Path.cwd(), say)


def say(sentence: str) -> None:
    """Tell the user a sentence on standard error."""
    click.echo(f"hunkwise: {visible_line(sentence)}", err=True)
