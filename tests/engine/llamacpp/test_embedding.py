"""Vectors of texts, by models whose vectors are known."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from hunkwise.engine import (
    Bundle,
    Capability,
    Choice,
    Choose,
    Embed,
    Embedding,
    Engine,
    ModelSpec,
    Plan,
    Pooling,
    Segment,
    open_isolated,
    open_local,
    plan_for,
    survey,
)
from hunkwise.engine.errors import InvalidQuestion, PromptTooLong

PLAN = Plan(n_ctx=512, n_seq=2, n_threads=1)


def spec(path: Path) -> ModelSpec:
    return ModelSpec("tiny", "0" * 64, (path,))


def vector(
    engine: Engine, text: str, pooling: Pooling | None = None, *, normalised: bool = False
) -> list[float]:
    (answer,) = engine.ask(Bundle((), (Embed("q", text, pooling, normalised),)))
    assert isinstance(answer, Embedding)
    return list(answer.vector)


def letters(text: str) -> list[float]:
    """What the tiny model makes of a text: each token points to itself, by the norm at a length of sqrt(WIDTH)."""
    counts = Counter(text.encode())
    return [counts[place] / len(text) * tiny.WIDTH**0.5 for place in range(tiny.WIDTH)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return open_local(spec(tiny.write(tmp_path_factory.mktemp("models") / "m.gguf")), PLAN)


@pytest.mark.parametrize("length", [1, 7, 60, 300])
def test_pooling(engine: Engine, length: int) -> None:
    """The mean, the last or the first of the tokens' vectors, however many batches they take."""
    text = (tiny.CORPUS * 3).replace("\n", " ")[:length]
    whole, last, first = (vector(engine, text, pooling) for pooling in ("mean", "last", "cls"))

    assert whole == pytest.approx(letters(text), rel=1e-3)
    assert last == pytest.approx(letters(text[-1]), rel=1e-3)
    assert first == pytest.approx(letters(text[0]), rel=1e-3)
    assert vector(engine, text) == whole


def test_text_and_vectors_take_turns(engine: Engine) -> None:
    """A context that was switched to vectors writes and reads as before."""
    asked = Bundle((Segment("def add("),), (Choose("q", (Segment("?"),), ("a", "b")),))
    (before,) = engine.ask(asked)
    assert vector(engine, "return") == vector(engine, "return")
    (after,) = engine.ask(asked)
    assert isinstance(before, Choice)
    assert after == replace(before, usage=after.usage)


@pytest.mark.parametrize(("declared", "pooling"), [(1, "mean"), (2, "cls"), (3, "last")])
def test_an_embedding_model_declares_its_pooling(tmp_path: Path, declared: int, pooling: Pooling) -> None:
    """It embeds as its file says and does nothing else; it needs no chat template."""
    path = tiny.write(tmp_path / "m.gguf", template=None, extra={"llama.pooling_type": declared})
    plan = plan_for(spec(path), survey())
    assert plan.pooling == pooling
    with open_local(spec(path), plan) as engine:
        assert engine.card().lacks(*Capability) == (
            Capability.SCORE,
            Capability.CHOOSE,
            Capability.GENERATE,
            Capability.SCHEMA,
            Capability.LOGPROBS,
            Capability.STREAM,
        )
        assert vector(engine, "abc") == vector(engine, "abc", pooling)
        with pytest.raises(InvalidQuestion, match="tiny is an embedding model"):
            engine.ask(Bundle((Segment("x"),), (Choose("q", (Segment("?"),), ("a", "b")),)))
        with pytest.raises(PromptTooLong):
            vector(engine, "a" * 5000)


def test_a_model_that_reads_both_ways(tmp_path: Path) -> None:
    """Where a token sees those after it too, a text is computed in one batch, as long as the context."""
    path = tiny.write_bert(tmp_path / "m.gguf")
    plan = plan_for(spec(path), survey())
    assert (plan.causal, plan.pooling, plan.n_ubatch) == (False, "cls", plan.n_ctx)
    with open_local(spec(path), plan) as engine:
        ahead, behind = (vector(engine, f"{word} same", "last") for word in ("one", "two"))
        assert ahead != behind
        long = vector(engine, "one " * (plan.n_ctx - 2))
        assert vector(engine, "one " * (plan.n_ctx - 2)) == long
        with pytest.raises(PromptTooLong):
            vector(engine, "one " * (plan.n_ctx - 1))
        many = engine.ask(Bundle((), tuple(Embed(f"{n}", "one two " * n) for n in range(1, 9))))
        assert len(many) == 8
        assert engine.idle
    with open_isolated(spec(path), plan, environ=os.environ) as apart:
        assert vector(apart, "one same", "last") == ahead
