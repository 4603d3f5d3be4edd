from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hunkwise.engine import (
    Bundle,
    Capability,
    Choose,
    Embed,
    EngineCard,
    Generate,
    Question,
    Sampling,
    Score,
    Segment,
    Served,
    Weights,
)
from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.store.key import NOT_IN_KEY, answer_key, derive, size_key

SECRET = b"s" * 32
CARD = EngineCard("m", Weights("d" * 64), "b1", 4096, {"kv": "f16", "lanes": 4})
PROMPT = (Segment("why?", "user", None),)
QUESTIONS: dict[type, Question] = {
    Choose: Choose("a", PROMPT, ("yes", "no")),
    Score: Score("a", PROMPT, "text"),
    Embed: Embed("a", "text"),
    Generate: Generate("a", PROMPT, 10, {"type": "object"}, None, ("\n",)),
}
BUNDLE = Bundle((Segment("shared"),), (QUESTIONS[Choose],), 0, None, "")

OTHER: dict[str, Any] = {  # another value for each field, by name or by class and name
    "id": "other",
    "prompt": (Segment("why not?"),),
    "options": ("yes", "no", "maybe"),
    "Score.text": "another text",
    "Embed.text": "another text",
    "pooling": "last",
    "normalised": False,
    "max_tokens": 11,
    "schema": {"type": "array"},
    "pattern": "[a-z]+",
    "stop": (),
    "logprobs": 3,
    "sampling": Sampling(temperature=0.5, seed=1),
    "shared": (Segment("other"),),
    "questions": (),
    "priority": 1,
    "deadline": 3.0,
    "caller": "other",
    "model": "other",
    "digest": "e" * 64,
    "build": "b2",
    "context": 8192,
    "identity": Served("https://example.org", "d" * 64),
    "capabilities": (Capability.SCORE,),
    "settings": {"kv": "q8_0", "lanes": 4},
    "parameters": 7,
    "Segment.text": "other",
    "bias": ((1, 2.0),),
    "role": "system",
    "marker": "bos",
    "special": True,
}


def other(kind: type, name: str) -> Any:
    return OTHER[f"{kind.__name__}.{name}"] if f"{kind.__name__}.{name}" in OTHER else OTHER[name]


def fields(*kinds: type) -> list[Any]:
    pairs = [(kind, field.name) for kind in kinds for field in dataclasses.fields(kind)]
    return [pytest.param(kind, name, id=f"{kind.__name__}.{name}") for kind, name in pairs]


@pytest.mark.parametrize(("kind", "name"), fields(Choose, Score, Generate, Embed))
def test_question(kind: type, name: str) -> None:
    """Each field of a question changes the key, those listed as harmless excepted."""
    question = QUESTIONS[kind]
    changed = dataclasses.replace(question, **{name: other(kind, name)})
    same = answer_key(SECRET, CARD, BUNDLE, question) == answer_key(SECRET, CARD, BUNDLE, changed)
    assert same == (name in NOT_IN_KEY.get(kind, ()))


@pytest.mark.parametrize(("kind", "name"), fields(Bundle))
def test_bundle(kind: type, name: str) -> None:
    """Each field of a bundle changes the key, those listed as harmless excepted."""
    changed = dataclasses.replace(BUNDLE, **{name: other(kind, name)})
    question = QUESTIONS[Choose]
    same = answer_key(SECRET, CARD, BUNDLE, question) == answer_key(SECRET, CARD, changed, question)
    assert same == (name in NOT_IN_KEY[kind])


@pytest.mark.parametrize(("kind", "name"), fields(EngineCard))
def test_card(kind: type, name: str) -> None:
    """Each field of the engine's card changes the key, its name and what it can do excepted."""
    changed = dataclasses.replace(CARD, **{name: other(kind, name)})
    question = QUESTIONS[Choose]
    same = answer_key(SECRET, CARD, BUNDLE, question) == answer_key(SECRET, changed, BUNDLE, question)
    assert same == (name in NOT_IN_KEY[kind])


