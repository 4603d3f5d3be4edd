"""For tests of the server: models that are fakes, an engine that speaks when it is told to, a real HTTP server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from hunkwise.engine import (
    NO_CARD,
    Answer,
    Bundle,
    BundleSize,
    Engine,
    EngineCard,
    Generated,
    Library,
    ModelSpec,
    OnText,
    Piece,
    ScriptedEngine,
    Usage,
)
from hunkwise.engine.errors import ModelNotFound
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.inference.described import Described
from hunkwise.reviewer.server.run import listen
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Lease, Running, Server

SPEC = ModelSpec("scripted:latest", "0" * 64, ())


class FakeModels:
    """One engine under any name that begins with "scripted"; counts who has it."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine: Engine = engine or ScriptedEngine()
        self.users = 0
        self.leases: list[tuple[str, int, float | None]] = []
        self._lock = threading.Lock()

    def resolve(self, name: str) -> ModelSpec:
        if not name.startswith("scripted"):
            raise ModelNotFound(f"model '{name}' not found")
        return SPEC

    @property
    def library(self) -> Library:
        raise ModelNotFound("there is no library of fakes")

    def describe(self, spec: ModelSpec) -> Described:
        raise ModelNotFound(f"{spec.name} is a fake and has no file")

    def window(self, spec: ModelSpec, wanted: int | None = None) -> int:
        return wanted or 4096

    @contextmanager
    def lease(
        self, model: str | ModelSpec, *, context: int = 0, keep_alive: float | None = None
    ) -> Iterator[Lease]:
        name = model if isinstance(model, str) else model.name
        spec = self.resolve(name)
        with self._lock:
            self.users += 1
            self.leases.append((name, context, keep_alive))
        try:
            yield Lease(spec, self.engine)
        finally:
            with self._lock:
                self.users -= 1

    def loaded(self) -> tuple[str, ...]:
        return (SPEC.name,)

    def running(self) -> tuple[Running, ...]:
        return ()

    def close(self) -> None:
        self.engine.close()


class Speaker:
    """An engine whose texts a test says: `say`, `finish`, `fail`, each for all that is asked at the time.

    `first` is said at once.
    """

    def __init__(self, first: str = "") -> None:
        self._first = first
        self.bundles: list[Bundle] = []
        self.futures: list[Future[tuple[Answer, ...]]] = []
        self.asked = threading.Semaphore(0)  # one for each bundle
        self.cancelled = threading.Semaphore(0)  # one for each that was taken back
        self._heard: list[OnText | None] = []
        self._texts: list[str] = []

    def ask(self, bundle: Bundle) -> tuple[Answer, ...]:
        return self.submit(bundle).result()

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[tuple[Answer, ...]]:
        future: Future[tuple[Answer, ...]] = Future()
        self.bundles.append(bundle)
        self._heard.append(on_text)
        self._texts.append("")
        self.futures.append(future)

        def done(ended: Future[tuple[Answer, ...]]) -> None:
            if ended.cancelled():
                self.cancelled.release()

        future.add_done_callback(done)
        if self._first:
            self._say(len(self.futures) - 1, self._first)
        self.asked.release()
        return future

    def say(self, text: str) -> None:
        for number, future in enumerate(self.futures):
            if not future.done():
                self._say(number, text)

    def _say(self, number: int, text: str) -> None:
        self._texts[number] += text
        on_text = self._heard[number]
        if on_text:
            on_text(self.bundles[number].questions[0].id, Piece(text))

    def finish(self) -> None:
        for number, future in enumerate(self.futures):
            if not future.done():
                name = self.bundles[number].questions[0].id
                future.set_result((Generated(name, self._texts[number], "stop", Usage(3, 0, 0, 2)),))

    def fail(self, error: BaseException) -> None:
        for future in self.futures:
            if not future.done():
                future.set_exception(error)

    def measure(self, bundle: Bundle) -> BundleSize:
        return BundleSize(0, tuple(0 for _ in bundle.questions), 4096)

    def card(self) -> EngineCard:
        return NO_CARD

    def close(self) -> None:
        for future in self.futures:
            future.cancel()


def make_server(engine: Engine | None = None, **settings: Any) -> Server:
    """Make a server whose models are one fake."""
    environment = Environment({}, Path("/nonexistent"), lambda sentence: None)
    return Server(Settings(**settings), FakeModels(engine), environment)


class _Http(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def listening(app: Any) -> Iterator[httpx.Client]:
    """Serve an app by a real uvicorn on a free port of loopback; gives a client of it."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    http = _Http(config)
    listener = listen(Settings(port=0))
    thread = threading.Thread(target=http.run, args=([listener],))
    thread.start()
    try:
        assert http.up.wait(20)
        port = listener.getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
            yield client
    finally:
        http.should_exit = True
        thread.join()
