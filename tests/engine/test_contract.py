"""The contract of the `Engine` port, held by every engine: fake, local, and what goes around one."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count, pairwise
from math import hypot
from threading import Event
from time import monotonic, sleep
from typing import cast

import pytest
import tiny
from serving import listening, make_server

from hunkwise.engine import (
    Answer,
    Bundle,
    Cache,
    CachedEngine,
    Capability,
    Choice,
    Choose,
    Embed,
    Embedding,
    Engine,
    Generate,
    Generated,
    IsolatedEngine,
    LocalEngine,
    ModelSpec,
    Piece,
    Plan,
    Pool,
    Pooling,
    Question,
    Sampling,
    Score,
    Scored,
    ScriptedEngine,
    Segment,
    Usage,
    connect,
    open_isolated,
    open_local,
    total_usage,
)
from hunkwise.engine.errors import Closed, DeadlineExceeded, InvalidQuestion, PromptTooLong
from hunkwise.engine.store.port import MemoryStore
from hunkwise.reviewer.app.meters import Meter, Transcript
from hunkwise.reviewer.server.asgi import make_app

PLAN = Plan(n_ctx=512, n_seq=4, n_threads=1)
MODELS = ("scripted", "tiny", pytest.param("real", marks=pytest.mark.model))
AROUND = ("bare", "isolated", "cached", "pooled", "meter", "transcript", "remote")
SHARED = (Segment("You read code.", "system"), Segment("def add(first, second):\n    return first\n"))
ASK = (Segment("Is it right?"),)
NUMBERS = count()


@pytest.fixture(scope="module", params=MODELS)
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """The model that is asked."""
    if request.param == "real":
        found: ModelSpec = request.getfixturevalue("small_model")
        return found
    path = tmp_path_factory.mktemp("models") / "m.gguf"
    return ModelSpec(request.param, "0" * 64, (tiny.write(path) if request.param == "tiny" else path,))


@contextmanager
def opened(spec: ModelSpec) -> Iterator[Engine]:
    """Open the engine that answers in the end."""
    if spec.name == "scripted":
        yield ScriptedEngine(context=PLAN.n_ctx)
        return
    with open_local(spec, PLAN) as engine:
        yield engine


def apart(spec: ModelSpec) -> IsolatedEngine:
    """Open it in a process of its own."""
    if spec.name == "scripted":
        fake, options = "hunkwise.engine.testing:fragile", {"context": PLAN.n_ctx}
        return IsolatedEngine(spec, fake, environ=os.environ, options=options)
    return open_isolated(spec, PLAN, environ=os.environ)


def load(spec: ModelSpec, _context: int) -> Engine:
    """Load it for a pool."""
    return ScriptedEngine(context=PLAN.n_ctx) if spec.name == "scripted" else open_local(spec, PLAN)


@pytest.fixture(scope="module")
def plain(spec: ModelSpec) -> Iterator[Engine]:
    """The engine with nothing around it."""
    with opened(spec) as engine:
        yield engine


@pytest.fixture(scope="module", params=AROUND)
def engine(request: pytest.FixtureRequest, spec: ModelSpec, plain: Engine) -> Iterator[Engine]:
    """The engine with something around it."""
    with ExitStack() as stack:
        yield surrounded(request.param, spec, plain, stack)


def surrounded(how: str, spec: ModelSpec, plain: Engine, stack: ExitStack) -> Engine:
    """Put something around an engine, or open another one in its place."""
    match how:
        case "isolated":
            return stack.enter_context(apart(spec))
        case "cached":
            cache = Cache([MemoryStore()], secret=b"s" * 32, namespace="trusted:r")
            return CachedEngine(lambda: plain, plain.card(), cache)
        case "pooled":
            return stack.enter_context(Pool(load, lambda spec, context: 1)).engine(spec)
        case "meter":
            return Meter(plain)
        case "remote":
            server = make_server(plain, model="scripted")
            client = stack.enter_context(listening(make_app(server)))
            far = connect(str(client.base_url), "scripted")
            stack.callback(far.close)
            return far
        case "transcript":
            return Transcript(plain, io.StringIO())
        case _:
            return plain


def unseen() -> str:
    """A text that no test has asked about, so that no cache has its answer."""
    return f"Case {next(NUMBERS)}."


def bundle(*questions: Question, deadline: float | None = None) -> Bundle:
    return Bundle((*SHARED, Segment(unseen())), questions, deadline=deadline)


def without_usage(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    return tuple(replace(answer, usage=Usage()) for answer in answers)


THREE = (
    Choose("choose", ASK, ("a", "b", "cd")),
    Score("score", ASK, "return first + second\n    naïve 😀\n"),
    Generate("write", ASK, 9, schema={"type": "object", "additionalProperties": False}),
)


def test_each_question_has_its_answer_in_order(engine: Engine) -> None:
    """Kinds and ids follow the questions, whatever their order; no question has no answer."""
    answers = engine.ask(bundle(*reversed(THREE)))

    assert [(type(answer), answer.id) for answer in answers] == [
        (Generated, "write"),
        (Scored, "score"),
        (Choice, "choose"),
    ]
    assert engine.ask(bundle()) == ()


def test_a_choice_shares_out_one(engine: Engine) -> None:
    """Each option has a probability, and all together are certain."""
    (choice,) = engine.ask(bundle(THREE[0]))

    assert isinstance(choice, Choice)
    assert len(choice.probabilities) == len(choice.logprobs) == 3
    assert sum(choice.probabilities) == pytest.approx(1)
    assert all(value <= 0 for value in choice.logprobs)


def test_scored_tokens_cover_the_text(engine: Engine) -> None:
    """Tokens lie end to end over the text's bytes, and none is likelier than the favourite."""
    (scored,) = engine.ask(bundle(THREE[1]))

    assert isinstance(scored, Scored)
    assert isinstance(THREE[1], Score)
    assert len(scored.tokens) > 1
    assert scored.tokens[0].start == 0
    assert scored.tokens[-1].end == len(THREE[1].text.encode())
    assert all(before.end == after.start for before, after in pairwise(scored.tokens))
    assert all(token.logprob <= token.favourite_logprob <= 0 for token in scored.tokens)


