from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import (
    Answer,
    Bundle,
    Cache,
    CachedEngine,
    CachePlace,
    Choice,
    Choose,
    Engine,
    EngineCard,
    Generate,
    Question,
    Score,
    ScriptedEngine,
    Segment,
    Usage,
    Weights,
    open_cache,
)
from hunkwise.engine.errors import Cancelled, DeadlineExceeded, EngineError, NativeFailure
from hunkwise.engine.store.disk import DiskStore
from hunkwise.engine.store.port import Counters, MemoryStore, Store
from hunkwise.engine.store.redis import RedisStore

SECRET = b"s" * 32
BUNDLE = Bundle(
    (Segment("shared words"),),
    (Choose("a", (), ("yes", "no")), Score("b", (), "one\ntwo"), Generate("c", (), 5)),
)
Start = Callable[..., Any]


def cached(engine: Engine, *stores: Store, namespace: str = "trusted:r") -> CachedEngine:
    return CachedEngine(lambda: engine, engine.card(), Cache(stores, secret=SECRET, namespace=namespace))


def counts(engine: CachedEngine) -> dict[str, int]:
    return engine._cache.tally.counts()


def never() -> Engine:
    raise AssertionError("the engine was opened")


def test_second_time(tmp_path: Path) -> None:
    """Another process gets the same answers and counts without opening an engine."""
    inner, place = ScriptedEngine(), CachePlace(tmp_path)
    with open_cache(place, trust="trusted", repository="r") as cache:
        engine = CachedEngine(lambda: inner, inner.card(), cache)
        answers, size = engine.ask(BUNDLE), engine.measure(BUNDLE)
        assert answers == inner.ask(BUNDLE)
        assert engine.loaded
    with open_cache(place, trust="trusted", repository="r") as cache:
        engine = CachedEngine(never, inner.card(), cache)
        assert engine.ask(BUNDLE) == tuple(replace(answer, usage=Usage()) for answer in answers)
        assert engine.measure(BUNDLE) == size
        assert engine.card() == inner.card()
        assert not engine.loaded
        assert cache.tally.counts() == {"disk.hit": 4}


@pytest.mark.parametrize(("trust", "repository"), [("fork", "r"), ("trusted", "other")])
def test_namespaces(tmp_path: Path, redis_server: Start, trust: Any, repository: str) -> None:
    """What a fork or another repository wrote is not found, neither on disk nor in Redis."""
    inner, place = ScriptedEngine(), CachePlace(tmp_path, redis_server().url)
    with open_cache(place, trust=trust, repository=repository) as cache:
        CachedEngine(lambda: inner, inner.card(), cache).ask(BUNDLE)
    with open_cache(place, trust="trusted", repository="r") as cache:
        CachedEngine(lambda: inner, inner.card(), cache).ask(BUNDLE)
        assert cache.tally.counts() == {"miss": 3}
    assert len(inner.bundles) == 2


def test_stolen_entry() -> None:
    """A fork's entry that somebody moved under the trusted key is refused."""
    store, inner = MemoryStore(), ScriptedEngine()
    fork, trusted = cached(inner, store, namespace="fork:r"), cached(inner, store)
    fork.ask(BUNDLE)
    stolen = next(iter(store._entries.values()))
    trusted.ask(BUNDLE)
    for key in list(store._entries)[3:]:
        store.put({key: stolen})
    trusted.ask(BUNDLE)
    assert counts(trusted) == {"memory.rejected": 3, "miss": 6}


def test_only_what_is_missing() -> None:
    """Of a bundle the engine is asked only what the cache does not have, and the order is the bundle's."""
    inner = ScriptedEngine(lambda _, q: Choice(q.id, (0.25, 0.75), (-2.0, -1.0)) if q.id == "x" else None)
    engine = cached(inner, MemoryStore())
    engine.ask(BUNDLE)
    new = Choose("x", (Segment("new"),), ("yes", "no"))
    answers = engine.ask(replace(BUNDLE, questions=(BUNDLE.questions[1], new, BUNDLE.questions[0])))
    assert [answer.id for answer in answers] == ["b", "x", "a"]
    assert inner.bundles[1].questions == (new,)
    assert inner.bundles[1].shared == BUNDLE.shared


