"""What holds what: the definitions and functions of a text lie within each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from hunkwise.reviewer.languages.symbols.values import SymbolKind


class Scope(NamedTuple):
    """What holds other things: a definition, a function without a name, or what only gives its name."""

    start: int
    end: int
    name: str
    kind: SymbolKind | None  # None: no definition
    function: bool


class Scopes:
    """The scopes of a text: they lie within each other."""

    def __init__(self, every: Sequence[Scope]) -> None:
        self.all = sorted(every, key=lambda one: (one.start, -one.end))
        self._starts = [one.start for one in self.all]
        self._parents: list[int] = []
        self._names: list[str] = []
        for number, one in enumerate(self.all):
            above = self._up(number - 1, one.start, one.end)
            self._parents.append(above)
            around = self._names[above] if above >= 0 else ""
            self._names.append(f"{around}.{one.name}" if around and one.name else one.name or around)

    def _up(self, number: int, start: int, end: int) -> int:
        while number >= 0 and not (self.all[number].start <= start and end <= self.all[number].end):
            number = self._parents[number]
        return number

    def at(self, place: int) -> int:
        """Number the innermost scope at a place; -1 for none."""
        return self._up(bisect_right(self._starts, place) - 1, place, place + 1)

    def above(self, number: int) -> int:
        """Number the scope around a scope."""
        return self._parents[number] if number >= 0 else -1

    def name(self, number: int) -> str:
        """Give the qualified name of a scope."""
        return self._names[number] if number >= 0 else ""

    def function(self, number: int) -> int:
        """Number the innermost function among a scope and those around it."""
        while number >= 0 and not self.all[number].function:
            number = self.above(number)
        return number
