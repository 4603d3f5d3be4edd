"""What names an answer: an HMAC over everything that can change it, and over nothing else.

The fields are read off the dataclasses, so a new field is part of the key unless `NOT_IN_KEY` lists it.
Order is kept inside mappings, because the order of a JSON schema's properties is the order of the answer;
only the settings of a card, which have no order, are sorted.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Literal

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.port import EngineCard
from hunkwise.engine.types import Bundle, Choose, Embed, Generate, Question, Score

KEY_FORMAT = 1  # raise it when the meaning of a key or of an entry changes

# The shared text of a bundle is in the key; its other questions are not, each question has its own key.
NOT_IN_KEY: Mapping[type, frozenset[str]] = {
    EngineCard: frozenset({"model", "capabilities", "parameters"}),
    Bundle: frozenset({"questions", "priority", "deadline", "caller"}),
    Choose: frozenset({"id"}),
    Score: frozenset({"id"}),
    Generate: frozenset({"id"}),
    Embed: frozenset({"id"}),
}

Purpose = Literal["key", "entry"]


def derive(secret: bytes, namespace: str, purpose: Purpose) -> bytes:
    """Make the key of one namespace and purpose, so that neither can stand in for another."""
    label = f"hunkwise cache {purpose}\0{namespace}".encode("utf-8", "surrogateescape")
    return hmac.digest(secret, label, hashlib.sha256)


def answer_key(secret: bytes, card: EngineCard, bundle: Bundle, question: Question) -> str:
    """Name the answer to one question of a bundle, in 64 hex digits. `secret` comes from `derive`."""
    return _mac(secret, ["answer", _card(card), _plain(bundle), _plain(question)])


def size_key(secret: bytes, card: EngineCard, bundle: Bundle) -> str:
    """Name the token counts of a whole bundle, in 64 hex digits."""
    return _mac(secret, ["size", _card(card), _plain(bundle), [_plain(q) for q in bundle.questions]])


def value_key(secret: bytes, kind: str, card: EngineCard, parts: Sequence[object]) -> str:
    """Name a value that a model led to, and that is no answer of its, in 64 hex digits.

    `parts` are JSON or dataclasses, and hold all else that decides the value.
    """
    return _mac(secret, ["value", kind, _card(card), _plain(parts)])


def canonical(value: object) -> bytes:
    """Write JSON in its one form: ASCII, no blanks, no NaN; lone surrogates are escaped and so kept."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _mac(secret: bytes, parts: list[object]) -> str:
    try:
        text = canonical([KEY_FORMAT, *parts])
    except ValueError as error:
        raise InvalidQuestion(
            f"a schema or setting holds a number that JSON has no form for: {error}"
        ) from error
    return hmac.digest(secret, text, hashlib.sha256).hex()


def _card(card: EngineCard) -> object:
    return _plain(dataclasses.replace(card, settings=dict(sorted(card.settings.items()))))


def _plain(value: object) -> object:
    """Turn a value into JSON's types, each dataclass under its class name."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        left_out = NOT_IN_KEY.get(type(value), frozenset())
        names = [field.name for field in dataclasses.fields(value) if field.name not in left_out]
        return [type(value).__name__, {name: _plain(getattr(value, name)) for name in names}]
    raise InvalidQuestion(f"a schema or setting holds {value!r:.80}, which is not JSON")
