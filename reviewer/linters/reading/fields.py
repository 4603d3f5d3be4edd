"""JSON that anybody may have written, read part by part; each part knows its place in the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

from hunkwise.reviewer.errors import ReviewError

_LARGEST_NUMBER = 10**9

T = TypeVar("T")


class Unreadable(ReviewError):
    """A report is not of its form; the message says where, and what was expected."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)


class Part:
    """A value in a document. What is missing is an empty part of any type; a wrong type is refused.

    A large report has millions of them, so each knows the part above it, and says its place when asked.
    """

    __slots__ = ("_above", "_name", "value")

    def __init__(self, value: object, name: str | int = "", above: Part | None = None) -> None:
        self.value, self._name, self._above = value, name, above

    @property
    def where(self) -> str:
        """Say where it stands."""
        if self._above is None:
            return str(self._name)
        own = f"[{self._name}]" if isinstance(self._name, int) else f".{self._name}"
        return f"{self._above.where}{own}".lstrip(".")

    def __getitem__(self, key: str) -> Part:
        """Give the part of an object that has a name."""
        held = self._typed(dict, "an object")
        found = held.get(key) if held else None
        return MISSING if found is None else Part(found, key, self)

    def __iter__(self) -> Iterator[Part]:
        """Give the parts of a list."""
        held: list[object] = self._typed(list, "a list") or []
        return (Part(value, at, self) for at, value in enumerate(held))

    def __bool__(self) -> bool:
        """True if it is there."""
        return self.value is not None

    def at(self, index: int) -> Part:
        """Give one part of a list; an empty one beyond its ends."""
        held = self._typed(list, "a list") or []
        return Part(held[index], index, self) if 0 <= index < len(held) else MISSING

    def text(self, most: int = 10_000) -> str:
        """Give a text, cut where nobody reads on."""
        return (self._typed(str, "text") or "")[:most]

    def number(self, missing: int = 0) -> int:
        """Give a whole number."""
        if self.value is None:
            return missing
        if type(self.value) is not int or abs(self.value) > _LARGEST_NUMBER:
            raise Unreadable(self.where, "must be a whole number")
        return self.value

    def _typed(self, kind: type[T], what: str) -> T | None:
        if self.value is None or isinstance(self.value, kind):
            return self.value
        raise Unreadable(self.where or "the report", f"must be {what}")


MISSING = Part(None)


def read_json(data: bytes | str, where: str = "") -> Part:
    """Parse JSON. Raises Unreadable."""
    try:
        return Part(json.loads(data, parse_constant=_refuse), where)
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}, column {error.colno}"
        raise Unreadable(place, f"no JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise Unreadable(where, "no JSON: it is no Unicode text") from None
    except RecursionError:
        raise Unreadable(where, "no JSON that can be read: it is nested too deep") from None
    except ValueError as error:
        raise Unreadable(where, f"no JSON: {error}") from None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number")
