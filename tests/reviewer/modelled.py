"""For tests of the server: real names, files and a real pool, with an engine in each that a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import tiny
from serving import listening

from hunkwise.engine import Engine, Library, ModelSpec, Pool, ScriptedEngine
from hunkwise.engine.models.store.store import Store
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.models import PoolModels
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

NAME = "tiny:latest"
Open = Callable[[ModelSpec, int], Engine]


def scripted(spec: ModelSpec, context: int) -> ScriptedEngine:
    return ScriptedEngine(context=context, model=spec.name)


class Loads:
    """A pool's loader that keeps what it made."""

    def __init__(self, make: Open = scripted) -> None:
        self._make = make
        self.engines: list[Any] = []
        self.contexts: list[int] = []

    def __call__(self, spec: ModelSpec, context: int) -> Engine:
        made = self._make(spec, context)
        self.engines.append(made)
        self.contexts.append(context)
        return made


def library_in(folder: Path, modelfile: str = "", **extra: Any) -> Library:
    """Make a library with one model of a few kilobytes, under `NAME`."""
    weights = tiny.write(folder / "tiny.gguf", context=32768, **extra)
    recipe = folder / "Modelfile"
    recipe.write_text(f"FROM {weights}\n{modelfile}")
    library = Library(Store(folder / "models"))
    library.create("tiny", recipe)
    return library


def models_in(folder: Path, loads: Loads, modelfile: str = "", **extra: Any) -> PoolModels:
    return PoolModels(library_in(folder, modelfile, **extra), Pool(loads, lambda spec, context: 1000))


@contextmanager
def modelled(
    folder: Path, loads: Loads, modelfile: str = "", extra: dict[str, Any] | None = None, **settings: Any
) -> Iterator[tuple[Server, httpx.Client]]:
    """Serve such a library by a real HTTP server."""
    environment = Environment({}, folder, lambda sentence: None)
    server = Server(Settings(**settings), models_in(folder, loads, modelfile, **(extra or {})), environment)
    try:
        with listening(make_app(server)) as client:
            yield server, client
    finally:
        server.models.close()