def test_a_text_that_follows_nothing_is_scored_from_its_second_token(engine: Engine) -> None:
    """What is scored without a prompt has the probabilities that follow its first token."""
    (whole,) = engine.ask(Bundle((), (Score("s", (), "return first"),)))

    assert isinstance(whole, Scored)
    first = whole.tokens[0].text
    (rest,) = engine.ask(Bundle((), (Score("s", (Segment(first, "raw"),), "return first"[len(first) :]),)))
    assert isinstance(rest, Scored)
    assert [token.logprob for token in whole.tokens[1:]] == pytest.approx(
        [t.logprob for t in rest.tokens], abs=1e-4
    )


def test_a_schema_that_is_complete_ends_the_text(engine: Engine) -> None:
    """What can only be one text is that text."""
    (written,) = engine.ask(bundle(THREE[2]))

    assert isinstance(written, Generated)
    assert (written.text, written.finish) == ("{}", "schema")


def test_the_same_answers_as_the_engine_itself_and_as_before(engine: Engine, plain: Engine) -> None:
    """Whatever is around an engine changes no bit of an answer, nor does asking again."""
    asked = bundle(*THREE)

    first = without_usage(engine.ask(asked))

    assert first == without_usage(engine.ask(asked)) == without_usage(plain.ask(asked))


