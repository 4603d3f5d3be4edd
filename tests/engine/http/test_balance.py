"""Several servers as one engine: what shares a prefix stays together, and nothing is lost with a server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from hunkwise.engine import (
    Bundle,
    Capability,
    Choose,
    Engine,
    EngineCard,
    Generate,
    OnText,
    Piece,
    ScriptedEngine,
    Segment,
    Weights,
)
from hunkwise.engine.errors import (
    DeadlineExceeded,
    InvalidQuestion,
    NativeFailure,
    PromptTooLong,
    Unreachable,
)
from hunkwise.engine.http.balance import LEFT_ALONE, SPILL, Balanced, Member
from hunkwise.engine.port import Answers
from hunkwise.engine.testing import ABLE

ASK = Choose("c", (Segment("?"),), ("a", "b"))


class Flaky(ScriptedEngine):
    """An engine that breaks off while `failing` is set, and waits while `held` is."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.failing: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        assert self.go_on.wait(60)
        if self.failing:
            if on_text:
                on_text("write", Piece("{"))
            raise self.failing
        return super().answer(bundle, on_text)


def balanced(count: int, clock: Callable[[], float] = lambda: 0.0) -> tuple[Balanced, list[Flaky], list[str]]:
    engines = [Flaky() for _ in range(count)]
    said: list[str] = []
    members = [Member(f"http://engine-{n}", lambda n=n: engines[n]) for n in range(count)]  # type: ignore[misc]
    return Balanced(members, said.append, clock), engines, said


def asked(engines: list[Flaky]) -> list[int]:
    return [len(engine.bundles) for engine in engines]


def test_what_shares_a_prefix_stays_together() -> None:
    """Bundles of one caller, or of one shared text, go to one server; many callers go to all."""
    engine, engines, _ = balanced(3)
    for n in range(6):
        engine.ask(Bundle((Segment(f"hunk {n}"),), (ASK,), caller="review-1"))
    assert sorted(asked(engines)) == [0, 0, 6]
    for n in range(60):
        engine.ask(Bundle((Segment(f"hunk {n}"),), (ASK,)))
    assert min(asked(engines)) > 5


def test_one_that_goes_moves_only_its_share() -> None:
    """With a server less, those of the others stay where they were."""
    keys = [Bundle((Segment(f"hunk {n}"),), (ASK,)) for n in range(40)]
    three, _, _ = balanced(3)
    two, _, _ = balanced(2)
    moved = [
        three._order(key)[0].url != two._order(key)[0].url
        for key in keys
        if three._order(key)[0].url != "http://engine-2"
    ]
    assert moved
    assert not any(moved)


@pytest.mark.parametrize("error", [Unreachable("gone"), NativeFailure("it died")])
def test_one_that_breaks_off(error: Exception) -> None:
    """Its bundle goes to another server, and it is left alone for a while; that is said once."""
    now = [0.0]
    engine, engines, said = balanced(2, lambda: now[0])
    bundle = Bundle((Segment("x"),), (ASK,), caller="r")
    first = engines[int(engine._order(bundle)[0].url[-1])]
    first.failing = error

    assert len(engine.ask(bundle)) == len(engine.ask(bundle)) == 1
    assert said == [f"{error}; the others go on"]
    first.failing, now[0] = None, LEFT_ALONE + 1
    engine.ask(bundle)
    assert len(first.bundles) == 1


def test_a_text_is_told_once() -> None:
    """What a broken server had told is not told again by the one that takes over."""
    engine, engines, _ = balanced(2)
    bundle = Bundle((Segment("x"),), (Generate("write", (Segment("?"),), 9),), caller="r")
    engines[int(engine._order(bundle)[0].url[-1])].failing = Unreachable("gone")
    heard: list[str] = []

    (written,) = engine.submit(bundle, lambda _, piece: heard.append(piece)).result(60)

    assert "".join(heard) == written.text == "{}"  # type: ignore[union-attr]


def test_a_question_that_is_wrong_goes_nowhere_else() -> None:
    """What every server would refuse is refused at once."""
    engine, engines, said = balanced(2)
    for each in engines:
        each.failing = PromptTooLong("it", 9, 8)
    with pytest.raises(PromptTooLong):
        engine.ask(Bundle((Segment("x"),), (ASK,)))
    assert not said


def test_all_are_gone() -> None:
    """The last error is the caller's."""
    engine, engines, _ = balanced(2)
    for each in engines:
        each.failing = Unreachable("gone")
    with pytest.raises(Unreachable):
        engine.ask(Bundle((Segment("x"),), (ASK,)))


def test_a_long_line_is_passed_over() -> None:
    """A server with many more bundles on their way than the idlest is not given another."""
    engine, engines, _ = balanced(2)
    bundle = Bundle((Segment("x"),), (ASK,), caller="r")
    first = engines[int(engine._order(bundle)[0].url[-1])]
    other = engines[1 - engines.index(first)]
    first.go_on.clear()
    waiting: list[Future[Answers]] = [engine.submit(bundle) for _ in range(SPILL + 4)]

    while not other.bundles:
        threading.Event().wait(0.01)
    first.go_on.set()

    assert all(len(each.result(60)) == 1 for each in waiting)


def test_a_deadline_takes_it_back() -> None:
    """Who waited is let go of, and the server is told."""
    engine, engines, _ = balanced(1)
    engines[0].go_on.clear()
    with pytest.raises(DeadlineExceeded):
        engine.ask(Bundle((Segment("x"),), (ASK,), deadline=0.05))
    engines[0].go_on.set()


def test_other_models_are_refused() -> None:
    """Servers of one engine have one model; capabilities are those of all, the context is the smallest."""
    fewer = tuple(each for each in ABLE if each is not Capability.SCORE)

    def members(*engines: Engine) -> list[Member]:
        return [Member(f"http://e{n}", lambda each=each: each) for n, each in enumerate(engines)]  # type: ignore[misc]

    card = Balanced(members(ScriptedEngine(context=512, capabilities=fewer), ScriptedEngine())).card()
    assert (card.context, Capability.SCORE in card.capabilities) == (512, False)
    served = ScriptedEngine(model="other")
    served._card = EngineCard("other", Weights("1" * 64), "x", 512)
    with pytest.raises(InvalidQuestion, match="must have the same model"):
        Balanced(members(ScriptedEngine(), served))


def test_one_that_is_not_there_at_first() -> None:
    """One server is enough to begin with; none is an error."""

    def gone() -> Engine:
        raise Unreachable("e1 can't be reached")

    said: list[str] = []
    engine = Balanced([Member("http://e1", gone), Member("http://e2", ScriptedEngine)], said.append)
    assert said
    assert engine.ask(Bundle((Segment("x"),), (ASK,)))
    with pytest.raises(Unreachable):
        Balanced([Member("http://e1", gone)])
