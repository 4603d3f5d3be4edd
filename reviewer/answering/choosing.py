"""Which words of the passages are the answer: a few by the question's words, then by how likely they make it.

A model that picks a quote out of a grammar picks by its first words, before it has read the rest. So it is not
asked for one: each quote is shown to it alone, and it tells how much likelier that makes the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hunkwise.engine import Engine, Scored
from hunkwise.engine.errors import PromptTooLong
from hunkwise.reviewer.answering.prompt import guessing, unseen
from hunkwise.reviewer.answering.quoting import quotes
from hunkwise.reviewer.answering.types import Offer
from hunkwise.reviewer.knowledge.port import Passage
from hunkwise.reviewer.knowledge.words import asked, asks_for_measure, shared

MOST = 4  # quotes that the model weighs
_AROUND, _MEASURE, _LATER, _CODE = 0.5, 2.0, 0.1, 0.2  # against the share of words in the quote itself
_GAIN = 1.0  # a nat a token, against the same
_TIME = re.compile(r"(?i)\bhow (?:long|often|old|soon|fast)\b")
_UNIT = r"(?:ms|s|min|h|milliseconds?|seconds?|minutes?|hours?|days?|weeks?|months?|years?)"
_FEW = r"one|two|three|four|five|six|seven|eight|nine|ten"
_SPAN = re.compile(
    rf"(?i)(?:\d|\b(?:{_FEW}|an?|each|every|per|half)\b)[ -]?{_UNIT}\b"
    r"|\b(?:once|twice|never|always|forever|daily|hourly)\b"
)
_COUNT = re.compile(rf"(?i)\d|\b(?:{_FEW}|no limit|unlimited)\b")
_WORD = re.compile(r"\w+")
_SENTENCE = 3  # blanks


def offered(question: str, passages: Sequence[Passage]) -> tuple[Offer, ...]:
    """Offer the quotes of passages, best found first, that have most of a question's words in and around them.

    Who asks how long is offered spans of time first, who asks how many numbers. What repeats the question whole,
    as the example of a manual does, is no answer to it.
    """
    words, whole = asked(question), _run(question)
    is_question = whole.count(" ") >= _SENTENCE  # not a few words to look for
    measure = (_SPAN if _TIME.search(question) else _COUNT) if asks_for_measure(question) else None
    found: dict[str, Offer] = {}
    for place, passage in enumerate(passages):
        texts = quotes(passage)
        for at, quote in enumerate(texts):
            if is_question and whole in _run(quote.text):
                continue
            around = " ".join((passage.title, *(each.text for each in texts[max(0, at - 1) : at + 2])))
            score = shared(words, quote.text) + _AROUND * shared(words, around) - _LATER * place
            score += _MEASURE * bool(measure and measure.search(quote.text))
            score -= _CODE * (passage.kind == "code")
            if quote.text not in found or found[quote.text].score < score:
                found[quote.text] = Offer(quote, passage, score)
    return tuple(sorted(found.values(), key=lambda offer: -offer.score)[:MOST])


def _run(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def chosen(engine: Engine, question: str, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Put offers in order by what a model makes of them too. One too long for it gains nothing."""
    (alone,) = engine.ask(unseen(question))
    assert isinstance(alone, Scored)
    made = []
    for offer in offers:
        try:
            (given,) = engine.ask(guessing(offer, question))
        except PromptTooLong:
            made.append(offer)
            continue
        assert isinstance(given, Scored)
        gain = (given.logprob - alone.logprob) / max(1, len(given.tokens))
        made.append(replace(offer, gain=gain))
    return tuple(sorted(made, key=lambda offer: -(offer.score + _GAIN * offer.gain)))
