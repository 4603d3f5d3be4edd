"""Servers without a model of their own: the engine is on other servers (`--engine`), or webhooks alone come in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

from hunkwise import engine
from hunkwise.engine import Engine, Library, ModelSpec
from hunkwise.engine.errors import ModelNotFound
from hunkwise.reviewer.app.engines import access_of
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Lease, Running

WINDOW = 8192  # tokens that one request may take where nothing else is said


class UpstreamModels:
    """`Models` with the one model that the engines of other servers have. Connects when it is first asked.

    It reviews, and hands bundles on. What is told of a model's files (`/api/show`, chats with a template) its own
    server tells. Thread-safe.
    """

    def __init__(self, connect: Callable[[], Engine], library: Library) -> None:
        self._connect, self._library = connect, library
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def library(self) -> Library:
        """The models on this machine, which are not used."""
        return self._library

    def resolve(self, name: str) -> ModelSpec:
        """Find the model: any other name is not there. Raises EngineError."""
        card = self._connected().card()
        if name not in ("", card.model) and f"{name}:latest" != card.model:
            raise ModelNotFound(f"model '{name}' not found")
        return ModelSpec(card.model, card.digest, ())

    def describe(self, spec: ModelSpec) -> Described:
        """Refuse: its files are elsewhere. Raises ModelNotFound."""
        raise ModelNotFound(
            f"{spec.name} is on another server, which this one hands reviews to; ask it there"
        )

    def window(self, spec: ModelSpec, wanted: int | None = None) -> int:
        """Say how many tokens a request may take that asks for `wanted`, or for nothing."""
        return min(wanted or WINDOW, self._connected().card().context)

    @contextmanager
    def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> Iterator[Lease]:
        """Lend the engine."""
        yield Lease(model if isinstance(model, ModelSpec) else self.resolve(model), self._connected())

    def loaded(self) -> tuple[str, ...]:
        """Name the model, once it was asked."""
        return (self._engine.card().model,) if self._engine else ()

    def running(self) -> tuple[Running, ...]:
        """Give nothing: no memory of this machine is taken."""
        return ()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()

    def _connected(self) -> Engine:
        """Connect; one that could not be reached is tried again by the next request."""
        with self._lock:
            if self._engine is None:
                self._engine = self._connect()
            return self._engine


def upstream(settings: Settings, environment: Environment) -> UpstreamModels:
    """Make the models of a server that hands on to others. Raises EngineError where none can be asked."""
    access = access_of(environment)
    for url in settings.engine:
        engine.check_address(url, access)

    def connect() -> Engine:
        return engine.connect_all(settings.engine, settings.model, access=access, say=environment.say)

    return UpstreamModels(connect, engine.library_from_environment(environment.variables))


class NoModels:
    """Satisfies `Models`, and has none."""

    @property
    def library(self) -> Library:
        """Raises ModelNotFound."""
        _none()

    def resolve(self, name: str) -> ModelSpec:
        """Raises ModelNotFound."""
        _none()

    def describe(self, spec: ModelSpec) -> Described:
        """Raises ModelNotFound."""
        _none()

    def window(self, spec: ModelSpec, wanted: int | None = None) -> int:
        """Say that nothing fits."""
        return 0

    def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> AbstractContextManager[Lease]:
        """Raises ModelNotFound."""
        _none()

    def loaded(self) -> tuple[str, ...]:
        """Name none."""
        return ()

    def running(self) -> tuple[Running, ...]:
        """Describe none."""
        return ()

    def close(self) -> None:
        """There is nothing to unload."""


def _none() -> NoReturn:
    raise ModelNotFound("this server has no models; it only takes in webhooks")
