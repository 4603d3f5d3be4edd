"""`Pool`: models that are loaded when first asked, kept while in use, and unloaded when idle or in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from hunkwise.engine.around.pooled import PooledEngine
from hunkwise.engine.errors import Closed, DeadlineExceeded, DoesNotFit
from hunkwise.engine.port import Engine, Mortal
from hunkwise.engine.types import ModelSpec

KEEP_ALIVE = 300.0  # seconds


Load = Callable[[ModelSpec, int], Engine]  # a model and the tokens of context it should hold
Cost = Callable[[ModelSpec, int], int]  # bytes that loading this would take


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory: the tokens and bytes it was loaded for, and in how many idle seconds it is unloaded.

    One that is `loading` is on its way there.
    """

    spec: ModelSpec
    context: int
    cost: int
    expires_in: float
    loading: bool = False


@dataclass(slots=True, eq=False)
class _Resident:
    """A model in memory, or on its way there: `ready` then has no result yet."""

    spec: ModelSpec
    context: int  # tokens asked for when it was loaded
    cost: int
    keep_alive: float
    ready: Future[Engine] = field(default_factory=Future)
    users: int = 1
    idle_since: float = 0.0


class Pool:
    """Loaded models under one memory budget; a context manager. Thread-safe.

    A model is loaded by its first question; others that come meanwhile wait for that load and share its
    failure. It is unloaded after `keep_alive` idle seconds (None: never), or as who borrows it says, or sooner,
    least recently used first, when another needs its room; a model in use is waited for. A larger context than
    the loaded one reloads, a smaller one never does. One that is no longer `alive` is left, and the next question
    loads the model anew. `budget` is in bytes, `most` in models (None: no limit).
    """

    def __init__(
        self,
        load: Load,
        cost: Cost,
        *,
        budget: int | None = None,
        keep_alive: float | None = KEEP_ALIVE,
        most: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load, self._cost = load, cost
        self._budget, self._keep_alive, self._most, self._clock = budget, keep_alive, most, clock
        self._residents: dict[tuple[str, str], _Resident] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._sweeper: threading.Thread | None = None
        self._wakes = float("inf")  # when the sweeper looks by itself
        self._waiting = 0  # for room

    def engine(self, spec: ModelSpec, context: int = 0) -> PooledEngine:
        """Make the engine of one model. Nothing is loaded before it is asked something."""
        return PooledEngine(lambda deadline: self.lease(spec, context, deadline), spec.name)

    def loaded(self) -> tuple[str, ...]:
        """Name the models in memory, least recently used first."""
        return tuple(each.spec.name for each in self.residents() if not each.loading)

    def residents(self) -> tuple[Loaded, ...]:
        """Describe the models in memory, least recently used first; what is in use has all its time before it."""
        with self._changed:
            return tuple(
                Loaded(r.spec, r.context, r.cost, self._expires_in(r), loading=not r.ready.done())
                for r in self._residents.values()
            )

    def unload(self, name: str) -> bool:
        """Unload a model by its name, as soon as nobody uses it; False if it is not in memory."""
        with self._changed:
            found = [resident for resident in self._residents.values() if resident.spec.name == name]
            for resident in found:
                resident.keep_alive = 0.0
                if not resident.users:
                    self._unload(resident)
            self._changed.notify_all()
        return bool(found)

    def unload_idle(self) -> None:
        """Unload what has been idle for longer than the keep-alive; a thread of the pool calls this."""
        with self._changed:
            for resident in tuple(self._residents.values()):
                if not resident.users and self._remaining(resident) <= 0:
                    self._unload(resident)

    def close(self) -> None:
        """Unload everything; what is in use as soon as its question is answered. Later questions fail."""
        with self._changed:
            self._closed = True
            for resident in tuple(self._residents.values()):
                if not resident.users:
                    self._unload(resident)
            self._changed.notify_all()
            sweeper = self._sweeper
        if sweeper is not None:
            sweeper.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def lease(
        self,
        spec: ModelSpec,
        context: int = 0,
        deadline: float | None = None,
        *,
        keep_alive: float | None = None,
    ) -> Iterator[Engine]:
        """Lend a model, loading it first if need be; it stays in memory until the block ends.

        From then on it stays for `keep_alive` idle seconds, until somebody says otherwise: infinity is for ever, 0
        unloads it at once if nobody else has it, None leaves it as it is.

        Raises DoesNotFit if it is larger than the budget, DeadlineExceeded if after `deadline` seconds there
        is still no room, Closed if the pool is closed, and what the load raises.
        """
        resident, fresh = self._enter(spec, context, deadline)
        if keep_alive is not None:
            resident.keep_alive = keep_alive
        try:
            if fresh:
                self._fill(resident)
            yield resident.ready.result()
        finally:
            self._leave(resident)

    def _enter(self, spec: ModelSpec, context: int, deadline: float | None) -> tuple[_Resident, bool]:
        """Count ourselves in; the second value is true if the model is ours to load."""
        key, cost = (spec.name, spec.digest), self._cost(spec, context)
        until = None if deadline is None else self._clock() + deadline
        with self._changed:
            while not self._closed:
                resident = self._residents.pop(key, None)
                if resident is not None and not _alive(resident):
                    self._leave_behind(resident)
                    continue
                if resident is not None:
                    self._residents[key] = resident  # the last is the most recently used
                    if resident.context >= context:
                        resident.users += 1
                        return resident, False
                    if not resident.users:
                        self._unload(resident)
                        continue
                elif self._room_for(spec, cost):
                    stays = float("inf") if self._keep_alive is None else self._keep_alive
                    self._residents[key] = _Resident(spec, context, cost, stays)
                    return self._residents[key], True
                self._waiting += 1
                came = self._changed.wait(None if until is None else until - self._clock())
                self._waiting -= 1
                if not came:
                    raise DeadlineExceeded(f"{spec.name} did not get into memory within {deadline} s")
        raise Closed(f"{spec.name} was not asked: the pool of models is closed")

    def _fill(self, resident: _Resident) -> None:
        """Load outside the lock, so that other models answer meanwhile."""
        with ExitStack() as unless_loaded:
            unless_loaded.push(partial(self._share_failure, resident))
            engine = self._load(resident.spec, resident.context)
            unless_loaded.pop_all()
        resident.ready.set_result(engine)

    def _share_failure(
        self,
        resident: _Resident,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raise the failure of a load in those who wait for it too; the next question loads anew."""
        with self._changed:
            del self._residents[_key(resident)]
            self._changed.notify_all()
        resident.ready.set_exception(error)

    def _leave(self, resident: _Resident) -> None:
        with self._changed:
            resident.users -= 1
            resident.idle_since = self._clock()
            if self._residents.get(_key(resident)) is resident and not _alive(resident):
                del self._residents[_key(resident)]
            if not resident.users and self._residents.get(_key(resident)) is not resident:
                self._leave_behind(resident)
            elif not resident.users and (self._closed or resident.keep_alive <= 0):
                self._unload(resident)
            if self._sweeper is None and resident.keep_alive < float("inf") and not self._closed:
                self._sweeper = threading.Thread(target=self._sweep, name="hunkwise-pool", daemon=True)
                self._sweeper.start()
            sooner = not resident.users and self._clock() + resident.keep_alive < self._wakes
            if sooner or self._waiting or self._closed:  # each request leaves: nobody is woken for nothing
                self._changed.notify_all()

    def _room_for(self, spec: ModelSpec, cost: int) -> bool:
        """Evict idle models until there is room; False if only those in use are left."""
        if self._budget is not None and cost > self._budget:
            raise DoesNotFit(
                f"{spec.name} needs {cost >> 20} MiB and all models together may take {self._budget >> 20} MiB; "
                "choose a smaller model or quantization"
            )
        residents = self._residents.values()
        while self._is_full(cost):
            idle = next((resident for resident in residents if not resident.users), None)
            if idle is None:
                return False
            self._unload(idle)
        return True

    def _is_full(self, cost: int) -> bool:
        if self._most is not None and len(self._residents) >= self._most:
            return True
        taken = sum(resident.cost for resident in self._residents.values())
        return self._budget is not None and taken + cost > self._budget

    def _unload(self, resident: _Resident) -> None:
        if self._residents.get(_key(resident)) is resident:
            del self._residents[_key(resident)]
            resident.ready.result().close()

    def _leave_behind(self, resident: _Resident) -> None:
        """Free what is no longer in the pool, once its last user is gone."""
        if not resident.users and resident.ready.done() and not resident.ready.exception():
            resident.ready.result().close()

    def _expires_in(self, resident: _Resident) -> float:
        busy = resident.users or not resident.ready.done()
        return resident.keep_alive if busy else max(0.0, self._remaining(resident))

    def _remaining(self, resident: _Resident) -> float:
        """Seconds until an idle model is unloaded."""
        return resident.idle_since + resident.keep_alive - self._clock()

    def _sweep(self) -> None:
        """Run in a thread: sleep until the next model has been idle for long enough."""
        with self._changed:
            while not self._closed:
                self.unload_idle()
                # what is in use now will be idle for a keep-alive at least
                left = [r.keep_alive if r.users else self._remaining(r) for r in self._residents.values()]
                soonest = min((seconds for seconds in left if seconds > 0), default=float("inf"))
                self._wakes = self._clock() + soonest
                self._changed.wait(max(0.01, soonest) if soonest < float("inf") else None)


def _key(resident: _Resident) -> tuple[str, str]:
    return resident.spec.name, resident.spec.digest


def _alive(resident: _Resident) -> bool:
    """Tell whether a model answers, or is on its way there."""
    if not resident.ready.done() or resident.ready.exception():
        return True  # a load that failed is forgotten by who loaded
    engine = resident.ready.result()
    return not isinstance(engine, Mortal) or engine.alive
