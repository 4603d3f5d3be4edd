"""`IsolatedEngine`: the same `Engine`, in a process of its own that may crash without taking ours along."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from hunkwise.engine.errors import Cancelled, Closed, EngineError, Interrupted, NativeFailure
from hunkwise.engine.port import Answers, EngineCard, OnText, Waiting
from hunkwise.engine.types import Bundle, BundleSize, ModelSpec, Piece, Statistics
from hunkwise.engine.worker.process import Child, Died
from hunkwise.engine.worker.wire import BadMessage, pack, unpack_answers, unpack_size

PATIENCE = 1800.0  # seconds; on a slow CPU one long bundle takes minutes
_DEATHS = 4  # in a row, without an answer between them, after which no new process is started
_ATTEMPTS = 2  # of one bundle
_SEASONED = 100  # bundles; a process that answered as many was not too large from the start

T = TypeVar("T")


class IsolatedEngine(Waiting):
    """An engine in a spawned process; a context manager. Thread-safe.

    When the process dies, or says nothing for `patience` seconds while something is asked, a new one is
    started and what had no answer is asked once more; what ends that one too raises NativeFailure, and the
    rest goes on. `factory` is the `module:function` that makes the engine there, from the spec, `options`
    (of JSON's types) and a function that takes sentences for the user; of `environ` it gets what it needs.
    `options["kills"]` counts how often SIGKILL ended the process before it had answered much, and the last time,
    so that the factory can take less memory.
    """

    def __init__(
        self,
        spec: ModelSpec,
        factory: str,
        *,
        environ: Mapping[str, str],
        options: Mapping[str, Any] | None = None,
        patience: float = PATIENCE,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._first = {"factory": factory, "spec": pack(spec)}
        self._options = dict(options or {})
        self._environ, self._patience, self._say = environ, patience, say
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._kills = self._deaths = 0
        self._past = Statistics()  # of the processes before this one
        self._closed = self._loaded = self._lost = False
        with ExitStack() as unless_loaded:
            unless_loaded.callback(self.close)
            self._card = self._attempt(lambda child: child.card())
            unless_loaded.pop_all()
        self._loaded = True

    def answer(self, bundle: Bundle, on_text: OnText | None) -> Answers:
        """Answer in the other process. Raises what the engine there raises, or NativeFailure."""
        said: list[str] = []  # ids of texts that were begun
        until = None if bundle.deadline is None else time.monotonic() + bundle.deadline

        def hear(name: str, piece: Piece) -> None:
            said.append(name)
            if on_text:
                on_text(name, piece)

        def ask(child: Child) -> Answers:
            if said:  # nobody can unsay it
                raise Interrupted("the engine's process died in the middle of a text; ask again")
            left = None if until is None else max(0.0, until - time.monotonic())
            asked = replace(bundle, deadline=left)
            return unpack_answers(bundle, child.call("ask", asked, hear if on_text else None))

        return self._attempt(ask)

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count tokens in the other process."""
        return self._attempt(lambda child: unpack_size(bundle, child.call("measure", bundle)))

    def card(self) -> EngineCard:
        """Describe the engine, as it described itself when first loaded."""
        return self._card

    def statistics(self) -> Statistics:
        """Return the totals of all processes; of one that died, as it told them with its last answer."""
        with self._lock:
            return self._past + self._child.spent if self._child is not None else self._past

    def close(self) -> None:
        """End the process; what is being asked raises Cancelled. Harmless when done twice."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
            self._past += child.spent if child is not None else Statistics()
        if child is not None:
            child.kill()

    @property
    def alive(self) -> bool:
        """False once it is closed, or no new process is started any more."""
        return not self._closed and not self._lost and self._deaths < _DEATHS

    @property
    def idle(self) -> bool:
        """True if the engine there holds nothing and waits for nothing."""
        return bool(self._attempt(lambda child: child.call("idle")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attempt(self, work: Callable[[Child], T]) -> T:
        """Do something with the child, and with a new one if it dies meanwhile."""
        for attempt in range(_ATTEMPTS):
            child = self._living()
            try:
                self._await(child)
                value = work(child)
            except Died as death:
                self._bury(child, death, again=attempt + 1 < _ATTEMPTS)
                last = death
            except BadMessage as error:
                self._bury(child, Died(f"the engine's process sent nonsense: {error}"), again=False)
                raise NativeFailure(f"the engine's process sent nonsense: {error}") from error
            else:
                self._deaths = 0
                return value
        raise NativeFailure(str(last)) from last

    def _await(self, child: Child) -> None:
        """Wait for the load. One that fails is told as such; later it is a loss of what is left to ask."""
        try:
            child.card()
        except EngineError as error:
            if self._loaded:
                self._lost = True
                raise NativeFailure(
                    f"the engine's process died and can't be started again: {error}"
                ) from error
            raise

    def _living(self) -> Child:
        """Return the child, a new one if the last has died."""
        with self._lock:
            if self._closed:
                raise Closed("the engine is closed; open it again")
            if self._child is None:
                if self._deaths >= _DEATHS:
                    raise NativeFailure(
                        f"the engine's process died {self._deaths} times in a row; no more are started"
                    )
                first = {**self._first, "options": {**self._options, "kills": self._kills}}
                self._child = Child(first, self._environ, self._patience, self._say)
            return self._child

    def _bury(self, child: Child, death: Died, *, again: bool) -> None:
        """Take note of a death, once for all who found it."""
        with self._lock:
            if self._closed:
                raise Cancelled("the engine was closed while it was asked") from death
            if self._child is not child:
                return
            self._child = None
            self._past += child.spent
            self._deaths += 1
            self._kills = death.killed + (0 if child.spent.bundles >= _SEASONED else self._kills)
        child.kill()
        if again:
            self._say(f"{death}; starting it again")
