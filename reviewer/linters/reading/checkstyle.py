"""Checkstyle's XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.elements import Elements
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Reported, by_rule, lines
from hunkwise.reviewer.types import Severity

_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}
_UNNAMED = "checkstyle"
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read the errors of each file."""
    document = _Document(root)
    document.read(data)
    return iter(document.reported)


class _Document(Elements):
    def __init__(self, root: Root) -> None:
        super().__init__("checkstyle")
        self._root = root
        self._path = ""
        self.reported: list[Reported] = []

    def element(self, attributes: Mapping[str, str]) -> None:
        if self.open == ["checkstyle", "file"]:
            if "name" not in attributes:
                raise self.refused("a <file> has no name")
            self._path = self._root.relative(attributes["name"])
        elif self.open == ["checkstyle", "file", "error"] and attributes.get("severity") != "ignore":
            self.reported.append(self._error(attributes))

    def _error(self, attributes: Mapping[str, str]) -> Reported:
        line = attributes.get("line", "0")
        if not _DIGITS.fullmatch(line):
            raise self.refused("the line of an <error> must be a whole number")
        tool, rule = by_rule(attributes.get("source", ""), _UNNAMED)
        first, last = lines(int(line), int(line))
        return Reported(
            tool=tool,
            rule=rule,
            path=self._path,
            start_line=first,
            end_line=last,
            severity=_LEVELS.get(attributes.get("severity", ""), Severity.MEDIUM),
            message=attributes.get("message", "")[:LONGEST_MESSAGE],
        )
