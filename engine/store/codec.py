"""Entries: canonical JSON, compressed, authenticated for one key, and checked again when read.

An entry is a mark, a MAC over key and body, and the zlib-compressed body. Whatever comes back from a store
is hostile until `unseal` and a `read_…` function have passed it; both raise BadEntry, which counts as a miss.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import math
import zlib
from collections.abc import Sequence

from hunkwise.engine.store.key import canonical
from hunkwise.engine.types import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Embed,
    Embedding,
    Generate,
    Generated,
    Likely,
    Question,
    Score,
    Scored,
    TokenScore,
    Written,
)

MAX_ENTRY = 1 << 20  # bytes as stored
MAX_BODY = 8 << 20  # bytes of JSON
_MARK = b"hwc1"
_MAC_LENGTH = 32
_TOLERANCE = 1e-3  # of probabilities that should sum to 1


class BadEntry(ValueError):
    """An entry is not one that this cache wrote under this key."""


def seal(secret: bytes, key: str, value: object) -> bytes | None:
    """Write an entry; None if it is larger than a reader accepts, or holds a number JSON has no form for."""
    try:
        body = canonical(value)
    except ValueError:
        return None
    packed = zlib.compress(body)
    entry = _MARK + _mac(secret, key, packed) + packed
    return entry if len(entry) <= MAX_ENTRY and len(body) <= MAX_BODY else None


def unseal(secret: bytes, key: str, entry: bytes) -> object:
    """Authenticate and unpack an entry. Raises BadEntry."""
    head = len(_MARK) + _MAC_LENGTH
    if not head < len(entry) <= MAX_ENTRY or not entry.startswith(_MARK):
        raise BadEntry("no entry of this cache")
    packed = entry[head:]
    if not hmac.compare_digest(entry[len(_MARK) : head], _mac(secret, key, packed)):
        raise BadEntry("not written with this secret, or not under this key")
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(packed, MAX_BODY)
        if not unpacker.eof or unpacker.unused_data:
            raise BadEntry("larger than an entry may be")
        value: object = json.loads(body)
    except (zlib.error, ValueError, RecursionError) as error:
        raise BadEntry(str(error)) from error
    return value


def _mac(secret: bytes, key: str, packed: bytes) -> bytes:
    return hmac.digest(secret, key.encode("ascii") + b"\0" + packed, hashlib.sha256)


def write_answer(answer: Answer) -> object:
    """Turn an answer into JSON's types, without id and usage: those belong to the call."""
    body = dataclasses.asdict(answer)
    del body["id"], body["usage"]
    if isinstance(answer, Generated):
        body["tokens"] = write_tokens(answer.tokens)
    return body


def read_answer(question: Question, value: object) -> Answer:
    """Make the answer to `question` from JSON, with no usage: nothing was computed. Raises BadEntry."""
    match question:
        case Choose():
            return _read_choice(question, value)
        case Score():
            return _read_scored(question, value)
        case Generate():
            return _read_generated(question, value)
        case Embed():
            return _read_embedding(question, value)


def write_size(size: BundleSize) -> object:
    """Turn token counts into JSON's types."""
    return dataclasses.asdict(size)


def read_size(bundle: Bundle, value: object) -> BundleSize:
    """Make token counts from JSON. Raises BadEntry."""
    fields = _fields(value, BundleSize)
    counts = fields["questions"]
    _demand(isinstance(counts, list) and len(counts) == len(bundle.questions), "one count a question")
    assert isinstance(counts, list)
    return BundleSize(_count(fields["shared"]), tuple(map(_count, counts)), _count(fields["limit"]))


def _read_choice(question: Choose, value: object) -> Choice:
    fields = _fields(value, Choice)
    probabilities, logprobs = _numbers(fields["probabilities"]), _numbers(fields["logprobs"])
    _demand(len(probabilities) == len(logprobs) == len(question.options), "one number an option")
    _demand(all(0 <= p <= 1 for p in probabilities), "probabilities in 0..1")
    _demand(abs(sum(probabilities) - 1) <= _TOLERANCE, "probabilities that sum to 1")
    return Choice(question.id, probabilities, logprobs)


def _read_scored(question: Score, value: object) -> Scored:
    tokens = _fields(value, Scored)["tokens"]
    _demand(isinstance(tokens, list), "a list of tokens")
    assert isinstance(tokens, list)
    length = len(question.text.encode("utf-8", "surrogateescape"))
    return Scored(question.id, tuple(_read_token(token, length) for token in tokens))


def _read_token(value: object, length: int) -> TokenScore:
    fields = _fields(value, TokenScore)
    start, end = _count(fields["start"]), _count(fields["end"])
    _demand(start <= end <= length, "a token inside the scored text")
    return TokenScore(
        _text(fields["text"]),
        start,
        end,
        _number(fields["logprob"]),
        _number(fields["favourite_logprob"]),
        _text(fields["favourite"]),
    )


def _read_generated(question: Generate, value: object) -> Generated:
    fields = _fields(value, Generated)
    finish = fields["finish"]
    if finish not in ("stop", "length", "schema"):
        raise BadEntry("finish is none of stop, length, schema")
    tokens = read_tokens(question, fields["tokens"])
    return Generated(question.id, _text(fields["text"]), finish, tokens=tokens)


def write_tokens(tokens: Sequence[Written]) -> list[object]:
    """Turn written tokens into JSON's types, their bytes into hex."""
    return [
        [token.data.hex(), token.logprob, [[each.data.hex(), each.logprob] for each in token.alternatives]]
        for token in tokens
    ]


def read_tokens(question: Generate, value: object) -> tuple[Written, ...]:
    """Make written tokens from JSON. Raises BadEntry, also for more of them than were asked for."""
    most = question.max_tokens if question.logprobs is not None else 0
    if not isinstance(value, list) or len(value) > most:
        raise BadEntry(f"expected a list of at most {most} tokens")
    return tuple(_read_written(token, question.logprobs or 0) for token in value)


def _read_written(value: object, most: int) -> Written:
    match value:
        case [str(data), logprob, list(others)] if len(others) <= most:
            return Written(_bytes(data), _number(logprob), tuple(map(_read_likely, others)))
    raise BadEntry("expected a token with its alternatives")


def _read_likely(value: object) -> Likely:
    match value:
        case [str(data), logprob]:
            return Likely(_bytes(data), _number(logprob))
    raise BadEntry("expected a token")


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BadEntry("expected hex digits") from error


def _read_embedding(question: Embed, value: object) -> Embedding:
    vector = _numbers(_fields(value, Embedding)["vector"])
    _demand(bool(vector), "a vector")
    length = math.hypot(*vector)
    _demand(not question.normalised or not length or abs(length - 1) <= _TOLERANCE, "a vector of length 1")
    return Embedding(question.id, vector)


def _fields(value: object, kind: type[Answer | BundleSize | TokenScore]) -> dict[str, object]:
    names = {field.name for field in dataclasses.fields(kind)} - {"id", "usage"}
    if not isinstance(value, dict) or set(value) != names:
        raise BadEntry(f"not the fields of {kind.__name__}")
    return value


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise BadEntry(f"expected {what}")


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise BadEntry("expected a list of numbers")
    return tuple(map(_number, value))


def _number(value: object) -> float:
    if type(value) is not float and type(value) is not int:
        raise BadEntry("expected a number")
    if not math.isfinite(value):
        raise BadEntry("expected a finite number")
    return float(value)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise BadEntry("expected a count")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise BadEntry("expected text")
    return value
