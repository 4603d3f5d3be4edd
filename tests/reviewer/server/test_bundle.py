"""One hunkwise as the engine of another, over a real HTTP server."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from serving import Speaker, listening, make_server

from hunkwise.engine import (
    Bundle,
    Choose,
    Embed,
    Engine,
    Generate,
    Generated,
    Score,
    ScriptedEngine,
    Segment,
    connect,
    connect_all,
    protocol,
)
from hunkwise.engine.errors import (
    Closed,
    DeadlineExceeded,
    InvalidQuestion,
    ModelNotFound,
    PromptTooLong,
    Unreachable,
)
from hunkwise.reviewer.server.asgi import make_app

SHARED = (Segment("You read code.", "system"), Segment("def add(first, second):\n    return first\n"))
ASK = (Segment("Is it right?"),)
FREE = Generate("write", ASK, 9)
ALL = (
    Choose("choose", ASK, ("a", "b", "cd")),
    Score("score", ASK, "return first + second\n    naïve 😀\n"),
    Generate("object", ASK, 9, schema={"type": "object", "additionalProperties": False}),
)
MODEL = "scripted"


@pytest.fixture
def stack() -> Any:
    with ExitStack() as stack:
        yield stack


def remote(stack: ExitStack, engine: Engine | None = None) -> Engine:
    """Serve an engine, and connect to it."""
    client = stack.enter_context(listening(make_app(make_server(engine, model=MODEL))))
    connected = connect(str(client.base_url), MODEL)
    stack.callback(connected.close)
    return connected


def test_the_same_answers_and_card(stack: ExitStack) -> None:
    """Answers, counts and the card are those of the engine behind the other server."""
    here, there = ScriptedEngine(), remote(stack)
    asked, vector = Bundle(SHARED, ALL), Bundle((), (Embed("e", "x"),))

    assert there.ask(asked) == here.ask(asked)
    assert there.ask(vector) == here.ask(vector)
    assert there.measure(asked) == here.measure(asked)
    assert there.card() == here.card()


def test_errors_are_those_of_the_engine(stack: ExitStack) -> None:
    """What the engine refuses is refused here, with its type and numbers."""
    engine = remote(stack, ScriptedEngine(context=20))
    with pytest.raises(PromptTooLong) as caught:
        engine.ask(Bundle((Segment("word " * 99),), (FREE,)))
    assert (caught.value.limit, caught.value.tokens > 99) == (20, True)
    with pytest.raises(InvalidQuestion):
        engine.ask(Bundle(SHARED, (Choose("c", ASK, ("a",)),)))
    engine.close()
    with pytest.raises(Closed):
        engine.ask(Bundle(SHARED, ALL))


def test_texts_come_as_they_are_written(stack: ExitStack) -> None:
    """A piece is heard here while the engine there still writes."""
    speaker = Speaker(first="one")
    engine = remote(stack, speaker)
    heard: list[str] = []

    def hear(_: str, piece: str) -> None:
        heard.append(piece)
        if piece == "one":
            speaker.say(" two")
        else:
            speaker.finish()

    (written,) = engine.submit(Bundle(SHARED, (FREE,)), hear).result(60)

    assert heard == ["one", " two"]
    assert isinstance(written, Generated)
    assert written.text == "one two"


@pytest.mark.parametrize("how", ["cancelled", "deadline"])
def test_what_is_taken_back_stops_there(stack: ExitStack, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits no longer is let go of at once, and the engine there is told when the next line is due."""
    monkeypatch.setattr(protocol, "BEAT", 0.05)
    speaker = Speaker()
    engine = remote(stack, speaker)
    if how == "cancelled":
        future = engine.submit(Bundle(SHARED, (FREE,)))
        assert speaker.asked.acquire(timeout=60)
        assert future.cancel()
    else:
        with pytest.raises(DeadlineExceeded):
            engine.ask(Bundle(SHARED, (FREE,), deadline=0.3))
    assert speaker.cancelled.acquire(timeout=60)


