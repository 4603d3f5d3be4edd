"""From a question and a quote to bundles, by the templates in prompts/. A prompt is a few dozen words long.

What is quoted reaches the model as data: segments in which the engine parses no special tokens.
"""

from __future__ import annotations

import hashlib

from hunkwise.engine import Bundle, Generate, Score, Segment
from hunkwise.reviewer.answering.types import Offer
from hunkwise.reviewer.text.redaction import plain
from hunkwise.reviewer.text.templates import render

_TOKENS = 80  # of a sentence
_SYSTEM = "ask_system"


def view(offer: Offer) -> tuple[Segment, ...]:
    """Show a quote between two fences, which are drawn from its own digest: its text can't spell them."""
    text = offer.quote.text
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    shown = render(
        "ask_excerpt",
        path=plain(offer.passage.path),
        title=plain(offer.passage.title),
        text=text,
        fence=f"=== {digest} ===",
    )
    return Segment(render(_SYSTEM), "system"), Segment(shown)


def guessing(offer: Offer, question: str) -> Bundle:
    """Ask how likely a quote makes a question."""
    guess = Segment(render("ask_guess", excerpt=True))
    return Bundle(view(offer), (Score("question", (guess,), question),))


def unseen(question: str) -> Bundle:
    """Ask how likely a question is where nothing is quoted."""
    guess = Segment(render("ask_guess", excerpt=False))
    return Bundle((Segment(render(_SYSTEM), "system"),), (Score("question", (guess,), question),))


def answering(offer: Offer, question: str, language: str) -> Bundle:
    """Ask for a sentence that answers the question with what a quote says."""
    return Bundle(view(offer), (Generate("answer", (_asked(question, language),), _TOKENS, stop=("\n",)),))


def _asked(question: str, language: str) -> Segment:
    return Segment(render("ask_sentence", question=question, language=language))
