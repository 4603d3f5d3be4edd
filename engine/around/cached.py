"""`CachedEngine`: answers given before come without the model; equal questions in flight are asked once."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from typing import TypeVar

from hunkwise.engine.errors import Closed, DeadlineExceeded, NativeFailure
from hunkwise.engine.port import Answers, Engine, EngineCard, OnText, Waiting, told, wait
from hunkwise.engine.store.codec import (
    BadEntry,
    read_answer,
    read_size,
    seal,
    unseal,
    write_answer,
    write_size,
)
from hunkwise.engine.store.key import answer_key, derive, size_key, value_key
from hunkwise.engine.store.port import Counters, Store
from hunkwise.engine.types import Answer, Bundle, BundleSize, Question, Usage, settled

T = TypeVar("T")


class Cache:
    """Entries of one namespace, over stores from the nearest to the farthest; a hit fills the nearer ones.

    `namespace` keeps apart what must not meet: trust levels and repositories. With another namespace, or
    another `secret`, every key differs and no entry is accepted.
    """

    def __init__(
        self, stores: Sequence[Store], *, secret: bytes, namespace: str, tally: Counters | None = None
    ) -> None:
        self.tally = tally or Counters()
        self.key_secret = derive(secret, namespace, "key")
        self._entry_secret = derive(secret, namespace, "entry")
        self._stores = tuple(stores)

    def key(self, kind: str, card: EngineCard, *parts: object) -> str:
        """Name a value of a caller's own `kind`, by the model that led to it and all else that decides it."""
        return value_key(self.key_secret, kind, card, parts)

    def get(self, readers: Mapping[str, Callable[[object], T]]) -> dict[str, T]:
        """Look up keys; each value is made by its key's reader. A bad entry is a miss and is counted."""
        found: dict[str, T] = {}
        for depth, store in enumerate(self._stores):
            wanted = [key for key in readers if key not in found]
            if not wanted:
                break
            good: dict[str, bytes] = {}
            for key, entry in store.get(wanted).items():
                try:
                    found[key] = readers[key](unseal(self._entry_secret, key, entry))
                except BadEntry:
                    self.tally.add(f"{store.name}.rejected")
                else:
                    good[key] = entry
            self.tally.add(f"{store.name}.hit", len(good))
            for nearer in self._stores[:depth] if good else ():
                nearer.put(good)
        self.tally.add("miss", len(readers) - len(found))
        return found

    def put(self, values: Mapping[str, object]) -> None:
        """Keep values in all stores, those too large for an entry excepted."""
        sealed = {key: seal(self._entry_secret, key, value) for key, value in values.items()}
        entries = {key: entry for key, entry in sealed.items() if entry is not None}
        self.tally.add("unstorable", len(sealed) - len(entries))
        for store in self._stores if entries else ():
            store.put(entries)


