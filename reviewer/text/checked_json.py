"""JSON read as the frozen values it was written from; every type and key is checked, and the length of text.

Who reads bounds the bytes; so lists are as long as they were written.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from hunkwise.reviewer.errors import ReviewError

_LONGEST_TEXT = 100_000  # characters of one string

Check = Callable[[object, str], None]
V = TypeVar("V")


class FormError(ReviewError):
    """A value is not of the form it should have; the message says where, and what was expected."""


def read(kind: type[V], value: object, where: str, check: Check = lambda built, where: None) -> V:
    """Build a dataclass from what `json.loads` gave for `dataclasses.asdict` of one.

    `check` is called with each dataclass built and its place, to check what types can't say. Raises FormError.
    """
    built = _read(kind, value, where, check)
    assert isinstance(built, kind)
    return built


def _read(wanted: Any, value: object, where: str, check: Check) -> Any:
    """Check `value` against a type and build it."""
    origin = typing.get_origin(wanted)
    if isinstance(wanted, types.UnionType):
        return _read_union(typing.get_args(wanted), value, where, check)
    if origin is tuple:
        return _read_list(typing.get_args(wanted)[0], value, where, check)
    if origin is Mapping:
        return _read_mapping(typing.get_args(wanted)[1], value, where, check)
    if dataclasses.is_dataclass(wanted):
        return _read_value(wanted, value, where, check)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return _read_word(wanted, value, where)
    return _read_scalar(wanted, value, where)


def _read_union(members: tuple[Any, ...], value: object, where: str, check: Check) -> Any:
    """None or one type; or one of several scalar types."""
    if value is None and type(None) in members:
        return None
    rest = [member for member in members if member is not type(None)]
    exact = next((member for member in rest if type(value) is member), rest[0])
    return _read(exact, value, where, check)


def _read_scalar(wanted: Any, value: object, where: str) -> Any:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise FormError(f"{where} must be {wanted.__name__}, not {type(value).__name__}")
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise FormError(f"{where} is longer than {_LONGEST_TEXT:,} characters")
    if isinstance(value, int | float) and abs(value) > 2**53:
        raise FormError(f"{where} is out of range")
    return value


def _read_word(wanted: type[StrEnum], value: object, where: str) -> StrEnum:
    if not isinstance(value, str) or value not in list(wanted):
        raise FormError(f"{where} must be one of {', '.join(wanted)}")
    return wanted(value)


def _read_list(item: Any, value: object, where: str, check: Check) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FormError(f"{where} must be a list")
    return tuple(_read(item, part, f"{where}[{index}]", check) for index, part in enumerate(value))


def _read_mapping(item: Any, value: object, where: str, check: Check) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormError(f"{where} must be an object")
    return {key: _read(item, part, f"{where}[{key!r:.40}]", check) for key, part in value.items()}


@cache
def _fields(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _read_value(wanted: Any, value: object, where: str, check: Check) -> Any:
    """Build a dataclass: all its keys, no others."""
    if not isinstance(value, dict):
        raise FormError(f"{where} must be an object")
    hints = _fields(wanted)
    for key in [*value.keys() - hints.keys(), *hints.keys() - value.keys()]:
        raise FormError(f"{where}: {'unknown' if key in value else 'missing'} key {key!r:.60}")
    built = wanted(**{key: _read(hint, value[key], f"{where}.{key}", check) for key, hint in hints.items()})
    check(built, where)
    return built
