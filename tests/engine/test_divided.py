"""Two engines as one: each question goes to the one whose work it is, and the answers come in order."""

from __future__ import annotations

import threading

import pytest

from hunkwise.engine import (
    Answer,
    Bundle,
    Capability,
    Choose,
    Divided,
    Generate,
    Generated,
    Question,
    Score,
    ScriptedEngine,
    Segment,
)
from hunkwise.engine.errors import Closed, NativeFailure
from hunkwise.engine.testing import ABLE

SHARED = (Segment("You read code."),)
ASK = (Segment("Is it right?"),)
WRITE, SCORE, CHOOSE = (
    Generate("write", ASK, 9),
    Score("score", ASK, "a b"),
    Choose("choose", ASK, ("a", "b")),
)


def writing(text: str) -> ScriptedEngine:
    def script(_: Bundle, question: Question) -> Answer | None:
        return Generated(question.id, text, "stop") if isinstance(question, Generate) else None

    return ScriptedEngine(script, model="large", context=100)


def test_each_does_its_work() -> None:
    """The writer hears texts alone, the scorer all else; ids and order are the bundle's."""
    scorer, writer = ScriptedEngine(), writing("large words")
    heard: list[str] = []

    answers = (
        Divided(scorer, writer)
        .submit(Bundle(SHARED, (SCORE, WRITE, CHOOSE)), lambda _, piece: heard.append(piece))
        .result(60)
    )

    assert [answer.id for answer in answers] == ["score", "write", "choose"]
    assert heard == ["large words"]
    assert [question.id for bundle in scorer.bundles for question in bundle.questions] == ["score", "choose"]
    assert [question.id for bundle in writer.bundles for question in bundle.questions] == ["write"]


def test_one_kind_goes_to_one() -> None:
    """Nothing is asked of who has nothing to do, and no questions have no answers."""
    scorer, writer = ScriptedEngine(), writing("x")
    both = Divided(scorer, writer)
    assert both.ask(Bundle(SHARED, (SCORE,)))
    assert not writer.bundles
    assert both.ask(Bundle(SHARED, ())) == ()


def test_the_card_is_the_scorers() -> None:
    """Evidence is the scorer's, and so is the model; the writer is named, and what it can't is not claimed."""
    plain = (Capability.GENERATE,)
    card = Divided(ScriptedEngine(model="small"), ScriptedEngine(model="large", capabilities=plain)).card()
    assert (card.model, card.settings["writer"]) == ("small", "large")
    assert Capability.SCORE in card.capabilities
    assert not {Capability.SCHEMA, Capability.DETERMINISTIC} & set(card.capabilities)
    assert set(Divided(ScriptedEngine(), ScriptedEngine()).card().capabilities) == set(ABLE)


def test_sizes_hold_for_both() -> None:
    """The smaller context is the limit, and no question is smaller than with its own engine."""
    scorer, writer = ScriptedEngine(context=200), writing("x")
    asked = Bundle(SHARED, (SCORE, WRITE))
    size = Divided(scorer, writer).measure(asked)
    assert size.limit == 100
    assert size.shared + size.questions[1] >= writer.measure(Bundle(SHARED, (WRITE,))).questions[0]


def test_errors_and_ends() -> None:
    """The error of either is the caller's; closed, both are."""

    def fail(_: Bundle, question: Question) -> Answer | None:
        raise NativeFailure("it died")

    scorer = ScriptedEngine()
    with pytest.raises(NativeFailure):
        Divided(scorer, ScriptedEngine(fail)).ask(Bundle(SHARED, (SCORE, WRITE)))
    both = Divided(scorer, ScriptedEngine())
    both.close()
    with pytest.raises(Closed):
        both.ask(Bundle(SHARED, (SCORE, WRITE)))


def test_taken_back() -> None:
    """Who takes the bundle back lets go of both at once."""
    go_on = threading.Event()

    def wait(_: Bundle, question: Question) -> Answer | None:
        go_on.wait(60)
        return None

    future = Divided(ScriptedEngine(wait), ScriptedEngine(wait)).submit(Bundle(SHARED, (SCORE, WRITE)))
    assert future.cancel()
    go_on.set()