@pytest.mark.parametrize(("kind", "name"), fields(Segment))
@pytest.mark.parametrize("place", ["shared", "prompt"])
def test_segment(kind: type, name: str, place: str) -> None:
    """Each field of a segment changes the key, in the shared part and in the question."""
    segment = Segment("text")
    changed = dataclasses.replace(segment, **{name: other(kind, name)})
    keys = []
    for one in (segment, changed):
        bundle = Bundle((one,) if place == "shared" else (), ())
        question = Choose("a", (one,) if place == "prompt" else (), ("yes", "no"))
        keys.append(answer_key(SECRET, CARD, bundle, question))
    assert keys[0] != keys[1]


def test_boundaries_count() -> None:
    """The same text cut otherwise into segments, or into shared part and question, has another key."""
    ab, a, b = Segment("ab"), Segment("a"), Segment("b")
    splits = [((ab,), ()), ((a, b), ()), ((a,), (b,)), ((), (ab,)), ((), (a, b))]
    keys = {answer_key(SECRET, CARD, Bundle(s, ()), Choose("q", p, ("x", "y"))) for s, p in splits}
    assert len(keys) == len(splits)


def test_schema_order_counts() -> None:
    """The order of a schema's properties is the order of the answer, and so part of the key."""
    one: dict[str, object] = {"properties": {"a": {}, "b": {}}}
    two: dict[str, object] = {"properties": {"b": {}, "a": {}}}
    keys = {answer_key(SECRET, CARD, BUNDLE, Generate("q", (), 9, schema)) for schema in (one, two)}
    assert len(keys) == 2


def test_settings_order_does_not() -> None:
    """The order in which a card's settings were written is no part of the key."""
    turned = dataclasses.replace(CARD, settings=dict(reversed(list(CARD.settings.items()))))
    question = QUESTIONS[Choose]
    assert answer_key(SECRET, CARD, BUNDLE, question) == answer_key(SECRET, turned, BUNDLE, question)


@pytest.mark.parametrize(("one", "two"), [(1, 1.0), (1, True), (0, False), ("1", 1)])
def test_types_count(one: Any, two: Any) -> None:
    """Values that Python calls equal, and a model may not, have different keys."""
    cards = [dataclasses.replace(CARD, settings={"x": value}) for value in (one, two)]
    assert len({answer_key(SECRET, card, BUNDLE, QUESTIONS[Choose]) for card in cards}) == 2


def test_size_key_sees_all_questions() -> None:
    """Token counts belong to the whole bundle, and to no answer."""
    more = dataclasses.replace(BUNDLE, questions=(*BUNDLE.questions, QUESTIONS[Score]))
    renamed = dataclasses.replace(BUNDLE, questions=(dataclasses.replace(QUESTIONS[Choose], id="z"),))
    assert size_key(SECRET, CARD, BUNDLE) == size_key(SECRET, CARD, renamed)
    assert size_key(SECRET, CARD, BUNDLE) != size_key(SECRET, CARD, more)
    assert size_key(SECRET, CARD, BUNDLE) != answer_key(SECRET, CARD, BUNDLE, QUESTIONS[Choose])


def test_lone_surrogates() -> None:
    """Bytes that are no UTF-8 reach a key by surrogateescape, and different ones give different keys."""
    texts = ("\udc80", "\udc81", "�")
    assert len({answer_key(SECRET, CARD, BUNDLE, Score("q", (), text)) for text in texts}) == 3


@pytest.mark.parametrize("schema", [{"a": {1, 2}}, {"a": float("nan")}, {"a": object()}, {1: "a"}])
def test_not_json(schema: Any) -> None:
    """A schema that is no JSON is refused with a sentence."""
    with pytest.raises(InvalidQuestion, match="schema or setting"):
        answer_key(SECRET, CARD, BUNDLE, Generate("q", (), 9, schema))


def test_derived_secrets_differ() -> None:
    """Each namespace and each purpose has a secret of its own."""
    made = {derive(s, n, p) for s in (b"a", b"b") for n in ("x", "y") for p in ("key", "entry")}
    assert len(made) == 8
