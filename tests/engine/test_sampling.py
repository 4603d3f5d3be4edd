"""Texts that are drawn: what each setting does, that a seed fixes the text, and what is remembered of it."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import tiny

from hunkwise.engine import (
    Bundle,
    Cache,
    CachedEngine,
    Choice,
    Choose,
    Generate,
    Generated,
    ModelSpec,
    Sampling,
    ScriptedEngine,
    Segment,
    sampling_of,
)
from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.local import open_isolated, open_local
from hunkwise.engine.llamacpp.runner import LocalEngine
from hunkwise.engine.store.port import MemoryStore

ASK = (Segment("for"),)
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string", "maxLength": 9}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("tiny", "0" * 64, (tiny.write(tmp_path_factory.mktemp("tiny") / "m.gguf"),))


@pytest.fixture(scope="module")
def engine(spec: ModelSpec) -> Iterator[LocalEngine]:
    with open_local(spec) as engine:
        yield engine


def texts(engine: Any, *samplings: Sampling, tokens: int = 24, **more: Any) -> list[str]:
    """Write one text for each sampling, side by side."""
    questions = tuple(
        Generate(str(n), ASK, tokens, sampling=each, **more) for n, each in enumerate(samplings)
    )
    answers = engine.ask(Bundle((), questions))
    assert all(isinstance(answer, Generated) for answer in answers)
    return [answer.text for answer in answers]


def test_greedy_by_default(engine: LocalEngine) -> None:
    """What nobody asks to be drawn is the likeliest, and so is every sampling that leaves one candidate."""
    (greedy,) = texts(engine, Sampling())
    for sampling in (
        Sampling(seed=7),
        Sampling(top_p=0.2, min_p=0.9),
        Sampling(temperature=5, top_k=1, seed=1),
        Sampling(temperature=1, min_p=1, seed=1),
        Sampling(temperature=1, top_p=1e-6, seed=1),
        Sampling(temperature=1e-4, seed=1),
        Sampling(repeat_penalty=9, repeat_last_n=0),
    ):
        assert texts(engine, sampling) == [greedy], sampling


def test_what_is_added_to_logits_decides(engine: LocalEngine) -> None:
    """A token of this model is a byte. What is banned never comes, and what is wanted always."""
    (greedy,) = texts(engine, Sampling())
    first = greedy.encode()[0]
    assert texts(engine, Sampling(), tokens=4, bias=((ord("z"), 100.0),)) == ["zzzz"]
    assert texts(engine, Sampling(temperature=1, seed=1), tokens=4, bias=((ord("z"), 100.0),)) == ["zzzz"]
    (other,) = texts(engine, Sampling(), bias=((first, -100.0),))
    assert first not in other.encode()
    assert texts(engine, Sampling(), bias=((1 << 30, 5.0),)) == [greedy]
    for wrong in (((-1, 1.0),), ((1, math.nan),), ((1, 101),), ((1,),), 5):
        with pytest.raises(InvalidQuestion, match="bias must be pairs"):
            texts(engine, Sampling(), bias=wrong)


def test_a_seed_fixes_the_text(engine: LocalEngine, spec: ModelSpec) -> None:
    """The same seed writes the same, alone, beside others, later, and in another process; another seed another."""
    seeds = [Sampling(temperature=2, seed=seed) for seed in (1, 2, 3, 2**32 - 2)]
    together = texts(engine, *seeds)
    assert len(set(together)) == len(seeds)
    assert [texts(engine, seed)[0] for seed in reversed(seeds)] == together[::-1]
    with open_isolated(spec, environ=os.environ) as isolated:
        assert texts(isolated, *seeds) == together


def test_without_a_seed(engine: LocalEngine) -> None:
    """Each question is drawn by itself, also beside an equal one that runs at the same time."""
    drawn = Sampling(temperature=2)
    assert len(set(texts(engine, drawn, drawn))) == 2
    bundle = Bundle((), (Generate("q", ASK, 24, sampling=drawn),))
    futures = [engine.submit(bundle) for _ in range(3)]
    assert len({future.result()[0] for future in futures}) == 3


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
def test_draws_follow_the_probabilities(engine: LocalEngine, temperature: float) -> None:
    """A token comes as often as the model, at that temperature, says."""
    letters = ("d", "e", " ", "=", "n")
    (choice,) = engine.ask(Bundle((), (Choose("c", (Segment("de"),), letters),)))
    assert isinstance(choice, Choice)
    weights = [math.exp(logprob / temperature) for logprob in choice.logprobs]
    seeds = [Sampling(temperature=temperature, seed=seed) for seed in range(400)]
    questions = tuple(Generate(str(n), (Segment("de"),), 1, sampling=each) for n, each in enumerate(seeds))
    drawn = Counter(answer.text for answer in engine.ask(Bundle((), questions)))  # type: ignore[union-attr]
    among = sum(drawn[letter] for letter in letters)
    assert among > 20
    for letter, weight in zip(letters, weights, strict=True):
        expected = weight / sum(weights)
        spread = 4 * math.sqrt(expected * (1 - expected) / among)
        assert abs(drawn[letter] / among - expected) <= spread + 0.01


def test_penalties(engine: LocalEngine) -> None:
    """What was written, or stood in the prompt, is left aside; further back than `repeat_last_n` it is not."""
    (plain,) = texts(engine, Sampling())
    assert max(Counter(plain).values()) > 3
    presence, repeat, frequency = (
        Sampling(presence_penalty=50, repeat_last_n=-1),
        Sampling(repeat_penalty=50, repeat_last_n=-1),
        Sampling(frequency_penalty=50, repeat_last_n=-1),
    )
    for text in texts(engine, presence, frequency):
        assert max(Counter(text).values()) == 1
        assert not set("for") & set(text)
    assert texts(engine, repeat) != [plain]
    (near,) = texts(engine, replace(presence, repeat_last_n=2))
    assert all(len(set(near[at : at + 3])) == 3 for at in range(len(near) - 2))
    assert max(Counter(near).values()) > 1


def test_a_grammar_holds(engine: LocalEngine) -> None:
    """Whatever is drawn, a complete answer is JSON of the schema, and most differ."""
    seeds = [Sampling(temperature=3, top_k=40, repeat_penalty=1.1, seed=seed) for seed in range(12)]
    written = texts(engine, *seeds, tokens=60, schema=SCHEMA)
    assert all(set(json.loads(text)) == {"a"} for text in written)
    assert len(set(written)) > 6


def test_stop_and_limit(engine: LocalEngine) -> None:
    """A drawn text ends at a stop, which is cut off, and at its limit."""
    sampling = Sampling(temperature=1, seed=3)
    (whole,) = texts(engine, sampling, tokens=40)
    stop = whole[5:7]
    (cut,) = texts(engine, sampling, tokens=40, stop=(stop,))
    assert cut == whole[: whole.index(stop)]
    assert whole.startswith(texts(engine, sampling, tokens=10)[0])


@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        (Sampling(temperature=-1), "temperature must be a number between 0 and 100, not -1"),
        (Sampling(temperature=math.nan), "temperature must be a number between 0 and 100, not nan"),
        (Sampling(temperature=math.inf), "not inf"),
        (Sampling(temperature="hot"), "not 'hot'"),  # type: ignore[arg-type]
        (Sampling(top_p=1.1), "top_p must be a number between 0 and 1, not 1.1"),
        (Sampling(min_p=-0.1), "min_p must be"),
        (Sampling(typical_p=2), "typical_p must be"),
        (Sampling(top_k=1.5), "top_k must be a whole number"),  # type: ignore[arg-type]
        (Sampling(top_k=True), "top_k must be a whole number"),
        (Sampling(repeat_penalty=0), "repeat_penalty must be a number between 0.01"),
        (Sampling(repeat_last_n=-2), "repeat_last_n must be a whole number between -1"),
        (Sampling(presence_penalty=math.inf), "presence_penalty must be"),
        (Sampling(frequency_penalty=101), "frequency_penalty must be"),
        (Sampling(seed=-1), "seed must be a whole number between 0 and 4294967294, not -1"),
        (Sampling(seed=2**32 - 1), "seed must be"),
    ],
)
def test_what_can_t_be_drawn_by(engine: LocalEngine, sampling: Sampling, words: str) -> None:
    """A value out of range is refused with its name and its range, before native code sees it."""
    with pytest.raises(InvalidQuestion) as caught:
        texts(engine, sampling)
    assert words in str(caught.value)


def test_from_a_modelfile() -> None:
    """PARAMETER lines become a sampling; what they leave out is greedy, and what is of the load is left out."""
    assert sampling_of({}) == Sampling()
    assert sampling_of(
        {"num_ctx": 4096, "stop": ("x",), "temperature": 0.8, "top_k": 40, "seed": 5}
    ) == Sampling(temperature=0.8, top_k=40, seed=5)
    assert sampling_of({"seed": -1}).seed is sampling_of({"seed": 2**32 - 1}).seed is None


def test_what_is_remembered() -> None:
    """A drawn answer is kept where a seed fixes it, under a name of its own; another is asked for each time."""
    inner = ScriptedEngine()
    engine = CachedEngine(
        lambda: inner, inner.card(), Cache((MemoryStore(),), secret=b"s" * 32, namespace="")
    )
    fixed, free = Sampling(temperature=1, seed=1), Sampling(temperature=1)
    for _ in range(2):
        for sampling in (Sampling(), fixed, replace(fixed, seed=2), replace(fixed, top_k=9)):
            texts(engine, sampling)
    assert len(inner.bundles) == 4
    for _ in range(2):
        texts(engine, free, free, fixed)
    assert [len(bundle.questions) for bundle in inner.bundles[4:]] == [2, 2]