def test_equal_questions_in_a_bundle() -> None:
    """Equal questions of one bundle are asked once, and each gets its own name back."""
    inner = ScriptedEngine()
    twins = tuple(Choose(name, (), ("yes", "no")) for name in "abc")
    answers = cached(inner).ask(Bundle(BUNDLE.shared, twins))
    assert [answer.id for answer in answers] == ["a", "b", "c"]
    assert len(inner.bundles[0].questions) == 1


def test_empty_bundle() -> None:
    """A bundle without questions needs no engine."""
    engine = CachedEngine(never, ScriptedEngine().card(), Cache((), secret=SECRET, namespace="n"))
    assert engine.ask(Bundle((), ())) == ()


class Gate:
    """A script that waits until it is let go."""

    def __init__(self, error: EngineError | None = None) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.errors = [error] if error else []

    def __call__(self, bundle: Bundle, question: Question) -> Answer | None:
        self.began.set()
        assert self.go.wait(10)
        if self.errors:
            raise self.errors.pop()
        return None


def both(gate: Gate, engine: CachedEngine, bundles: Sequence[Bundle]) -> list[object]:
    """Ask the first bundle, the second while the first is being answered; gives answers or errors."""
    results: list[object] = [None, None]

    def ask(index: int) -> None:
        try:
            results[index] = engine.ask(bundles[index])
        except EngineError as error:
            results[index] = type(error)

    threads = [threading.Thread(target=ask, args=(index,)) for index in (0, 1)]
    threads[0].start()
    assert gate.began.wait(10)
    threads[1].start()
    while "coalesced" not in counts(engine):
        time.sleep(0.001)
    if bundles[1].deadline is not None:
        threads[1].join()
    gate.go.set()
    for thread in threads:
        thread.join()
    return results


def test_single_flight() -> None:
    """A question that is being answered is not asked again; both callers get the answer."""
    gate = Gate()
    inner = ScriptedEngine(gate)
    engine = cached(inner)
    first, second = both(gate, engine, [BUNDLE, replace(BUNDLE, priority=3, caller="other")])
    assert isinstance(first, tuple)
    assert second == tuple(replace(answer, usage=Usage()) for answer in first)
    assert len(inner.bundles) == 1
    assert engine._flights == {}


def test_follower_asks_for_itself() -> None:
    """When the call that others wait for is cancelled, they ask themselves."""
    gate = Gate(Cancelled("taken back"))
    inner = ScriptedEngine(gate)
    first, second = both(gate, cached(inner), [BUNDLE, BUNDLE])
    assert first is Cancelled
    assert isinstance(second, tuple)
    assert len(inner.bundles) == 2


def test_follower_keeps_its_deadline() -> None:
    """Who waits for another's answer waits no longer than its own deadline."""
    gate = Gate()
    first, second = both(gate, cached(ScriptedEngine(gate)), [BUNDLE, replace(BUNDLE, deadline=0.05)])
    assert isinstance(first, tuple)
    assert second is DeadlineExceeded


def test_failed_opening_is_tried_again() -> None:
    """An engine that could not be opened is opened at the next question, and nothing hangs."""
    inner, tries = ScriptedEngine(), []

    def open_engine() -> Engine:
        tries.append(1)
        if len(tries) == 1:
            raise EngineError("no")
        return inner

    engine = CachedEngine(open_engine, inner.card(), Cache((), secret=SECRET, namespace="n"))
    with pytest.raises(EngineError):
        engine.ask(BUNDLE)
    assert len(engine.ask(BUNDLE)) == 3


