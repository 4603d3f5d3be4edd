"""Definitions and uses from what the index holds of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from hunkwise.reviewer.knowledge.port import Definition, Use
from hunkwise.reviewer.languages.symbols.values import unpacked

_LONGEST = 300  # characters of a line


class Texts:
    """The lines of a file, from its passages."""

    def __init__(self, passages: Sequence[tuple[int, int, str, str]]) -> None:
        self._passages = sorted(passages, key=lambda one: one[0])
        self._starts = [start for start, *_ in self._passages]

    def line(self, number: int) -> str:
        """Give a line without the blanks around it; "" where it is not known."""
        at = bisect_right(self._starts, number) - 1
        if at < 0 or number > self._passages[at][1]:
            return ""
        start, _, _, text = self._passages[at]
        lines = text.split("\n")[number - start :]  # none of it where a long line is in pieces
        return lines[0].strip()[:_LONGEST] if lines else ""


def definition(path: str, row: list[Any]) -> Definition:
    """Make a definition of a row."""
    (one,) = unpacked([[row], [], [], True]).definitions
    return Definition(
        one.name,
        one.qualified,
        one.kind,
        path,
        one.start,
        one.end,
        one.head,
        tuple((each.name, each.default) for each in one.parameters),
        one.variadic,
        one.bases,
    )


def use(name: str, path: str, row: list[Any], texts: Texts) -> Use:
    """Make a use of a row."""
    line, inside, receiver, arguments, _ = row
    given = None if arguments is None else tuple(arguments)
    return Use(name, path, line, texts.line(line), inside, receiver, given)
