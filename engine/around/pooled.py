"""`PooledEngine`: a model of a pool, borrowed for each question."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from hunkwise.engine.errors import Closed, DeadlineExceeded
from hunkwise.engine.port import Answers, Engine, EngineCard, OnText, Waiting, wait
from hunkwise.engine.types import Bundle, BundleSize

Borrow = Callable[[float | None], AbstractContextManager[Engine]]  # within so many seconds


class PooledEngine(Waiting):
    """One model of a pool, as an `Engine`. Closed by itself, it leaves the model to the pool."""

    def __init__(self, borrow: Borrow, name: str) -> None:
        self._borrow, self._name = borrow, name
        self._closed = False

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer, loading the model first if need be; that time counts against the deadline."""
        started = time.monotonic()
        with self._lease(bundle.deadline) as engine:
            if bundle.deadline is not None:
                left = bundle.deadline - (time.monotonic() - started)
                if left <= 0:
                    raise DeadlineExceeded(f"{self._name} took {bundle.deadline} s and more to load")
                bundle = replace(bundle, deadline=left)
            return wait(engine.submit(bundle, on_text), bundle)

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count tokens; that needs the model's tokenizer, so it may load."""
        with self._lease() as engine:
            return engine.measure(bundle)

    def card(self) -> EngineCard:
        """Describe the loaded model; may load it."""
        with self._lease() as engine:
            return engine.card()

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True

    def _lease(self, deadline: float | None = None) -> AbstractContextManager[Engine]:
        if self._closed:
            raise Closed(f"{self._name} is closed; take it from the pool again")
        return self._borrow(deadline)