def test_opened_once() -> None:
    """Many threads that need the engine at once open it once."""
    inner, opened = ScriptedEngine(), []

    def opening() -> ScriptedEngine:
        opened.append(1)
        return inner

    engine = CachedEngine(opening, inner.card(), Cache((), secret=SECRET, namespace="n"))
    asked = [Bundle((), (Choose("q", (Segment(str(n)),), ("a", "b")),)) for n in range(20)]
    threads = [threading.Thread(target=engine.ask, args=(bundle,)) for bundle in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [1]


def test_another_card() -> None:
    """Answers of an engine that is not what was announced are kept under its own card."""
    inner, store = ScriptedEngine(), MemoryStore()
    announced = EngineCard("m", Weights("0" * 64), "announced", 1)
    engine = CachedEngine(lambda: inner, announced, Cache([store], secret=SECRET, namespace="trusted:r"))
    engine.ask(BUNDLE)
    assert engine.card() == inner.card()
    assert counts(engine)["card.changed"] == 1
    again = CachedEngine(never, inner.card(), Cache([store], secret=SECRET, namespace="trusted:r"))
    assert len(again.ask(BUNDLE)) == 3


def test_nearer_stores_are_filled(tmp_path: Path, redis_server: Start) -> None:
    """A hit in a farther store is kept in the nearer ones."""
    server, tally = redis_server(), Counters()
    disk, redis = DiskStore(tmp_path / "x", tally), RedisStore(server.url, "t", tally)
    inner = ScriptedEngine()
    cached(inner, redis).ask(BUNDLE)
    cached(inner, disk, redis).ask(BUNDLE)
    server.client.flushall()
    cached(inner, MemoryStore(), disk, redis).ask(BUNDLE)
    assert len(inner.bundles) == 1
    disk.close()
    redis.close()


def test_poisoned_redis(redis_server: Start) -> None:
    """Poisoned, truncated, swapped and foreign entries in Redis are misses, counted, and written over."""
    server, inner = redis_server(), ScriptedEngine()
    store = RedisStore(server.url, "t", Counters())
    engine = cached(inner, store)
    engine.ask(BUNDLE)
    one, two, three = sorted(server.client.keys())
    values = [server.client.get(key) for key in (one, two, three)]
    server.client.set(one, values[1])
    server.client.set(two, values[1][:-1])
    server.client.set(three, b'{"probabilities": [1.0, 0.0]}')
    assert engine.ask(BUNDLE) == inner.ask(BUNDLE)
    assert counts(engine) == {"miss": 6, "redis.rejected": 3}
    assert [server.client.get(key) for key in (one, two, three)] == values
    store.close()


@pytest.mark.parametrize("fault", ["killed", "stopped", "flushed", "full", "read-only"])
def test_redis_fails_midway(redis_server: Start, fault: str) -> None:
    """Whatever happens to Redis during a review, every answer comes, though the server never does."""
    server, inner = redis_server(), ScriptedEngine()
    store = RedisStore(server.url, "t", Counters(), budget=0.5)
    engine = cached(inner, store)
    engine.ask(BUNDLE)
    match fault:
        case "killed":
            server.process.kill()
            server.process.wait()
        case "stopped":
            os.kill(server.process.pid, signal.SIGSTOP)
        case "flushed":
            server.client.flushall()
        case "full":
            server.client.config_set("maxmemory", "1")
        case "read-only":
            server.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    began = time.monotonic()
    assert len(engine.ask(BUNDLE)) == 3
    assert len(engine.ask(replace(BUNDLE, shared=(Segment("others"),)))) == 3
    assert time.monotonic() - began < 10
    store.close()


def test_an_engine_that_can_t_be_opened_is_tried_once() -> None:
    """Each question that misses fails with the same words, without another load."""
    tried: list[int] = []

    def fail() -> Engine:
        tried.append(1)
        raise NativeFailure("llama.cpp can't make a context")

    engine = CachedEngine(fail, ScriptedEngine().card(), Cache((), secret=SECRET, namespace="trusted:r"))
    for name in ("a", "b"):
        with pytest.raises(NativeFailure, match="can't make a context"):
            engine.ask(Bundle((Segment(name),), (Choose("q", (), ("yes", "no")),)))
    assert tried == [1]
