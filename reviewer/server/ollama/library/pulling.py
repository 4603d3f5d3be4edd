"""POST /api/pull: one download for all who wait for it, which stops when the last of them leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Library, parse_name
from hunkwise.engine.errors import InvalidName
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import forget
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.ollama.bodies import NameBody
from hunkwise.reviewer.server.ollama.replies import Line, last_of
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import ndjson

_SOON = 0.06  # seconds between two lines of progress


class _Abandoned(Exception):
    """Nobody waits for the download any more."""


@dataclass(eq=False)
class _Listener:
    """One client: the newest line, and the sign that there is one."""

    loop: asyncio.AbstractEventLoop
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop is closed
            self.loop.call_soon_threadsafe(self.news.set)


class Download:
    """A pull in a thread of its own. What arrived before it was abandoned is kept; the next goes on there."""

    def __init__(self, library: Library, name: str) -> None:
        self._library, self._name = library, name
        self._lock = threading.Lock()
        self._listeners: set[_Listener] = set()
        self.line: Line = {"status": "pulling manifest"}
        self.error: Exception | None = None
        self.ended = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="hunkwise-pull", daemon=True).start()

    def join(self, listener: _Listener) -> bool:
        """Listen; False if it has been abandoned or is over."""
        with self._lock:
            if self.ended:
                return False
            self._listeners.add(listener)
            return True

    def leave(self, listener: _Listener) -> None:
        """Listen no more."""
        with self._lock:
            self._listeners.discard(listener)

    def _run(self) -> None:
        try:
            self._library.pull(self._name, self._progress)
        except Exception as error:  # noqa: BLE001 - who waits is told
            self.error = error
        with self._lock:
            self.ended = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.wake()

    def _progress(self, phase: str, done: int, total: int) -> None:
        with self._lock:
            if not self._listeners:
                self.ended = True
                raise _Abandoned
            listeners = tuple(self._listeners)
        self.line = _progress_line(phase, done, total)
        for listener in listeners:
            listener.wake()


def _progress_line(phase: str, done: int, total: int) -> Line:
    """Say how far it is; a sentence without numbers is a status of its own."""
    return {"status": phase, "total": total, "completed": done} if total else {"status": phase}


class Downloads:
    """The downloads that run, by the names of their models."""

    def __init__(self) -> None:
        self._running: dict[str, Download] = {}
        self._lock = threading.Lock()

    def join(self, library: Library, name: str, listener: _Listener) -> Download:
        """Listen to the download of a model, which begins unless it runs."""
        with self._lock:
            running = self._running.get(name)
            if running is None or not running.join(listener):
                running = self._running[name] = Download(library, name)
                running.join(listener)
                running.start()
            return running


async def pull(server: Server, downloads: Downloads, request: Request) -> Response:
    """Bring a model, telling how far it is."""
    body = await read_body(NameBody, request)
    try:
        name = str(parse_name(body.named))
    except InvalidName as error:
        raise Refused(400, str(error), code="invalid_model", param="model") from None
    if name.lower().endswith(".gguf"):  # the library would look for a file here
        raise Refused(400, f"{body.named[:200]} names a file; pull takes names of models", param="model")
    lines = _lines(server, downloads, name)
    return ndjson(lines) if body.stream else JSONResponse(await last_of(lines))


async def _lines(server: Server, downloads: Downloads, name: str) -> AsyncGenerator[Line, None]:
    listener = _Listener(asyncio.get_running_loop())
    download = downloads.join(server.models.library, name, listener)
    try:
        yield {"status": "pulling manifest"}
        said: Line = {}
        while not download.ended:
            await listener.news.wait()
            listener.news.clear()
            line = download.line
            if line != said and not download.ended:
                said = line
                yield line
                await asyncio.sleep(_SOON)
    finally:
        download.leave(listener)
    forget(server)
    if download.error is not None:
        raise download.error
    for status in ("verifying sha256 digest", "writing manifest", "success"):
        yield {"status": status}
