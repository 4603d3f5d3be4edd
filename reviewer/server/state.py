"""`Server`: what the handlers share, and `Models`, the port behind which the loaded models live."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from starlette.routing import BaseRoute

from hunkwise.engine import Caches, Engine, Library, ModelSpec
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.guard.life import Lives
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.observe.metrics import Jobs, Metered, Metrics
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.threads import entered


@dataclass(frozen=True, slots=True)
class Lease:
    """A model that is in memory, and stays there as long as the lease lasts."""

    spec: ModelSpec
    engine: Engine


@dataclass(frozen=True, slots=True)
class Running:
    """A model in memory. It takes `bytes`, in `parts` of which its plan tells; `context` is in tokens.

    `parts` is empty where there was no plan; see `Plan.estimate`.
    `expires` is when it will be unloaded unless it is used, in seconds since 1970; infinity for never.
    """

    spec: ModelSpec
    bytes: int
    parts: Mapping[str, int]
    context: int
    expires: float

    @property
    def device_bytes(self) -> int:
        """Say what it takes of devices."""
        return self.parts.get("total", 0) - self.parts.get("CPU", 0)


class Models(Protocol):
    """The models of this server. Its calls read the disk and may wait for a load: call them in threads."""

    @property
    def library(self) -> Library:
        """The models on this machine, loaded or not."""
        ...

    def resolve(self, name: str) -> ModelSpec:
        """Find a model that is here; nothing is fetched. Raises InvalidName, ModelNotFound."""
        ...

    def describe(self, spec: ModelSpec) -> Described:
        """Say what a model can do, without loading it. Raises ModelError."""
        ...

    def window(self, spec: ModelSpec, wanted: int | None = None) -> int:
        """Say how many tokens one request may take that asks for `wanted`, or for nothing."""
        ...

    def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> AbstractContextManager[Lease]:
        """Lend a model, by its name or as it was found, loading it first if need be.

        A smaller `context` than the loaded one never reloads. `keep_alive` is how many seconds it stays after
        its last use: None as the server's settings say, infinity for ever, 0 not at all.
        """
        ...

    def loaded(self) -> tuple[str, ...]:
        """Name the models in memory."""
        ...

    def running(self) -> tuple[Running, ...]:
        """Describe the models in memory."""
        ...

    def close(self) -> None:
        """Unload all of them."""
        ...


@dataclass(eq=False)
class Server:
    """The state of one running server. Handlers get it by `routes(server)`."""

    settings: Settings
    models: Models
    environment: Environment
    metrics: Metrics = field(default_factory=Metrics)
    caches: Caches | None = None  # of what reviews were answered; None keeps nothing
    mounted: Sequence[BaseRoute] = ()  # of other doors, such as webhooks
    jobs: Jobs | None = None  # of the bot, which other processes do
    alone: bool = False  # there is nothing else here than what is mounted, and probes
    draining: bool = False  # told to end: nothing new is taken in
    full: bool = False  # no more requests are let in
    preloading: bool = False  # what has to be loaded first is not there yet
    lives: Lives = field(default_factory=Lives)  # the requests that run
    found: dict[str, tuple[float, ModelSpec, Described]] = field(
        default_factory=dict
    )  # until when that holds
    queues: dict[str, Callable[[], int]] = field(default_factory=dict)  # how many wait in each, for metrics
    at_drain: list[Callable[[], None]] = field(default_factory=list)  # called once when draining begins
    at_close: list[Callable[[], None]] = field(
        default_factory=list
    )  # called in a thread after the last request

    @contextmanager
    def lend(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> Iterator[Lease]:
        """Lend a model whose tokens are counted; see `Models.lease`."""
        started = time.perf_counter()
        with self.models.lease(model, context=context, keep_alive=keep_alive) as lease:
            self.metrics.waited.labels("model").observe(time.perf_counter() - started)
            yield Lease(lease.spec, Metered(lease.engine, self.metrics, lease.spec.name))

    @asynccontextmanager
    async def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> AsyncIterator[Lease]:
        """Lend a model to a handler without blocking the loop; see `Models.lease`."""
        async with entered(self.lend(model, context=context, keep_alive=keep_alive)) as lease:
            yield lease

    def refused(self, reason: str) -> None:
        """Count a request that was not let in."""
        self.metrics.rejected.labels(reason or "other").inc()

    def drain(self) -> None:
        """Take in nothing new."""
        if not self.draining:
            self.draining = True
            for call in self.at_drain:
                call()