def test_what_is_submitted_is_answered_alike_and_told(engine: Engine) -> None:
    """Several bundles may be on their way at once; the texts are told to their ends, in order."""
    write = Generate("free", ASK, 9)
    asked = [bundle(*THREE), bundle(write, Generate("stopped", ASK, 9, stop=("e", "\n\n")))]
    heard: dict[str, str] = {}

    def hear(name: str, text: str) -> None:
        heard[name] = heard.get(name, "") + text

    answers = [future.result(60) for future in [engine.submit(one, hear) for one in asked]]

    assert [without_usage(one) for one in answers] == [without_usage(engine.ask(one)) for one in asked]
    texts = {each.id: each.text for one in answers for each in one if isinstance(each, Generated)}
    assert heard == {name: text for name, text in texts.items() if text}


WRITING = (
    Generate("free", ASK, 12, logprobs=3),
    Generate("stopped", ASK, 12, stop=("e", "}"), logprobs=0),
    Generate("schema", ASK, 30, {"type": "object", "properties": {"a": {"enum": [1, 2]}}}, logprobs=2),
    Generate("drawn", ASK, 9, sampling=Sampling(temperature=1.5, seed=3), logprobs=20),
    Generate("untold", ASK, 5),
)


@pytest.mark.parametrize("number", range(len(WRITING)), ids=lambda number: WRITING[number].id)
def test_how_likely_the_written_was(engine: Engine, plain: Engine, number: int) -> None:
    """The tokens spell the text; they are told with their pieces too, and nothing else changes by it."""
    asked = bundle(WRITING[number])
    heard: list[Piece] = []

    (answer,) = engine.submit(asked, lambda _, piece: heard.append(piece)).result(60)
    (untold,) = plain.ask(replace(asked, questions=(replace(WRITING[number], logprobs=None),)))

    assert isinstance(answer, Generated)
    assert replace(answer, usage=Usage(), tokens=()) == replace(untold, usage=Usage())
    assert "".join(heard) == answer.text
    assert tuple(token for piece in heard for token in piece.tokens) == answer.tokens
    assert engine.ask(asked)[0] == replace(answer, usage=engine.ask(asked)[0].usage)
    most = WRITING[number].logprobs
    if most is None:
        assert answer.tokens == ()
        return
    spelt = b"".join(token.data for token in answer.tokens)
    text = spelt.decode("utf-8", "replace")
    assert text.startswith(answer.text)
    assert text == answer.text or answer.finish == "stop"
    for token in answer.tokens:
        chances = [each.logprob for each in token.alternatives]
        assert len(chances) == most or engine.card().model == "scripted"
        assert chances == sorted(chances, reverse=True)
        assert all(each <= 0 for each in (token.logprob, *chances))
        assert not chances or token.logprob <= chances[0]


def test_it_says_what_it_can(engine: Engine) -> None:
    """What is asked here, every engine of ours can do."""
    card = engine.card()
    assert not card.lacks(Capability.SCORE, Capability.CHOOSE, Capability.GENERATE, Capability.SCHEMA)
    assert not card.lacks(Capability.EMBED)


@pytest.mark.parametrize("how", AROUND)
def test_a_closed_engine_says_so(how: str, spec: ModelSpec) -> None:
    """Whatever is asked after the end raises the same error; closing twice does no harm."""
    with ExitStack() as stack:
        engine = surrounded(how, spec, stack.enter_context(opened(spec)), stack)
        asked = bundle(THREE[0])
        assert engine.ask(asked)
        engine.close()
        engine.close()
        for use in (engine.ask, engine.measure, lambda one: engine.submit(one).result(60)):
            with pytest.raises(Closed):
                use(asked)


def test_the_same_size_and_card_as_the_engine_itself(engine: Engine, plain: Engine) -> None:
    """Counts are exact through every engine, and all name the same model."""
    asked = bundle(*THREE)

    assert engine.measure(asked) == engine.measure(asked)
    assert engine.measure(asked) == plain.measure(asked)
    assert engine.card() == plain.card()


