"""What surrounds a run, as one value that each door makes once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]
"""Tells the user a sentence beside the report."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables, the folder that relative names begin in, and who is told what happens beside the report."""

    variables: Mapping[str, str]
    folder: Path
    say: Say
