"""Sentences of an answer, each with the words of a passage that it stands on.

What is quoted is cut from the passage, so it can't be invented. A sentence of the model's counts if nearly all of
its words stand in the quote, and each name and number in the passage or in the question; else the quote is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hunkwise.engine import Engine, Generated
from hunkwise.engine.errors import PromptTooLong
from hunkwise.reviewer.answering.prompt import answering
from hunkwise.reviewer.answering.types import Offer, Quote, Sentence
from hunkwise.reviewer.knowledge.port import Passage
from hunkwise.reviewer.knowledge.words import asked, shared

LEAST_SHARED = 0.85  # of the words of a sentence: they, or others of the same meaning, stand in its quote
_TELLING = re.compile(r"[^\W_]*\d\w*|\w+(?:[._/:-]\w+)+|\w*_\w+|[A-Z]\w*[A-Z]\w*|--?\w[\w-]*|`[^`]+`")
_ORDERS = re.compile(r"(?i)https?://|\bignore (?:all|any|the|previous)\b")


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote of a passage: the quote, its sentence, and why that is not said, if it is not."""

    quote: Quote
    text: str
    fault: str = ""


def write(engine: Engine, question: str, offer: Offer, language: str) -> Written:
    """Have a sentence written of a quote of a document; code is quoted as it stands. Raises EngineError."""
    if offer.passage.kind == "code":
        return Written(offer.quote, "", "code is quoted as it stands")
    try:
        (answer,) = engine.ask(answering(offer, question, language))
    except PromptTooLong:
        return Written(offer.quote, "", "the quote is too long for the model")
    assert isinstance(answer, Generated)
    text = " ".join(answer.text.split())
    if not text or answer.finish == "length":
        return Written(offer.quote, text, "no whole sentence was written")
    fault = check_words(text, question, offer.passage) or check_quote(text, question, offer.quote)
    return Written(offer.quote, text, fault)


def check_words(text: str, question: str, passage: Passage) -> str:
    """Say which name or number of a sentence stands neither in the passage nor in the question; "" if none."""
    there = " ".join((passage.text, passage.title, passage.path, question)).lower()
    for found in _TELLING.findall(text):
        word = found.strip("`.,:;").lower()
        if word and word not in there:
            return f"{word} stands nowhere"
    return "it sends the reader elsewhere" if _ORDERS.search(text) and not _ORDERS.search(question) else ""


def check_quote(text: str, question: str, quote: Quote) -> str:
    """Say that a sentence says more than its quote does, or no more than the question; else ""."""
    words = asked(text)
    if not any(not shared([word], question) for word in words):
        return "it says nothing that the question does not"
    return "" if shared(words, quote.text, 1.0) >= LEAST_SHARED else "it does not say what the quote says"


def said(written: Written) -> Sentence:
    """Make a sentence of what was written: the quote itself where the model's words don't hold."""
    return Sentence(written.quote.text if written.fault else written.text, written.quote)


def sentences(
    engine: Engine,
    question: str,
    offers: Sequence[Offer],
    language: str,
    heard: Callable[[Sentence], object],
) -> tuple[Sentence, ...]:
    """Write a sentence of each quote; they are heard as they come."""
    found: list[Sentence] = []
    for offer in offers:
        found.append(said(write(engine, question, offer, language)))
        heard(found[-1])
    return tuple(found)
