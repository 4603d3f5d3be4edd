"""Ruff's own JSON, which alone says which fixes are safe: https://docs.astral.sh/ruff/settings/#output-format."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Part, Unreadable, read_json
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Edit, Reported, address, lines, name
from hunkwise.reviewer.types import Severity

_SYNTAX = "invalid-syntax"
_OF_A_VERSION = (
    " on Python 3."  # "Cannot use … on Python 3.13 (syntax was added in Python 3.14)": it is not known here
)


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a list of messages."""
    messages = read_json(data)
    if not isinstance(messages.value, list):
        raise Unreadable("the report", "must be a list of messages")
    for message in messages:
        rule, text = name(message["code"].text()) or _SYNTAX, message["message"].text(LONGEST_MESSAGE)
        if rule == _SYNTAX and _OF_A_VERSION in text:
            continue
        place = message["location"]["row"].number()
        first, last = lines(place, message["end_location"]["row"].number(place))
        yield Reported(
            tool="ruff",
            rule=rule,
            path=root.relative(message["filename"].text()),
            start_line=first,
            end_line=last,
            severity=Severity.HIGH,
            message=text,
            url=address(message["url"].text()),
            edits=_edits(message["fix"]),
        )


def _edits(fix: Part) -> tuple[Edit, ...]:
    if fix["applicability"].text() != "safe":
        return ()
    return tuple(
        Edit(*_place(edit["location"]), *_place(edit["end_location"]), edit["content"].text())
        for edit in fix["edits"]
    )


def _place(part: Part) -> tuple[int, int]:
    return part["row"].number(), part["column"].number()
