"""Checkstyle's XML. No document type is read, so there are no entities, and nothing outside the file is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.parsers import expat

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Unreadable
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Reported, by_rule, lines
from hunkwise.reviewer.types import Severity

_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}
_MOST_DEPTH = 20
_UNNAMED = "checkstyle"
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read the errors of each file."""
    return iter(_Document(root).read(data))


class _Document:
    """A document as it is gone through."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._open: list[str] = []
        self._path = ""
        self._reported: list[Reported] = []
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def read(self, data: bytes) -> list[Reported]:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise Unreadable(f"line {error.lineno}, column {error.offset + 1}", f"no XML: {what}") from None
        except (ValueError, LookupError) as error:  # an encoding that is none
            raise Unreadable("", f"no XML: {error}") from None
        return self._reported

    def _where(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def _refuse(self, *_: object) -> None:
        raise Unreadable(self._where(), "a document type is not read, for entities can do harm")

    def _start(self, element: str, attributes: Mapping[str, str]) -> None:
        self._open.append(element)
        if self._open[0] != "checkstyle":
            raise Unreadable(self._where(), f"must be <checkstyle>, not <{element[:40]}>")
        if len(self._open) > _MOST_DEPTH:
            raise Unreadable(self._where(), "is nested too deep")
        if self._open == ["checkstyle", "file"]:
            if "name" not in attributes:
                raise Unreadable(self._where(), "a <file> has no name")
            self._path = self._root.relative(attributes["name"])
        elif self._open == ["checkstyle", "file", "error"] and attributes.get("severity") != "ignore":
            self._reported.append(self._error(attributes))

    def _end(self, element: str) -> None:
        self._open.pop()

    def _error(self, attributes: Mapping[str, str]) -> Reported:
        line = attributes.get("line", "0")
        if not _DIGITS.fullmatch(line):
            raise Unreadable(self._where(), "the line of an <error> must be a whole number")
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
