"""What crosses the pipe comes back as it was; what does not belong there is refused."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine import (
    Bundle,
    BundleSize,
    Choice,
    Choose,
    Embed,
    Embedding,
    EngineCard,
    Generate,
    Generated,
    Likely,
    ModelSpec,
    Score,
    Scored,
    Segment,
    TokenScore,
    Usage,
    Weights,
    Written,
    errors,
)
from hunkwise.engine.worker.wire import (
    LIMIT,
    BadMessage,
    pack,
    pack_answers,
    pack_error,
    pack_size,
    receive,
    send,
    unpack,
    unpack_answers,
    unpack_error,
    unpack_size,
)

text = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
segments = st.lists(
    st.builds(Segment, text, st.sampled_from(["system", "user", "raw"]), st.sampled_from([None, "bos"])),
    max_size=3,
).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
questions = st.one_of(
    st.builds(Choose, text, segments, st.lists(text, min_size=1, max_size=3).map(tuple)),
    st.builds(Score, text, segments, text),
    st.builds(Embed, text, text, st.sampled_from([None, "mean", "last", "cls"]), st.booleans()),
    st.builds(Generate, text, segments, st.integers(1, 99), st.dictionaries(text, json_values, max_size=3)),
)
bundles = st.builds(
    Bundle,
    segments,
    st.lists(questions, max_size=4).map(tuple),
    st.integers(),
    st.none() | st.floats(0, 9),
    text,
)


@pytest.fixture
def pipe() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@settings(max_examples=60, deadline=None)
@given(bundles)
def test_bundles_come_back_as_they_were(bundle: Bundle) -> None:
    """Schemas with lists and "@" keys, lone surrogates and all."""
    assert unpack(json.loads(json.dumps(pack(bundle)))) == bundle


def test_specs_and_cards_come_back_as_they_were() -> None:
    """Paths become absolute, so that a child in another folder finds them."""
    spec = ModelSpec(
        "m", "ab", (Path("/w"),), adapters=((Path("/a"), 0.5),), parameters={"stop": ("a", "b"), "num_ctx": 5}
    )
    card = EngineCard("m", Weights("ab"), "build", 5, {"n": 1, "kv": "f16", "fa": True})
    assert unpack(json.loads(json.dumps(pack(spec)))) == spec
    assert unpack(json.loads(json.dumps(pack(card)))) == card
    assert unpack(pack(ModelSpec("m", "ab", (Path("w"),)))).weights == (Path.cwd() / "w",)


BUNDLE = Bundle(
    (),
    (Choose("c", (), ("a", "b")), Score("s", (), "xy"), Generate("g", (), 5, logprobs=2), Embed("e", "xy")),
)
ANSWERS = (
    Choice("c", (0.25, 0.75), (-2.0, -1.0), Usage(1, 2, 3, 4)),
    Scored("s", (TokenScore("xy", 0, 2, -0.5, -0.25),)),
    Generated(
        "g",
        "{}",
        "schema",
        Usage(sampled=2),
        (Written(b"{\xff", -0.5, (Likely(b"{\xff", -0.5), Likely(b"[", -1.5))), Written(b"}", -0.25)),
    ),
    Embedding("e", (0.6, -0.8), Usage(2)),
)


def test_answers_come_back_as_they_were() -> None:
    """Numbers, ids and usage."""
    assert unpack_answers(BUNDLE, json.loads(json.dumps(pack_answers(ANSWERS)))) == ANSWERS
    size = BundleSize(5, (1, 2, 3, 4), 100)
    assert unpack_size(BUNDLE, json.loads(json.dumps(pack_size(size)))) == size


@pytest.mark.parametrize(
    "value", [None, 5, [], [[]], [[{}, []]] * 3, [[{"probabilities": [2, 2], "logprobs": [0, 0]}, []]] * 3]
)
def test_wrong_answers_are_refused(value: Any) -> None:
    """A child that was overrun can't make us believe anything."""
    with pytest.raises(BadMessage):
        unpack_answers(BUNDLE, value)


@pytest.mark.parametrize(
    "value", [{}, {"@": "Path"}, {"@": "Segment"}, {"@": "Segment", "x": 1}, {"@": "map", "of": 1}]
)
def test_foreign_types_are_refused(value: Any) -> None:
    """Only our own types are ever made."""
    with pytest.raises(BadMessage):
        unpack(value)


def test_errors_keep_type_message_and_numbers() -> None:
    """An error raised in the child can be handled as if it were raised here."""
    for error in (
        errors.PromptTooLong("q", 5000, 4096),
        errors.QueueFull(3, 1.5),
        errors.CorruptModel("x: y"),
    ):
        back = unpack_error(json.loads(json.dumps(pack_error(error))))
        assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
    assert isinstance(unpack_error(pack_error(ZeroDivisionError("oh"))), errors.NativeFailure)


@pytest.mark.parametrize("value", [None, {"name": "SystemExit", "message": "", "fields": {}}, {"name": "os"}])
def test_foreign_errors_are_refused(value: Any) -> None:
    """Nothing but the engine's errors is ever raised from a message."""
    with pytest.raises(BadMessage):
        unpack_error(value)


def test_messages_cross_in_order_until_the_end(pipe: tuple[socket.socket, socket.socket]) -> None:
    """Messages keep their bounds; a closed pipe is the end, in the middle of a message too."""
    send(pipe[0], {"a": 1})
    send(pipe[0], {"b": "\ud800"})
    pipe[0].sendall(b"\0\0\0\x09{")
    pipe[0].close()
    assert [receive(pipe[1]) for _ in range(3)] == [{"a": 1}, {"b": "\ud800"}, None]


@pytest.mark.parametrize("raw", [b"\xff\xff\xff\xff", b"\0\0\0\x01[", b"\0\0\0\x02[]", b"\0\0\0\x02\xff\xfe"])
def test_nonsense_is_refused(pipe: tuple[socket.socket, socket.socket], raw: bytes) -> None:
    """A length beyond the limit is refused before anything is read."""
    pipe[0].sendall(raw)
    with pytest.raises(BadMessage):
        receive(pipe[1])


def test_what_is_too_long_is_not_sent(pipe: tuple[socket.socket, socket.socket]) -> None:
    """The limit holds on both sides."""
    with pytest.raises(BadMessage):
        send(pipe[0], {"a": "x" * LIMIT})