def test_a_size_counts_text_options_and_what_may_be_written(engine: Engine) -> None:
    """The worst case of a question grows with each of them, token by token."""
    pairs = (
        (Choose("q", ASK, ("a", "b")), Choose("q", ASK, ("a", "b and a c"))),
        (Score("q", ASK, "one"), Score("q", ASK, "one two")),
        (Generate("q", ASK, 5), Generate("q", ASK, 6)),
    )

    sizes = engine.measure(bundle(*(question for pair in pairs for question in pair))).questions

    assert all(less < more for less, more in zip(sizes[::2], sizes[1::2], strict=True))
    assert sizes[5] - sizes[4] == 1


def test_usage_counts_each_token_of_the_prompt_once(engine: Engine) -> None:
    """Of the shared part only the first question pays; what is used again is told; a hit costs nothing."""
    asked = bundle(Choose("a", ASK, ("a", "b")), Choose("b", (Segment("And so?"),), ("a", "b")))
    size = engine.measure(asked)

    answers = engine.ask(asked)

    counted = [answer.usage.prefilled + answer.usage.reused for answer in answers]
    assert counted == [size.shared + own for own in size.questions]
    assert answers[1].usage == Usage(size.questions[1], size.shared)
    assert isinstance(engine, CachedEngine) == (total_usage(engine.ask(asked)) == Usage())


def test_usage_counts_what_was_written(engine: Engine) -> None:
    """Forced and sampled tokens are at most those allowed, and one at least."""
    (written,) = engine.ask(bundle(Generate("q", ASK, 7)))

    assert 0 < written.usage.forced + written.usage.sampled <= 7


