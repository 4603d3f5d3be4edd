from __future__ import annotations

import json
import math
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine import (
    Answer,
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    TokenScore,
    Usage,
)
from hunkwise.engine.store import codec
from hunkwise.engine.store.codec import (
    MAX_BODY,
    MAX_ENTRY,
    BadEntry,
    read_answer,
    read_size,
    seal,
    unseal,
    write_answer,
    write_size,
)

SECRET, KEY = b"s" * 32, "k" * 64
TOKEN = TokenScore("a\udc80", 0, 1, -0.5, -0.25)
CASES: list[tuple[Question, Answer]] = [
    (Choose("q", (), ("a", "b")), Choice("q", (0.25, 0.75), (-2.0, -1.0), Usage(1, 2, 3, 4))),
    (Score("q", (), "ab"), Scored("q", (TOKEN, TOKEN))),
    (Generate("q", (), 9), Generated("q", '{"a": "é\ud800"}', "schema")),
]


def sealed(value: object) -> bytes:
    made = seal(SECRET, KEY, value)
    assert made is not None
    return made


@pytest.mark.parametrize(("question", "answer"), CASES)
def test_round_trip(question: Question, answer: Answer) -> None:
    """An answer comes back as it was, bit for bit, but with no usage."""
    back = read_answer(question, unseal(SECRET, KEY, sealed(write_answer(answer))))
    assert type(back) is type(answer)
    assert write_answer(back) == write_answer(answer)
    assert back.usage == Usage()


def test_size_round_trip() -> None:
    """Token counts come back as they were."""
    bundle = Bundle((), (CASES[0][0], CASES[1][0]))
    size = BundleSize(3, (1, 2), 99)
    assert read_size(bundle, unseal(SECRET, KEY, sealed(write_size(size)))) == size


@given(st.binary(max_size=200), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_poison(noise: bytes, place: int) -> None:
    """Neither noise nor an entry with noise in it is accepted, and neither raises anything but BadEntry."""
    good = sealed({"a": 1})
    place %= len(good)
    for bad in (noise, good[:place], good[:place] + noise + good[place:], good[:place] + noise):
        if bad != good:
            with pytest.raises(BadEntry):
                unseal(SECRET, KEY, bad)


def test_foreign() -> None:
    """An entry is good for its key and its secret only."""
    for secret, key in ((b"t" * 32, KEY), (SECRET, "l" * 64)):
        with pytest.raises(BadEntry):
            unseal(secret, key, sealed([1]))


def forged(body: bytes) -> bytes:
    """Authenticate any bytes, as a thief of the secret could."""
    return b"hwc1" + codec._mac(SECRET, KEY, body) + body


def test_bomb() -> None:
    """A small entry that unpacks to gigabytes is refused after the first few megabytes."""
    bomb = forged(zlib.compress(b"[" + b" " * (2 * MAX_BODY), 9))
    assert len(bomb) < MAX_ENTRY
    with pytest.raises(BadEntry, match="larger"):
        unseal(SECRET, KEY, bomb)


@pytest.mark.parametrize(
    "body", [b"", b"[" * 100_000, b"{", b"\xff", b"nan"], ids=["empty", "deep", "cut", "bytes", "word"]
)
def test_bad_json(body: bytes) -> None:
    """What is authentic but no JSON is refused like the rest."""
    with pytest.raises(BadEntry):
        unseal(SECRET, KEY, forged(zlib.compress(body)))


def test_too_large_is_not_written() -> None:
    """What no reader would accept is not written."""
    incompressible = json.dumps([str(math.sin(i)) for i in range(200_000)])
    assert seal(SECRET, KEY, incompressible) is None
    assert seal(SECRET, KEY, [float("inf")]) is None


CHOICE = {"probabilities": [0.5, 0.5], "logprobs": [-1, -1]}
SCORED = write_answer(CASES[1][1])
BAD: list[tuple[Question, Any]] = [
    (CASES[0][0], None),
    (CASES[0][0], []),
    (CASES[0][0], {}),
    (CASES[0][0], {**CHOICE, "more": 1}),
    (CASES[0][0], {**CHOICE, "probabilities": [1.0]}),
    (CASES[0][0], {**CHOICE, "probabilities": [0.9, 0.9]}),
    (CASES[0][0], {**CHOICE, "probabilities": [-0.5, 1.5]}),
    (CASES[0][0], {**CHOICE, "probabilities": [True, False]}),
    (CASES[0][0], {**CHOICE, "probabilities": "ab"}),
    (CASES[0][0], {**CHOICE, "logprobs": [float("nan"), 0.0]}),
    (CASES[0][0], SCORED),
    (CASES[1][0], {"tokens": {}}),
    (CASES[1][0], {"tokens": [7]}),
    (Score("q", (), ""), SCORED),
    (CASES[2][0], {"text": 7, "finish": "stop"}),
    (CASES[2][0], {"text": "", "finish": "never"}),
    (CASES[2][0], {"text": "", "finish": ["stop"]}),
]


@pytest.mark.parametrize(("question", "value"), BAD)
def test_shape(question: Question, value: Any) -> None:
    """Only JSON of the answer's own shape becomes an answer."""
    with pytest.raises(BadEntry):
        read_answer(question, value)


@pytest.mark.parametrize(
    "value", [None, {"shared": -1, "questions": [], "limit": 1}, {"shared": 1, "questions": [1], "limit": 1}]
)
def test_size_shape(value: Any) -> None:
    """Only JSON of the right shape, with a count for each question, becomes token counts."""
    with pytest.raises(BadEntry):
        read_size(Bundle((), ()), value)