def test_no_such_model(stack: ExitStack) -> None:
    """A model that the server does not have is an error when it is connected to."""
    client = stack.enter_context(listening(make_app(make_server())))
    with pytest.raises(ModelNotFound, match="model 'other' not found"):
        connect(f"hunkwise+{client.base_url}", "other")


def test_one_of_two_dies_in_the_middle(stack: ExitStack) -> None:
    """The bundle that it had is answered by the other, and so is what comes after."""
    speaker = Speaker(first="one")
    dying = stack.enter_context(ExitStack())
    first = dying.enter_context(listening(make_app(make_server(speaker, model=MODEL))))
    second = stack.enter_context(listening(make_app(make_server(ScriptedEngine(model=""), model=MODEL))))
    speaker.card = ScriptedEngine(model="").card  # type: ignore[method-assign]
    said: list[str] = []
    engine = connect_all((str(first.base_url), str(second.base_url)), MODEL, say=said.append)
    stack.callback(engine.close)
    bundles = [
        Bundle(SHARED, (FREE,), caller=f"review {n}") for n in range(24)
    ]  # so many that each gets some
    futures = [engine.submit(bundle) for bundle in bundles]
    assert speaker.asked.acquire(timeout=60)

    dying.close()

    assert [answer.text for future in futures for answer in future.result(60)] == ["{}"] * 24  # type: ignore[union-attr]
    assert engine.ask(Bundle(SHARED, ALL))
    assert said


def test_nobody_there_any_more(stack: ExitStack) -> None:
    """A server that ends in the middle is an error that says so."""
    dying = stack.enter_context(ExitStack())
    speaker = Speaker()
    engine = remote(dying, speaker)
    future = engine.submit(Bundle(SHARED, (FREE,)))
    assert speaker.asked.acquire(timeout=60)
    dying.close()
    with pytest.raises(Unreachable):
        future.result(60)


@pytest.fixture(scope="module")
def client() -> Any:
    with listening(make_app(make_server(model=MODEL))) as client:
        yield client


GOOD = protocol.write_bundle(Bundle(SHARED, (FREE,)), MODEL)


def mended(path: str, value: object) -> Any:
    """Put something else into a good body."""
    body = json.loads(json.dumps(GOOD))
    *way, last = path.split(".")
    here = body
    for step in way:
        here = here[int(step) if isinstance(here, list) else step]
    here[int(last) if isinstance(here, list) else last] = value
    return body


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"bundle": {}},
        {"model": 3, "bundle": GOOD["bundle"]},
        {**GOOD, "more": 1},
        {"bundle": {"@": "ModelSpec", "name": "x", "digest": "", "weights": []}},
        {"bundle": {"@": "path", "of": "/etc/passwd"}},
        mended("bundle.shared", "text"),
        mended("bundle.shared.0", {"@": "path", "of": "/etc/passwd"}),
        mended("bundle.shared.0.text", 7),
        mended("bundle.shared.0.role", "root"),
        mended("bundle.questions.0.max_tokens", "many"),
        mended("bundle.questions.0.max_tokens", True),
        mended("bundle.questions.0", {"@": "Segment", "text": "x"}),
        mended("bundle.questions.0.sampling", None),
        mended("bundle.deadline", "now"),
        mended("bundle.priority", 1.5),
    ],
)
@pytest.mark.parametrize("path", [protocol.PATH, f"{protocol.PATH}/size"])
def test_hostile_bodies(client: httpx.Client, path: str, body: object) -> None:
    """What is no bundle is a 400 with one sentence."""
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert client.post(path, json=GOOD).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 10_000, b"\xff\xfe"])
def test_no_json(client: httpx.Client, content: bytes) -> None:
    """What is no JSON is a 400 too."""
    answer = client.post(protocol.PATH, content=content)
    assert answer.status_code == 400
