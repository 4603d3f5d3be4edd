"""A server without models: one that only takes in webhooks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NoReturn

from hunkwise.engine import Library, ModelSpec
from hunkwise.engine.errors import ModelNotFound
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.state import Lease, Running


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
