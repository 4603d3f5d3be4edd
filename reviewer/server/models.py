"""The loaded models of the server."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hunkwise.engine import ModelSpec
from hunkwise.engine.errors import ModelNotFound
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Lease, Models


def open_models(settings: Settings, environment: Environment) -> Models:
    """Make the models that a server's settings ask for; nothing is loaded yet."""
    return _None()


class _None:
    def resolve(self, name: str) -> ModelSpec:
        raise ModelNotFound(f"model '{name}' not found")

    def lease(
        self, name: str, *, context: int = 0, keep_alive: float | None = None
    ) -> AbstractContextManager[Lease]:
        raise ModelNotFound(f"model '{name}' not found")

    def loaded(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        pass
