"""A model that answers from quotes: those that it `knows` make the question likelier, and all others do not."""

from __future__ import annotations

from collections.abc import Callable

from hunkwise.engine import Bundle, Generate, Generated, ScriptedEngine
from hunkwise.engine.types import Question, Score, Scored, TokenScore


def shown(bundle: Bundle) -> str:
    return "".join(segment.text for segment in bundle.shared)


def answerer(
    says: str = "It listens on port 11435.",
    *,
    knows: Callable[[str], bool] = lambda text: "11435" in text,
) -> ScriptedEngine:
    def script(bundle: Bundle, question: Question) -> Scored | Generated | None:
        seen = knows(shown(bundle))
        match question:
            case Score(id=name, text=text):
                return Scored(name, (TokenScore(text, 0, len(text), -0.5 if seen else -4.0, -0.1),))
            case Generate(id=name):
                return Generated(name, says, "stop")
        return None

    return ScriptedEngine(script)
