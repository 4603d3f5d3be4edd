"""Cobertura's XML: classes with their files, whose names begin in one of the report's sources."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hunkwise.reviewer.linters.reading.elements import Elements
from hunkwise.reviewer.linters.runs import Runs

_SOURCE = ["coverage", "sources", "source"]
_CLASS = ["coverage", "packages", "package", "classes", "class"]
_LINE = [*_CLASS, "lines", "line"]  # those of its methods are among them
_MOST_SOURCES = 100
_LONGEST_SOURCE = 10_000
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_HITS = re.compile(r"-?\d{1,20}", re.ASCII)


def read(data: bytes, runs: Runs) -> None:
    """Read which lines were run. Raises Unreadable."""
    _Document(runs).read(data)


class _Document(Elements):
    def __init__(self, runs: Runs) -> None:
        super().__init__("coverage", typed=True)  # most writers name Cobertura's document type
        self._runs = runs
        self._sources: list[str] = []
        self._lines: dict[int, bool] | None = None

    def element(self, attributes: Mapping[str, str]) -> None:
        if self.open == _SOURCE:
            if len(self._sources) == _MOST_SOURCES:
                raise self.refused(f"more than {_MOST_SOURCES} sources")
            self._sources.append("")
        elif self.open == _CLASS:
            if "filename" not in attributes:
                raise self.refused("a <class> has no filename")
            self._lines = self._runs.lines(attributes["filename"], self._sources)
        elif self.open == _LINE and self._lines is not None:
            number, hits = attributes.get("number", ""), attributes.get("hits", "")
            if not _NUMBER.fullmatch(number) or not _HITS.fullmatch(hits):
                raise self.refused("the number and the hits of a <line> must be whole numbers")
            at = int(number)
            self._lines[at] = self._lines.get(at, False) or int(hits) > 0

    def text(self, text: str) -> None:
        if self.open == _SOURCE:
            self._sources[-1] += text
            if len(self._sources[-1]) > _LONGEST_SOURCE:
                raise self.refused("a <source> is too long")
