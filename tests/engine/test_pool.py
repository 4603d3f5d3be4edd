"""The pool: when models are loaded, kept, shared and unloaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine import Answer, Bundle, Choose, ModelSpec, Question, ScriptedEngine, Segment
from hunkwise.engine.around.pool import Pool
from hunkwise.engine.errors import Closed, CorruptModel, DeadlineExceeded, DoesNotFit

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


def test_no_more_models_than_wanted_are_kept() -> None:
    yard = Yard()
    with Pool(yard.load, lambda spec, context: 1, most=1) as pool:
        for name in ("small", "medium"):
            pool.engine(spec(name)).ask(BUNDLE)
        assert yard.log == ["+small", "-small", "+medium"]


def test_a_model_larger_than_the_budget_is_refused() -> None:
    """Nothing is unloaded for a model that can't fit anyway."""
    yard = Yard()
    with yard.pool(budget=3) as pool:
        pool.engine(spec("small")).ask(BUNDLE)
        with pytest.raises(DoesNotFit, match="large needs"):
            pool.engine(spec("large")).ask(BUNDLE)
        assert pool.loaded() == ("small",)


def test_a_smaller_context_does_not_reload_and_a_larger_one_does() -> None:
    """The loaded context serves every smaller one."""
    yard = Yard()
    with yard.pool() as pool:
        for context in (4096, 1024, 4096, 8192, 4096):
            pool.engine(spec("small"), context).ask(BUNDLE)
    assert yard.log == ["+small", "-small", "+small", "-small"]


def test_a_failed_load_is_shared_by_those_who_waited_and_forgotten() -> None:
    """Everyone gets the error, and the next question tries again."""
    yard = Yard()
    yard.failing = 1
    with yard.pool() as pool:
        with pytest.raises(CorruptModel):
            pool.engine(spec("small")).ask(BUNDLE)
        assert pool.engine(spec("small")).ask(BUNDLE)


def test_a_busy_model_is_waited_for_until_the_deadline() -> None:
    """A model in use is never unloaded; who can't wait is told so."""
    inside, leave = threading.Event(), threading.Event()

    def during(name: str) -> None:
        if name == "small":
            inside.set()
            leave.wait(5)

    yard = Yard(during)
    with (
        Pool(yard.load, lambda s, c: SIZES[s.name], budget=4) as pool,
        ThreadPoolExecutor() as threads,
    ):
        busy = threads.submit(pool.engine(spec("small")).ask, BUNDLE)
        assert inside.wait(5)
        with pytest.raises(DeadlineExceeded):
            pool.engine(spec("large")).ask(replace(BUNDLE, deadline=0.05))
        waiting = threads.submit(pool.engine(spec("large")).ask, BUNDLE)
        leave.set()
        assert busy.result(5)
        assert waiting.result(5)
    assert yard.log == ["+small", "-small", "+large", "-large"]


def test_a_closed_pool_answers_nothing_more() -> None:
    """Closing is final."""
    pool = Yard().pool()
    pool.close()
    with pytest.raises(Closed):
        pool.engine(spec("small")).ask(BUNDLE)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=30), st.integers(4, 7))
def test_many_threads_never_exceed_the_budget(names: list[str], budget: int) -> None:
    """Whatever is asked at once, every question is answered, loads match unloads, and the budget holds."""
    yard = Yard()
    with yard.pool(budget=budget) as pool, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda name: pool.engine(spec(name)).ask(BUNDLE), names))
    assert len(answers) == len(names)
    held: list[str] = []
    for entry in yard.log:
        held.append(entry[1:]) if entry[0] == "+" else held.remove(entry[1:])
        assert sum(SIZES[name] for name in held) <= budget
    assert held == []
