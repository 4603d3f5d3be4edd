"""From a question and a passage to bundles, by the templates in prompts/. Each passage is computed once.

Passages reach the model as data: segments in which the engine parses no special tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hunkwise.engine import Bundle, Choose, Generate, Score, Segment
from hunkwise.reviewer.answering.types import Quote
from hunkwise.reviewer.knowledge.port import Passage
from hunkwise.reviewer.text.redaction import plain
from hunkwise.reviewer.text.templates import render

YES_NO = ("Yes", "No")
LONGEST_TEXT = 300  # characters of a sentence
_TOKENS = 400  # of a sentence with its quote


def view(passage: Passage) -> tuple[Segment, ...]:
    """Show a passage between two fences, which are drawn from its own digest: its text can't spell them."""
    digest = hashlib.sha256(passage.text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    shown = render(
        "ask_passage",
        path=plain(passage.path),
        title=plain(passage.title),
        text=passage.text,
        fence=f"=== {digest} ===",
    )
    return Segment(render("ask_system"), "system"), Segment(shown)


def weighing(passage: Passage, question: str) -> Bundle:
    """Ask how likely a passage makes a question, and whether it says the answer."""
    answered = Segment(render("ask_answered", question=question))
    guess = Segment(render("ask_guess", passage=True))
    return Bundle(
        view(passage),
        (Score("question", (guess,), question), Choose("answered", (answered,), YES_NO)),
    )


def unseen(question: str) -> Bundle:
    """Ask how likely a question is where no passage is in view."""
    system = Segment(render("ask_system"), "system")
    return Bundle((system,), (Score("question", (Segment(render("ask_guess", passage=False)),), question),))


def answering(passage: Passage, question: str, quotes: Sequence[Quote], language: str) -> Bundle:
    """Ask for a quote, which can only be one of the passage, and for a sentence that says it."""
    asked = Segment(render("ask_answer", question=question, language=language))
    schema = {
        "type": "object",
        "properties": {
            "quote": {"enum": [quote.text for quote in quotes]},
            "text": {"type": "string", "minLength": 4, "maxLength": LONGEST_TEXT},
        },
        "required": ["quote", "text"],
        "additionalProperties": False,
    }
    return Bundle(view(passage), (Generate("answer", (asked,), _TOKENS, schema=schema),))


def supporting(passage: Passage, question: str, text: str, language: str) -> Bundle:
    """Ask how likely a sentence is as the answer, the passage in view."""
    return Bundle(view(passage), (_said(question, text, language),))


def unsupported(question: str, text: str, language: str) -> Bundle:
    """Ask how likely it is without."""
    return Bundle((Segment(render("ask_system"), "system"),), (_said(question, text, language),))


def _said(question: str, text: str, language: str) -> Score:
    return Score("text", (Segment(render("ask_alone", question=question, language=language)),), text)
