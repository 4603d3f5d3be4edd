"""reviewdog's forms, rdjson and rdjsonl: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import MISSING, Part, Unreadable, read_json
from hunkwise.reviewer.linters.reported import (
    LONGEST_MESSAGE,
    Edit,
    Reported,
    address,
    lines,
    name,
    plain_rule,
)
from hunkwise.reviewer.types import Severity

_LEVELS = {"ERROR": Severity.HIGH, "WARNING": Severity.MEDIUM, "INFO": Severity.LOW}
_NUMBERED = {1: "ERROR", 2: "WARNING", 3: "INFO"}
_UNNAMED = "reviewdog"


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a DiagnosticResult."""
    result = read_json(data)
    if not result["diagnostics"]:
        raise Unreadable("diagnostics", "is missing, so this is no rdjson")
    for part in result["diagnostics"]:
        yield _diagnostic(part, root, result["source"], result["severity"])


def read_lines(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a Diagnostic on each line."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            part = read_json(line, f"line {number}")
            if not part["location"]:
                raise Unreadable(f"line {number}", "has no location, so this is no rdjsonl")
            yield _diagnostic(part, root, MISSING, MISSING)


def _diagnostic(part: Part, root: Root, source: Part, severity: Part) -> Reported:
    first, last = _lines(part["location"]["range"])
    named = name(part["source"]["name"].text() or source["name"].text()) or _UNNAMED
    tool, rule = plain_rule(named, part["code"]["value"].text())
    return Reported(
        tool=tool,
        rule=rule,
        path=root.relative(part["location"]["path"].text()),
        start_line=first,
        end_line=last,
        severity=_LEVELS.get(_level(part["severity"]) or _level(severity), Severity.MEDIUM),
        message=part["message"].text(LONGEST_MESSAGE),
        url=address(part["code"]["url"].text()),
        edits=_edits(part["suggestions"]),
    )


def _level(part: Part) -> str:
    """Read a level by its name, or by the number that protocol buffers give it."""
    return _NUMBERED.get(part.number(), "") if isinstance(part.value, int) else part.text()


def _lines(part: Part) -> tuple[int, int]:
    first = part["start"]["line"].number()
    last = part["end"]["line"].number(first)
    if last > first and part["end"]["column"].number() == 1:
        last -= 1  # an end with a column is not included
    return lines(first, last)


def _edits(suggestions: Part) -> tuple[Edit, ...]:
    """Give the first suggestion: of others only one can be taken."""
    one = suggestions.at(0)
    first, last = one["range"]["start"]["line"].number(), one["range"]["end"]["line"].number()
    if first < 1 or last < first:
        return ()
    start = one["range"]["start"]["column"].number()
    end = one["range"]["end"]["column"].number()
    return (Edit(first, max(start, 1), last, end, one["text"].text()),)
