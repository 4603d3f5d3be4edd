"""JSON read as the frozen values it was written from; every type and key is checked, and the length of text.

Who reads bounds the bytes; so lists are as long as they were written.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from hunkwise.reviewer.errors import ReviewError

_LONGEST_TEXT = 100_000  # characters of one string

Check = Callable[[object, str], None]
V = TypeVar("V")


class FormError(ReviewError):
    """A value is not of the form it should have; the message says where, and what was expected."""


@dataclass(frozen=True, slots=True)
class Form:
    """How strict a reader is.

    `check` is called with each dataclass built and its place, to check what types can't say. A `partial` reader
    gives a key that is absent its default; a `lenient` one also a key that is null, and passes over keys that it
    does not know.
    """

    check: Check = lambda built, where: None
    partial: bool = False
    lenient: bool = False
    longest_text: int = _LONGEST_TEXT


def read(kind: type[V], value: object, where: str, check: Check = lambda built, where: None) -> V:
    """Build a dataclass from what `json.loads` gave for `dataclasses.asdict` of one. Raises FormError."""
    return read_as(Form(check), kind, value, where)


def read_as(form: Form, kind: type[V], value: object, where: str = "") -> V:
    """Build a dataclass from what `json.loads` gave, as strictly as `form` says. Raises FormError.

    `where` names the value in errors; empty for the body of a request, whose keys then stand by themselves.
    """
    built = _read(kind, value, where, form)
    assert isinstance(built, kind)
    return built


def _read(wanted: Any, value: object, where: str, form: Form) -> Any:
    """Check `value` against a type and build it."""
    origin = typing.get_origin(wanted)
    if wanted is Any:
        return value
    if origin is typing.Literal:
        return _read_one_of(typing.get_args(wanted), value, where)
    if isinstance(wanted, types.UnionType):
        return _read_union(typing.get_args(wanted), value, where, form)
    if origin is tuple:
        return _read_list(typing.get_args(wanted)[0], value, where, form)
    if origin is Mapping:
        return _read_mapping(typing.get_args(wanted)[1], value, where, form)
    if dataclasses.is_dataclass(wanted):
        return _read_value(wanted, value, where, form)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return _read_word(wanted, value, where)
    return _read_scalar(wanted, value, where, form)


def _read_union(members: tuple[Any, ...], value: object, where: str, form: Form) -> Any:
    """None, or one of several types: the first of the value's own kind."""
    if value is None and type(None) in members:
        return None
    rest = [member for member in members if member is not type(None)]
    fitting = next((member for member in rest if _kind(member) is type(value)), rest[0])
    return _read(fitting, value, where, form)


def _kind(wanted: Any) -> Any:
    """Say which of JSON's types a value of this type is written as."""
    origin = typing.get_origin(wanted)
    if origin is Mapping or dataclasses.is_dataclass(wanted):
        return dict
    return list if origin is tuple else wanted


def _read_scalar(wanted: Any, value: object, where: str, form: Form) -> Any:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise FormError(f"{where} must be {wanted.__name__}, not {type(value).__name__}")
    if isinstance(value, str) and len(value) > form.longest_text:
        raise FormError(f"{where} is longer than {form.longest_text:,} characters")
    if isinstance(value, int | float) and abs(value) > 2**53:
        raise FormError(f"{where} is out of range")
    return value


def _read_word(wanted: type[StrEnum], value: object, where: str) -> StrEnum:
    return wanted(_read_one_of(tuple(wanted), value, where))


def _read_one_of(words: tuple[str, ...], value: object, where: str) -> str:
    if not isinstance(value, str) or value not in words:
        raise FormError(f"{where} must be one of {', '.join(words)}")
    return value


def _read_list(item: Any, value: object, where: str, form: Form) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FormError(f"{where} must be a list")
    return tuple(_read(item, part, f"{where}[{index}]", form) for index, part in enumerate(value))


def _read_mapping(item: Any, value: object, where: str, form: Form) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormError(f"{where} must be an object")
    return {key: _read(item, part, f"{where}[{key!r:.40}]", form) for key, part in value.items()}


@cache
def _fields(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


@cache
def _optional(wanted: type) -> frozenset[str]:
    """Name the fields that have a default."""
    fields = dataclasses.fields(wanted)
    return frozenset(
        each.name for each in fields if (each.default, each.default_factory) != (MISSING, MISSING)
    )


def _read_value(wanted: Any, value: object, where: str, form: Form) -> Any:
    """Build a dataclass: all its keys, no others; a partial reader takes fewer, a lenient one also more."""
    if not isinstance(value, dict):
        raise FormError(f"{where or 'the body'} must be an object")
    hints = _fields(wanted)
    optional = _optional(wanted) if form.partial or form.lenient else frozenset()
    if form.lenient:
        value = {k: v for k, v in value.items() if k in hints and (v is not None or k not in optional)}
    if optional:
        hints = {key: hint for key, hint in hints.items() if key in value or key not in optional}
    for key in [*value.keys() - hints.keys(), *hints.keys() - value.keys()]:
        place = f"{where}: " if where else ""
        raise FormError(f"{place}{'unknown' if key in value else 'missing'} key {key!r:.60}")
    place = f"{where}." if where else ""
    built = wanted(**{key: _read(hint, value[key], f"{place}{key}", form) for key, hint in hints.items()})
    form.check(built, where)
    return built
