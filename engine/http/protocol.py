"""`/api/bundle`: the engine's port over HTTP. A bundle goes as JSON, lines of JSON come back.

Each line is an object: `{"text": [ID, PIECE, TOKENS]}` as a text grows, `{}` to show that the server is at work,
and at last `{"answers": […]}` or `{"error": {…}}`. What comes from a client is hostile until
`read_bundle` has passed it.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.port import EngineCard
from hunkwise.engine.types import Bundle
from hunkwise.engine.worker.wire import (
    BadMessage,
    pack,
    pack_answers,
    pack_error,
    pack_piece,
    pack_size,
    unpack,
)

T = TypeVar("T")
PATH = "/api/bundle"
BEAT = 2.0  # seconds between lines while a server is at work

__all__ = [
    "BEAT",
    "PATH",
    "pack_answers",
    "pack_error",
    "pack_piece",
    "pack_size",
    "read_bundle",
    "read_card",
    "write_bundle",
    "write_card",
]


def write_bundle(bundle: Bundle, model: str = "") -> dict[str, Any]:
    """Make the body of a request; no model is the server's own."""
    return {"model": model, "bundle": pack(bundle)}


def read_bundle(body: object) -> tuple[str, Bundle]:
    """Read the body of a request: the model's name, and the bundle. Raises InvalidQuestion."""
    if (
        not isinstance(body, dict)
        or set(body) - {"model", "bundle"}
        or not isinstance(body.get("model", ""), str)
    ):
        raise InvalidQuestion('a request is {"model": NAME, "bundle": BUNDLE}')
    return body.get("model", ""), _read(body.get("bundle"), Bundle)


def write_card(card: EngineCard) -> Any:
    """Turn a card into JSON."""
    return pack(card)


def read_card(value: object) -> EngineCard:
    """Read a card. Raises InvalidQuestion."""
    return _read(value, EngineCard)


def _read(value: object, kind: type[T]) -> T:
    try:
        made = unpack(value)
    except (BadMessage, RecursionError) as error:
        raise InvalidQuestion(f"no {kind.__name__}: {error}") from error
    wrong = misfit(made, kind, kind.__name__.lower())
    if wrong:
        raise InvalidQuestion(wrong)
    assert isinstance(made, kind)
    return made


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def misfit(value: object, hint: Any, where: str) -> str:
    """Say where a value is not what its type says; nothing if it is."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return ""
    if origin in (Union, types.UnionType):
        fits = any(not misfit(value, each, where) for each in inner)
        named = [each for each in inner if each is not type(None) and type(value) is each]
        return "" if fits else misfit(value, named[0], where) if named else _not(where, hint)
    if origin is Literal:
        return "" if value in inner and type(value) in {type(each) for each in inner} else _not(where, hint)
    if origin is tuple:
        if not isinstance(value, tuple):
            return _not(where, hint)
        return next(
            (wrong for n, each in enumerate(value) if (wrong := misfit(each, inner[0], f"{where}.{n}"))), ""
        )
    if origin is not None and issubclass(origin, Mapping):
        return "" if isinstance(value, Mapping) else _not(where, hint)
    if dataclasses.is_dataclass(hint):
        if type(value) is not hint:
            return _not(where, hint)
        hints = _hints(type(value))
        fields = ((name, getattr(value, name)) for name in hints)
        return next(
            (wrong for name, each in fields if (wrong := misfit(each, hints[name], f"{where}.{name}"))), ""
        )
    if hint is float:
        return "" if type(value) in (int, float) else _not(where, hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "" if value in list(hint) else _not(where, hint)
    return "" if type(value) is hint else _not(where, hint)


def _not(where: str, hint: Any) -> str:
    return f"{where} is no {getattr(hint, '__name__', None) or hint}"
