"""Sentences of an answer, each with the words of a passage that it stands on.

The grammar admits only quotes that stand in the passage. A sentence counts if each name and number in it stands
there too, or in the question, and if the passage makes it likelier; else the quote is the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hunkwise.engine import Engine, Generated, Scored
from hunkwise.engine.errors import PromptTooLong
from hunkwise.reviewer.answering.evidence import shared_words
from hunkwise.reviewer.answering.prompt import answering, supporting, unsupported
from hunkwise.reviewer.answering.quoting import quotes, stands_in
from hunkwise.reviewer.answering.types import Quote, Sentence, Weighed
from hunkwise.reviewer.knowledge.port import Passage

LEAST_SHARED = 0.6  # of a sentence's words that stand in its quote or in the question
LEAST_GAIN = 0.5  # nats a token by which a passage must make a sentence of it likelier
_TELLING = re.compile(r"[^\W_]*\d\w*|\w+(?:[._/:-]\w+)+|\w*_\w+|[A-Z]\w*[A-Z]\w*|--?\w[\w-]*|`[^`]+`")
_ORDERS = re.compile(r"(?i)https?://|\bignore (?:all|any|the|previous)\b")


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote of a passage: the quote, its sentence, and why that is not said, if it is not."""

    quote: Quote
    text: str
    gain: float
    fault: str = ""


def write(engine: Engine, question: str, passage: Passage, language: str) -> Written | None:
    """Have a quote chosen and a sentence written of it. None where nothing can be quoted.

    Raises EngineError.
    """
    offered = quotes(passage)
    if not offered:
        return None
    try:
        (answer,) = engine.ask(answering(passage, question, offered, language))
    except PromptTooLong:
        return None
    assert isinstance(answer, Generated)
    found = _read(answer.text, offered, passage)
    if found is None:
        return None
    quote, text = found
    if not text:
        return Written(quote, text, 0.0, "nothing was written")
    fault = check_words(text, question, passage) or check_quote(text, question, quote)
    if fault:
        return Written(quote, text, 0.0, fault)
    (seen,) = engine.ask(supporting(passage, question, text, language))
    (blind,) = engine.ask(unsupported(question, text, language))
    assert isinstance(seen, Scored)
    assert isinstance(blind, Scored)
    gain = (seen.logprob - blind.logprob) / max(1, len(seen.tokens))
    return Written(quote, text, gain, "" if gain >= LEAST_GAIN else "the passage does not make it likelier")


def _read(text: str, offered: Sequence[Quote], passage: Passage) -> tuple[Quote, str] | None:
    """Read what was written; a text that was cut off, and a quote that does not stand there, are none."""
    try:
        value = json.loads(text)
        quote = next(each for each in offered if each.text == value["quote"])
        said = " ".join(str(value["text"]).split())
    except (ValueError, KeyError, TypeError, StopIteration):
        return None
    return (quote, said) if stands_in(quote.text, passage) else None


def check_words(text: str, question: str, passage: Passage) -> str:
    """Say which name or number of a sentence stands neither in the passage nor in the question; "" if none."""
    there = " ".join((passage.text, passage.title, passage.path, question)).lower()
    for found in _TELLING.findall(text):
        word = found.strip("`.,:;").lower()
        if word and word not in there:
            return f"{word} stands nowhere"
    return "it sends the reader elsewhere" if _ORDERS.search(text) and not _ORDERS.search(question) else ""


def check_quote(text: str, question: str, quote: Quote) -> str:
    """Say that a sentence is of something else than its quote; "" if it is not."""
    of_it = shared_words(text, f"{quote.text} {question}") >= LEAST_SHARED
    return "" if of_it else "it does not say what the quote says"


def said(written: Written) -> Sentence:
    """Make a sentence of what was written: the quote itself where the model's words don't hold."""
    return Sentence(written.quote.text if written.fault else written.text, written.quote)


def sentences(
    engine: Engine,
    question: str,
    chosen: Sequence[Weighed],
    language: str,
    heard: Callable[[Sentence], object],
) -> tuple[Sentence, ...]:
    """Write a sentence of each passage, each quote once; they are heard as they come."""
    found: list[Sentence] = []
    for weighed in chosen:
        written = write(engine, question, weighed.passage, language)
        if written is None or any(written.quote.text == each.quote.text for each in found):
            continue
        found.append(said(written))
        heard(found[-1])
    return tuple(found)
