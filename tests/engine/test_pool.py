"""The pool: when models are loaded, kept, shared and unloaded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hunkwise.engine import Answer, Bundle, Choose, ModelSpec, Question, ScriptedEngine, Segment
from hunkwise.engine.around.pool import Pool
from hunkwise.engine.errors import CorruptModel, NativeFailure
from hunkwise.engine.port import Answers, OnText

BUNDLE = Bundle((Segment("?"),), (Choose("q", (), ("yes", "no")),))
SIZES = {"small": 1, "medium": 2, "large": 4}


def spec(name: str) -> ModelSpec:
    return ModelSpec(name, name.encode().hex(), (Path(f"{name}.gguf"),))


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Resident(ScriptedEngine):
    """A fake that tells its yard when it is closed, and must not be asked after that."""

    def __init__(self, yard: Yard, name: str, context: int) -> None:
        super().__init__(self._answer, model=name, context=max(context, 4096))
        self.yard, self.name, self.open = yard, name, True

    def _answer(self, bundle: Bundle, question: Question) -> Answer | None:
        assert self.open
        self.yard.during(self.name)
        assert self.open
        return None

    def close(self) -> None:
        assert self.open
        self.open = False
        self.yard.log.append(f"-{self.name}")


class Yard:
    """Loads fakes and keeps a log of it: `+name` for a load, `-name` for an unload."""

    def __init__(self, during: Callable[[str], None] = lambda name: None) -> None:
        self.log: list[str] = []
        self.during = during
        self.failing = 0

    def load(self, spec: ModelSpec, context: int) -> Resident:
        if self.failing:
            self.failing -= 1
            raise CorruptModel(f"{spec.name} is broken")
        self.log.append(f"+{spec.name}")
        return Resident(self, spec.name, context)

    def pool(
        self, budget: int | None = None, keep_alive: float | None = 300.0, clock: Clock | None = None
    ) -> Pool:
        clock = clock or Clock()
        return Pool(self.load, lambda s, _: SIZES[s.name], budget=budget, keep_alive=keep_alive, clock=clock)


def test_a_model_is_loaded_by_its_first_question_and_then_kept() -> None:
    """Making an engine loads nothing; two questions load once; closing the pool unloads."""
    yard = Yard()
    with yard.pool() as pool:
        engine = pool.engine(spec("small"))
        assert yard.log == []
        assert engine.ask(BUNDLE) == engine.ask(BUNDLE)
        assert engine.measure(BUNDLE).fits
        assert engine.card().model == "small"
        assert yard.log == ["+small"]
    assert yard.log == ["+small", "-small"]


def test_idle_models_are_unloaded_after_the_keep_alive() -> None:
    """Five minutes after the last question, not before, the model goes; the next question brings it back."""
    yard, clock = Yard(), Clock()
    with yard.pool(clock=clock) as pool:
        engine = pool.engine(spec("small"))
        engine.ask(BUNDLE)
        clock.now += 299
        pool.unload_idle()
        engine.ask(BUNDLE)
        clock.now += 299
        pool.unload_idle()
        assert yard.log == ["+small"]
        clock.now += 1
        pool.unload_idle()
        assert yard.log == ["+small", "-small"]
        engine.ask(BUNDLE)
        assert yard.log == ["+small", "-small", "+small"]


def test_the_pool_unloads_by_itself() -> None:
    """Nobody has to call anything for an idle model to go."""
    yard = Yard()
    with Pool(yard.load, lambda s, c: 1, keep_alive=0.02) as pool:
        pool.engine(spec("small")).ask(BUNDLE)
        until = time.monotonic() + 5
        while pool.loaded() and time.monotonic() < until:
            time.sleep(0.01)
        assert yard.log == ["+small", "-small"]


def test_who_borrows_a_model_says_how_long_it_stays() -> None:
    """The last word counts, also against the pool's own; nought unloads what nobody else has."""
    yard, clock = Yard(), Clock()
    with yard.pool(clock=clock) as pool:
        with pool.lease(spec("small"), keep_alive=10):
            assert [each.expires_in for each in pool.residents()] == [10]
        clock.now += 4
        assert [(each.spec.name, each.expires_in) for each in pool.residents()] == [("small", 6)]
        with pool.lease(spec("small")):
            pass
        assert [each.expires_in for each in pool.residents()] == [10]
        with pool.lease(spec("small"), keep_alive=float("inf")), pool.lease(spec("small"), keep_alive=0):
            assert pool.loaded() == ("small",)
        assert pool.loaded() == ()
        with pool.lease(spec("medium"), keep_alive=float("inf")):
            pass
        clock.now += 1e9
        pool.unload_idle()
        assert pool.loaded() == ("medium",)
    assert yard.log == ["+small", "-small", "+medium", "-medium"]


def test_the_least_recently_used_model_makes_room() -> None:
    """A model that needs room pushes out the one idle for longest."""
    yard = Yard()
    with yard.pool(budget=4) as pool:
        for name in ("small", "medium", "small", "medium"):
            pool.engine(spec(name)).ask(BUNDLE)
        pool.engine(spec("small")).ask(BUNDLE)
        assert pool.loaded() == ("medium", "small")
        pool.engine(spec("large")).ask(BUNDLE)
        assert yard.log == ["+small", "+medium", "-medium", "-small", "+large"]


def test_a_model_is_unloaded_by_name() -> None:
    """At once, or as soon as nobody uses it; what is not there can't be."""
    yard = Yard()
    with yard.pool() as pool:
        assert not pool.unload("small")
        pool.engine(spec("small")).ask(BUNDLE)
        assert pool.unload("small")
        with pool.lease(spec("medium")) as medium:
            assert pool.unload("medium")
            assert medium.ask(BUNDLE)
        assert pool.loaded() == ()
    assert yard.log == ["+small", "-small", "+medium", "-medium"]


def test_a_model_on_its_way_is_told_as_such() -> None:
    """It is no model in memory yet."""
    seen: list[tuple[tuple[str, ...], list[bool]]] = []

    def load(wanted: ModelSpec, _: int) -> ScriptedEngine:
        seen.append((pool.loaded(), [each.loading for each in pool.residents()]))
        return ScriptedEngine(model=wanted.name)

    with Pool(load, lambda s, c: 1) as pool:
        pool.engine(spec("small")).ask(BUNDLE)
        assert seen == [((), [True])]
        assert (pool.loaded(), [each.loading for each in pool.residents()]) == (("small",), [False])


def test_a_dead_engine_is_left_and_the_model_loaded_anew() -> None:
    """It is closed when the last who used it is gone."""
    made: list[Sick] = []

    class Sick(ScriptedEngine):
        alive, closed = True, 0

        def close(self) -> None:
            self.closed += 1

        def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
            if not self.alive:
                raise NativeFailure("it is dead")
            return super().answer(bundle, on_text)

    def load(wanted: ModelSpec, _: int) -> Sick:
        made.append(Sick(model=wanted.name))
        return made[-1]

    with Pool(load, lambda s, c: 1) as pool:
        engine = pool.engine(spec("small"))
        with pool.lease(spec("small")):
            made[0].alive = False
            assert engine.ask(BUNDLE)
            assert [each.closed for each in made] == [0, 0]
        assert [each.closed for each in made] == [1, 0]
        assert pool.loaded() == ("small",)
        made[1].alive = False
        assert engine.ask(BUNDLE)
    assert [each.closed for each in made] == [1, 1, 1]
