"""How an engine's types cross a pipe: JSON with a length in front, never a pickle.

A value of a frozen type is an object with its class in "@"; tuples are arrays; lists, mappings and paths are
tagged too, so that everything comes back as it was. Both ends refuse what is larger than `LIMIT`.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hunkwise.engine import errors
from hunkwise.engine.errors import EngineError, NativeFailure
from hunkwise.engine.planning.plan import Plan
from hunkwise.engine.port import EngineCard, Served, Weights
from hunkwise.engine.store.codec import (
    BadEntry,
    read_answer,
    read_size,
    read_tokens,
    write_answer,
    write_size,
    write_tokens,
)
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choose,
    Embed,
    FileStamp,
    Generate,
    ModelSpec,
    Piece,
    Sampling,
    Score,
    Segment,
    Statistics,
    Usage,
)

LIMIT = 64 << 20  # bytes of one message
_LENGTH = struct.Struct(">I")
_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Segment,
        Choose,
        Score,
        Sampling,
        Generate,
        Embed,
        Bundle,
        Usage,
        Statistics,
        FileStamp,
        ModelSpec,
        Plan,
        Weights,
        Served,
        EngineCard,
    )
}


class BadMessage(ValueError):
    """What came over the pipe is no message of ours."""


def send(pipe: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message. Raises OSError if the other end is gone, BadMessage if it is too long."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > LIMIT:
        raise BadMessage(f"a message of {len(body)} bytes, more than {LIMIT}")
    pipe.sendall(_LENGTH.pack(len(body)) + body)


def receive(pipe: socket.socket) -> dict[str, Any] | None:
    """Wait for one message; None when the other end is gone. Raises BadMessage."""
    head = _read(pipe, _LENGTH.size)
    if head is None:
        return None
    length = _LENGTH.unpack(head)[0]
    if length > LIMIT:
        raise BadMessage(f"a message of {length} bytes, more than {LIMIT}")
    body = _read(pipe, length)
    if body is None:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("no JSON object")
    return message


def _read(pipe: socket.socket, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = pipe.recv(min(length - len(parts), 1 << 20))
        except OSError:  # reset, or closed by us
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


def pack(value: object) -> Any:
    """Turn a value of the engine's types into what JSON can hold."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Path():
            return {"@": "path", "of": str(value.absolute())}
        case tuple():
            return [pack(part) for part in value]
        case list():
            return {"@": "list", "of": [pack(part) for part in value]}
        case Mapping():
            return {"@": "map", "of": {str(key): pack(part) for key, part in value.items()}}
    name = type(value).__name__
    if _TYPES.get(name) is not type(value):
        raise BadMessage(f"a {name} can't be sent")
    fields = dataclasses.fields(_TYPES[name])
    return {"@": name, **{field.name: pack(getattr(value, field.name)) for field in fields}}


def unpack(value: Any) -> Any:
    """Turn JSON back into values. Raises BadMessage for a type or field that is not ours."""
    if isinstance(value, list):
        return tuple(map(unpack, value))
    if not isinstance(value, dict):
        return value
    fields = dict(value)
    name = fields.pop("@", None)
    if isinstance(name, str) and name in _TYPES:
        try:
            return _TYPES[name](**{key: unpack(part) for key, part in fields.items()})
        except TypeError as error:
            raise BadMessage(str(error)) from error
    match name, fields.get("of"):
        case "path", str(text):
            return Path(text)
        case "list", list(parts):
            return [unpack(part) for part in parts]
        case "map", dict(parts):
            return {key: unpack(part) for key, part in parts.items()}
    raise BadMessage(f"unknown type {name!r}")


def pack_answers(answers: tuple[Answer, ...]) -> list[Any]:
    """Turn answers into JSON; their ids are those of the questions."""
    return [[write_answer(answer), dataclasses.astuple(answer.usage)] for answer in answers]


def unpack_answers(bundle: Bundle, value: Any) -> tuple[Answer, ...]:
    """Check answers against the questions, as the cache does. Raises BadMessage."""
    try:
        pairs = zip(bundle.questions, value, strict=True)
        return tuple(
            dataclasses.replace(read_answer(question, body), usage=Usage(*map(int, usage)))
            for question, (body, usage) in pairs
        )
    except (BadEntry, TypeError, ValueError) as error:
        raise BadMessage(f"no answers to the questions: {error}") from error


def pack_piece(name: str, piece: str) -> list[Any]:
    """Turn a piece of a text into JSON: the id of its question, the text, its tokens."""
    return [name, str(piece), write_tokens(piece.tokens if isinstance(piece, Piece) else ())]


def unpack_piece(bundle: Bundle, value: Any) -> tuple[str, Piece]:
    """Check a piece against the questions. Raises BadMessage."""
    match value:
        case [str(name), str(text), tokens]:
            for question in bundle.questions:
                if question.id == name and isinstance(question, Generate):
                    try:
                        return name, Piece(text, read_tokens(question, tokens))
                    except BadEntry as error:
                        raise BadMessage(str(error)) from error
    raise BadMessage("no piece of a text that was asked for")


def pack_size(size: BundleSize) -> object:
    """Turn token counts into JSON."""
    return write_size(size)


def unpack_size(bundle: Bundle, value: Any) -> BundleSize:
    """Check token counts. Raises BadMessage."""
    try:
        return read_size(bundle, value)
    except BadEntry as error:
        raise BadMessage(str(error)) from error


def pack_error(error: BaseException) -> dict[str, Any]:
    """Turn an error into JSON; what is no EngineError is a bug and crosses as a NativeFailure."""
    if not isinstance(error, EngineError):
        error = NativeFailure(f"the engine failed with {type(error).__name__}: {error}; please report this")
    plain = {key: value for key, value in vars(error).items() if isinstance(value, int | float | str)}
    return {"name": type(error).__name__, "message": str(error), "fields": plain}


def unpack_error(value: Any) -> EngineError:
    """Make the error again, with its type, message and numbers. Raises BadMessage."""
    match value:
        case {"name": str(name), "message": str(message), "fields": dict(fields)}:
            kind = getattr(errors, name, None)
            if isinstance(kind, type) and issubclass(kind, EngineError):
                error = kind.__new__(kind)
                Exception.__init__(error, message)  # its own __init__ would word the message anew
                vars(error).update(fields)
                return error
    raise BadMessage("no error of the engine")
