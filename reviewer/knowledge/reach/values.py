"""What a change does elsewhere, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hunkwise.reviewer.types import FileDiff

Kind = Literal["arguments", "result", "override", "removed", "module", "copy"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where what is there still fits only what was; `why` says how, in words that follow "it"."""

    path: str
    line: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """What the change of a file breaks elsewhere.

    `line` is one of the file's new lines; `before` and `now` are the head of the definition on both sides.
    """

    file: FileDiff
    line: int
    kind: Kind
    name: str
    places: tuple[Place, ...]
    before: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found. `late`: the time was over before all was looked at."""

    broken: tuple[Broken, ...] = ()
    late: bool = False