REFUSED = {
    "no segments": (Bundle((), (Choose("q", (), ("a", "b")),)), "needs segments"),
    "raw beside chat": (
        Bundle(SHARED, (Choose("q", (Segment("?", "raw"),), ("a", "b")),)),
        "all of them raw",
    ),
    "a marker in a chat": (
        Bundle(SHARED, (Choose("q", (Segment("?", marker="fim_prefix"),), ("a", "b")),)),
        "markers and special tokens need a raw segment",
    ),
    "nothing after raw text": (Bundle((Segment("x", "raw"),), (Score("q", (), "y"),)), "'q' adds no tokens"),
    "one option": (Bundle(SHARED, (Choose("q", ASK, ("a",)),)), "'q' needs two or more options"),
    "equal options": (Bundle(SHARED, (Choose("q", ASK, ("a", "a")),)), "'q' needs two or more options"),
    "an empty option": (Bundle(SHARED, (Choose("q", ASK, ("a", "")),)), "'q' needs two or more options"),
    "an empty text": (Bundle(SHARED, (Score("q", ASK, ""),)), "'q' scores an empty text"),
    "a text with others": (Bundle(SHARED, (Embed("q", "x"),)), "'q' embeds a text of its own"),
    "an empty text to embed": (Bundle((), (Embed("q", ""),)), "'q' embeds an empty text"),
    "an unknown pooling": (
        Bundle((), (Embed("q", "x", cast("Pooling", "sum")),)),
        "pooling is one of mean, last, cls",
    ),
    "too many alternatives": (Bundle(SHARED, (Generate("q", ASK, 9, logprobs=21),)), "between 0 and 20"),
    "no tokens to write": (Bundle(SHARED, (Generate("q", ASK, 0),)), "'q' allows 0 tokens"),
    "two constraints": (Bundle(SHARED, (Generate("q", ASK, 9, schema={}, pattern="a"),)), "'q' has both"),
    "a temperature below 0": (
        Bundle(SHARED, (Generate("q", ASK, 9, sampling=Sampling(temperature=-1.0)),)),
        "'q': temperature must be",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_asked_is_refused_by_name(engine: Engine, name: str) -> None:
    """Asked or measured, a bad question raises InvalidQuestion with the same sentence; the next is answered."""
    asked, sentence = REFUSED[name]
    for use in (engine.ask, engine.measure):
        with pytest.raises(InvalidQuestion, match=sentence):
            use(asked)
    assert engine.ask(bundle(THREE[0]))


def embedded(engine: Engine, *questions: Embed) -> list[tuple[float, ...]]:
    answers = engine.ask(Bundle((), questions))
    assert all(isinstance(answer, Embedding) for answer in answers)
    return [answer.vector for answer in answers if isinstance(answer, Embedding)]


def test_embedding(engine: Engine, plain: Engine) -> None:
    """Vectors of one width, of length 1 where that is asked, the same for the same text, alone or with others."""
    texts = [f"{unseen()} def add(first, second):", "for index in range(10):"]
    one, other, raw = embedded(
        engine, Embed("a", texts[0]), Embed("b", texts[1]), Embed("c", texts[0], normalised=False)
    )

    assert len(one) == len(other) == len(raw)
    assert hypot(*one) == pytest.approx(1, abs=1e-4)
    assert one != other
    assert [each / hypot(*raw) for each in raw] == pytest.approx(one, abs=1e-4)
    assert embedded(plain, Embed("z", texts[0]))[0] == pytest.approx(one, abs=1e-3)


def test_embedding_beside_other_questions(engine: Engine) -> None:
    """One bundle may ask for all kinds of answers, where nothing is shared."""
    asked = Bundle((), (Embed("e", unseen()), Choose("c", ASK, ("a", "b")), Generate("g", ASK, 3)))

    assert [type(answer) for answer in engine.ask(asked)] == [Embedding, Choice, Generated]


def test_a_text_too_long_to_embed_is_refused(engine: Engine) -> None:
    """Nothing is cut; who wants it cut does so by `measure`."""
    asked = Bundle((), (Embed("q", "word " * 5000),))
    assert not engine.measure(asked).fits
    with pytest.raises(PromptTooLong, match="'q'"):
        engine.ask(asked)


def test_what_does_not_fit_is_refused_with_both_counts(engine: Engine) -> None:
    """Nothing is cut: a prompt too long can be measured, and raises with those counts when it is asked."""
    asked = bundle(Choose("short", ASK, ("a", "b")), Choose("long", (Segment("word " * 5000),), ("a", "b")))
    size = engine.measure(asked)

    with pytest.raises(PromptTooLong, match="'long'") as caught:
        engine.ask(asked)

    assert not size.fits
    assert (caught.value.tokens, caught.value.limit) == (size.shared + size.questions[1], size.limit)


def test_an_answer_may_take_all_that_is_left(engine: Engine) -> None:
    """The limit is that of `measure`, to the token."""
    shared = bundle(Generate("q", ASK, 1))
    size = engine.measure(shared)
    room = size.limit - size.shared - size.questions[0] + 1
    question = Generate("q", ASK, room, stop=tuple("abcdefghijklmnopqrstuvwxyz \n"))

    assert engine.measure(replace(shared, questions=(question,))).fits
    assert engine.ask(replace(shared, questions=(question,)))
    with pytest.raises(PromptTooLong):
        engine.ask(replace(shared, questions=(replace(question, max_tokens=room + 1),)))


def test_a_bundle_taken_back_in_the_middle(engine: Engine, plain: Engine) -> None:
    """Who waits is told, the work ends, its cells are free, and the engine answers others."""
    begun = Event()
    room = engine.measure(bundle(Generate("q", ASK, 1)))
    most = room.limit - room.shared - room.questions[0] - 9
    future = engine.submit(bundle(Generate("q", ASK, most)), lambda _id, _piece: begun.set())
    assert begun.wait(60)

    if future.cancel():
        with pytest.raises(CancelledError):
            future.result(60)

    assert engine.ask(bundle(THREE[0]))
    ends = monotonic() + 60
    while isinstance(plain, LocalEngine) and not plain.idle:
        assert monotonic() < ends, "cells leak"
        sleep(0.01)


def test_a_deadline_that_has_passed_is_an_error(engine: Engine) -> None:
    """An answer too late is none; one in time is whole, and the engine answers afterwards."""
    with pytest.raises(DeadlineExceeded):
        engine.ask(bundle(*THREE, deadline=0.0))
    assert engine.ask(bundle(*THREE, deadline=600.0))
