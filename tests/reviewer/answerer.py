"""A model that answers from passages: to it those that it `knows` are the answer, and all others are not."""

from __future__ import annotations

import json
from collections.abc import Callable

from hunkwise.engine import Bundle, Choice, Generate, Generated, ScriptedEngine
from hunkwise.engine.types import Choose, Question, Score, Scored, TokenScore
from hunkwise.reviewer.answering.evidence import Layer

BY_THE_MODEL = Layer(-1.0, {"yes": 1.0}, measured=True)


def shown(bundle: Bundle) -> str:
    return "".join(segment.text for segment in bundle.shared)


def answerer(
    says: str = "It listens on port 11435.",
    *,
    knows: Callable[[str], bool] = lambda text: "11435" in text,
    quote: str = "The server listens on port 11435.",
) -> ScriptedEngine:
    def script(bundle: Bundle, question: Question) -> Choice | Scored | Generated | None:
        seen = knows(shown(bundle))
        match question:
            case Choose(id=name):
                return Choice(
                    name, (0.9, 0.1) if seen else (0.1, 0.9), (-0.1, -4.0) if seen else (-4.0, -0.1)
                )
            case Score(id=name, text=text):
                return Scored(name, (TokenScore(text, 0, len(text), -0.5 if seen else -4.0, -0.1),))
            case Generate(id=name):
                return Generated(name, json.dumps({"quote": quote, "text": says}), "schema")
        return None

    return ScriptedEngine(script)
