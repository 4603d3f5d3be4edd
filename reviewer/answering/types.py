"""What an answer is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hunkwise.reviewer.knowledge.port import Hit, Passage

Verdict = Literal["answered", "not in the documents", "passages only"]


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that stand in a passage, but for the ends of its lines; from 1, both lines included."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, and the words that it stands on. Where the two are equal it is a quotation."""

    text: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote that may be the answer, and the passage that it is of.

    `score` is how it stands by the question's words, `gain` how much likelier it makes the question, in nats
    a token.
    """

    quote: Quote
    passage: Passage
    score: float
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """A passage, and the share of the question's words that stand in it."""

    hit: Hit
    shared: float = 0.0

    @property
    def passage(self) -> Passage:
        """The passage."""
        return self.hit.passage


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or that the documents don't say.

    `also` are the other quotes that were offered, best first. `probability` is that the passages say the answer by
    their words, None where no answer was wanted.
    """

    question: str
    verdict: Verdict
    passages: tuple[Weighed, ...]
    sentences: tuple[Sentence, ...] = ()
    also: tuple[Quote, ...] = ()
    probability: float | None = None
    model: str = ""


Heard = Callable[[Sentence], None]
"""Hears each sentence as soon as it is checked."""
