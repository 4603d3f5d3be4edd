"""Whether passages say an answer: a model weighs each, and a fitted layer makes one probability of it all.

A small model that is asked "is this answered here?" says Yes too often, so beside it stand two witnesses that ask
nothing: how much likelier a passage makes the question, and how many of the question's words stand in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from hunkwise.engine import Choice, Engine, Scored
from hunkwise.engine.errors import PromptTooLong
from hunkwise.reviewer.answering.prompt import unseen, weighing
from hunkwise.reviewer.answering.types import Weighed
from hunkwise.reviewer.knowledge.port import Hit
from hunkwise.reviewer.knowledge.words import asked, shared

BAR = 0.5


@dataclass(frozen=True, slots=True)
class Layer:
    """A logistic layer over the features of a question and its passages."""

    intercept: float
    weights: Mapping[str, float]
    measured: bool

    @property
    def by_words(self) -> bool:
        """True if no model has to be asked."""
        return self.weights.keys() <= {"shared"}

    def probability(self, features: Mapping[str, float]) -> float:
        """Turn features into the probability that the passages say the answer."""
        value = self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


@cache
def _shipped() -> Mapping[str, Any]:
    text = (resources.files("hunkwise.prompts") / "answering.json").read_text("utf-8")
    layers: dict[str, Any] = json.loads(text)["layers"]
    return layers


def layer_for(digest: str) -> Layer:
    """Give the layer that was fitted for a model; for others one that goes by words, which no model changes."""
    layers = _shipped()
    found = layers.get(digest) if digest else None
    row = found or layers[""]
    return Layer(row["intercept"], row["weights"], found is not None)


def weigh_by_words(question: str, hits: Sequence[Hit]) -> tuple[Weighed, ...]:
    """Weigh passages without a model, in the order in which they were found."""
    texts = (f"{hit.passage.title} {hit.passage.text}" for hit in hits)
    shares = (shared_words(question, text) for text in texts)
    return tuple(Weighed(hit, shared=share) for hit, share in zip(hits, shares, strict=True))


def weigh(engine: Engine, question: str, hits: Sequence[Hit]) -> tuple[Weighed, ...]:
    """Weigh each passage, best first. One too long for the model keeps its place at the end."""
    (alone,) = engine.ask(unseen(question))
    assert isinstance(alone, Scored)
    base = alone.logprob / max(1, len(alone.tokens))
    found = []
    for plain in weigh_by_words(question, hits):
        try:
            given, answered = engine.ask(weighing(plain.passage, question))
        except PromptTooLong:
            found.append(replace(plain, gain=-math.inf, yes=-math.inf))
            continue
        assert isinstance(given, Scored)
        assert isinstance(answered, Choice)
        gain = given.logprob / max(1, len(given.tokens)) - base
        yes, no = answered.logprobs
        found.append(replace(plain, gain=gain, yes=yes - no))
    return tuple(sorted(found, key=_order))


def _order(weighed: Weighed) -> float:
    return -(weighed.gain + weighed.yes)


def features(weighed: Sequence[Weighed]) -> dict[str, float]:
    """Say in numbers how the best passage stands, alone and beside the others."""
    read = [each for each in weighed if each.gain > -math.inf]
    if not read:
        return dict.fromkeys(("gain", "yes", "yes_lead", "gain_lead", "shared"), 0.0)
    gains, answers = sorted(each.gain for each in read), sorted(each.yes for each in read)
    middle = len(read) // 2
    return {
        "gain": gains[-1],
        "yes": answers[-1],
        "yes_lead": answers[-1] - answers[middle],
        "gain_lead": gains[-1] - gains[middle],
        "shared": max(each.shared for each in read),
    }


def shared_words(question: str, text: str) -> float:
    """Give the share of a question's words that stand in a text, as the index cuts them."""
    return shared(asked(question), text)