class CachedEngine(Waiting):
    """An `Engine` around an engine that is opened when a question misses, and not before. Thread-safe.

    `card` must be what the opened engine will say of itself; if that one says otherwise, its own word counts
    from then on. Hits carry no usage, for nothing was computed.
    """

    def __init__(self, open_engine: Callable[[], Engine], card: EngineCard, cache: Cache) -> None:
        self._open_engine, self._card, self._cache = open_engine, card, cache
        self._engine: Engine | None = None
        self._closed = False
        self._failed: NativeFailure | None = None  # of the engine to open, which is not tried again
        self._opening = threading.Lock()
        self._draws = itertools.count()
        self._flights: dict[str, Future[Answer]] = {}
        self._flights_lock = threading.Lock()

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer from the cache, and ask the engine, once, for what is missing."""
        self._check_open()
        ends = None if bundle.deadline is None else time.monotonic() + bundle.deadline
        keys = [self._key(bundle, question) for question in bundle.questions]
        questions = dict(zip(keys, bundle.questions, strict=True))
        answers = self._cache.get({key: _answer_reader(q) for key, q in questions.items() if settled(q)})
        heard: set[str] = set()
        while missing := [key for key in questions if key not in answers]:
            mine, others = self._claim(missing)
            answers |= self._fly(bundle, questions, mine, ends, on_text)
            answers |= self._wait(others, ends)
            heard |= {questions[key].id for key in mine}
        pairs = zip(keys, bundle.questions, strict=True)
        given = tuple(_for(question, answers[key]) for key, question in pairs)
        told(tuple(answer for answer in given if answer.id not in heard), on_text)
        return given

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count the bundle's tokens, from the cache where they were counted before."""
        self._check_open()
        key = size_key(self._cache.key_secret, self._card, bundle)
        found = self._cache.get({key: lambda value: read_size(bundle, value)})
        if key in found:
            return found[key]
        size = self._opened().measure(bundle)
        self._cache.put({size_key(self._cache.key_secret, self._card, bundle): write_size(size)})
        return size

    def card(self) -> EngineCard:
        """Describe what answers, without opening it."""
        return self._card

    def close(self) -> None:
        """Close the engine, if it was opened."""
        with self._opening:
            self._closed = True
            if self._engine is not None:
                self._engine.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(f"{self._card.model} is closed; open it again")

    @property
    def loaded(self) -> bool:
        """True once the engine was opened."""
        return self._engine is not None

    def _key(self, bundle: Bundle, question: Question) -> str:
        """Name the answer to a question; one that is drawn anew each time has a name of its own each time."""
        key = answer_key(self._cache.key_secret, self._card, bundle, question)
        return key if settled(question) else f"{key} {next(self._draws)}"

    def _opened(self) -> Engine:
        with self._opening:
            if self._engine is None:
                self._engine = self._open()
                if self._engine.card() != self._card:
                    self._cache.tally.add("card.changed")
                    self._card = self._engine.card()
            return self._engine

    def _open(self) -> Engine:
        if self._failed is not None:
            raise self._failed
        try:
            return self._open_engine()
        except NativeFailure as error:
            self._failed = error
            raise

    def _claim(self, keys: Iterable[str]) -> tuple[dict[str, Future[Answer]], dict[str, Future[Answer]]]:
        """Split keys into those this call must ask for, and those that another call is asking for now."""
        mine: dict[str, Future[Answer]] = {}
        others: dict[str, Future[Answer]] = {}
        with self._flights_lock:
            for key in keys:
                if key in self._flights:
                    others[key] = self._flights[key]
                else:
                    mine[key] = self._flights[key] = Future()
        self._cache.tally.add("coalesced", len(others))
        return mine, others

    def _fly(
        self,
        bundle: Bundle,
        questions: Mapping[str, Question],
        mine: Mapping[str, Future[Answer]],
        ends: float | None,
        on_text: OnText | None,
    ) -> dict[str, Answer]:
        """Ask the engine, keep what it says, and hand it to those who wait."""
        if not mine:
            return {}
        try:
            asked = replace(bundle, questions=tuple(questions[key] for key in mine), deadline=_left(ends))
            engine = self._opened()
            given = wait(engine.submit(asked, on_text), asked)
            answers = dict(zip(mine, given, strict=True))
            self._keep(asked, answers.values())
            for key, answer in answers.items():
                mine[key].set_result(answer)
            return answers
        finally:
            with self._flights_lock:
                for key, future in mine.items():
                    del self._flights[key]
                    future.cancel()  # where there is no answer, those who wait ask for themselves

    def _keep(self, asked: Bundle, answers: Iterable[Answer]) -> None:
        values = {}
        for question, answer in zip(asked.questions, answers, strict=True):
            if settled(question):
                values[self._key(asked, question)] = write_answer(answer)
        self._cache.put(values)

    def _wait(self, others: Mapping[str, Future[Answer]], ends: float | None) -> dict[str, Answer]:
        """Take what other calls found out; what they failed at stays missing."""
        answers = {}
        for key, future in others.items():
            try:
                # an exception is never set: a failed call cancels its futures
                answers[key] = replace(future.result(_left(ends)), usage=Usage())
            except FutureTimeout as error:
                raise DeadlineExceeded(
                    "the deadline passed while an equal question was being answered"
                ) from error
            except CancelledError:
                continue
        return answers


def _left(ends: float | None) -> float | None:
    return None if ends is None else max(0.0, ends - time.monotonic())


def _for(question: Question, answer: Answer) -> Answer:
    return replace(answer, id=question.id)


def _answer_reader(question: Question) -> Callable[[object], Answer]:
    return lambda value: read_answer(question, value)
