"""The child's side of isolation: load an engine, answer what comes over the pipe, die when the parent does."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any

from hunkwise.engine.errors import Cancelled, InvalidQuestion
from hunkwise.engine.port import Answers, Engine, Timed
from hunkwise.engine.types import Bundle, ModelSpec, Piece
from hunkwise.engine.worker.confinement import confine
from hunkwise.engine.worker.wire import (
    BadMessage,
    pack,
    pack_answers,
    pack_error,
    pack_piece,
    pack_size,
    receive,
    send,
    unpack,
)

_THREADS = 16  # bundles that are read, counted and written at once; those that are answered need none

Say = Callable[[str], None]
Reply = Callable[[Mapping[str, Any]], None]
Factory = Callable[[ModelSpec, Mapping[str, Any], Say], Engine]


def main() -> None:
    """Serve the parent at the other end of the socket whose number is the only argument."""
    pipe = socket.socket(fileno=int(sys.argv[1]))
    confine()
    _serve(pipe)
    os._exit(0)  # at once: threads may be inside native code that nobody waits for any more


def _serve(pipe: socket.socket) -> None:
    """Read requests until the parent is gone. Loading and answering happen in threads meanwhile."""
    first = receive(pipe)
    if first is None:
        return
    writing = threading.Lock()

    def reply(message: Mapping[str, Any]) -> None:
        try:
            with writing:
                send(pipe, message)
        except OSError:
            os._exit(0)  # the parent is gone

    with ThreadPoolExecutor(_THREADS) as threads:
        loading = threads.submit(_load, first, lambda sentence: reply({"said": sentence}))
        loading.add_done_callback(lambda done: reply(_ready(done)))
        work = _Work(loading, threads, reply)
        while (request := receive(pipe)) is not None:
            if "cancel" in request:
                work.take_back(request["cancel"])
            else:
                work.take(request)
        os._exit(0)


def _load(first: Mapping[str, Any], say: Say) -> Engine:
    module, _, name = str(first["factory"]).partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory(unpack(first["spec"]), first["options"], say)


def _ready(loading: Future[Engine]) -> dict[str, Any]:
    error = loading.exception()
    return {"ready": pack(loading.result().card())} if error is None else {"failed": pack_error(error)}


class _Work:
    """What is being answered, by the numbers that the parent gave it. Thread-safe."""

    def __init__(self, loading: Future[Engine], threads: ThreadPoolExecutor, reply: Reply) -> None:
        self._loading, self._threads, self._reply = loading, threads, reply
        self._lock = threading.Lock()
        self._running: dict[object, Future[Answers] | None] = {}  # None: not begun
        self._taken_back: set[object] = set()

    def take(self, request: Mapping[str, Any]) -> None:
        """Take a request, which may be taken back from now on; it is replied to from some thread."""
        number = request.get("id")
        begin = {"ask": self._ask, "measure": self._measure, "idle": self._idle}[request["verb"]]
        with self._lock:
            self._running[number] = None

        def begun(done: Future[None]) -> None:
            if (error := done.exception()) is not None:
                self._end(number, {"error": pack_error(error)})

        self._threads.submit(begin, request).add_done_callback(begun)

    def take_back(self, number: object) -> None:
        """Stop answering a request, now or as soon as it begins."""
        with self._lock:
            future = self._running.get(number)
            if number in self._running:
                self._taken_back.add(number)
        if future is not None:
            future.cancel()

    def _ask(self, request: Mapping[str, Any]) -> None:
        """Submit a bundle. No thread waits for its answers: there may be as many as the engine's queue takes."""
        number, bundle = request["id"], _bundle(request)

        def tell(name: str, piece: Piece) -> None:
            self._reply({"id": number, "text": pack_piece(name, piece)})

        future = self._loading.result().submit(bundle, tell if request.get("told") else None)
        with self._lock:
            self._running[number] = future
            late = number in self._taken_back
        if late:
            future.cancel()
        future.add_done_callback(lambda done: self._threads.submit(self._answer, number, done))

    def _answer(self, number: object, done: Future[Answers]) -> None:
        engine = self._loading.result()
        if isinstance(engine, Timed):  # ahead of the answer: who has it, has this
            self._reply({"spent": pack(engine.statistics())})
        try:
            if done.cancelled():
                raise Cancelled("the bundle was taken back before it was answered")
            self._end(number, {"value": pack_answers(done.result())})
        except BadMessage as error:
            self._end(
                number,
                {"error": pack_error(InvalidQuestion(f"the answers are {error}; ask for fewer at a time"))},
            )
        except Exception as error:  # noqa: BLE001 - else nobody would answer: told to who waits
            self._end(number, {"error": pack_error(error)})

    def _measure(self, request: Mapping[str, Any]) -> None:
        size = self._loading.result().measure(_bundle(request))
        self._end(request["id"], {"value": pack_size(size)})

    def _idle(self, request: Mapping[str, Any]) -> None:
        """Tell whether the engine holds nothing, and no request but this one is here."""
        with self._lock:
            alone = len(self._running) == 1
        self._end(request["id"], {"value": alone and bool(getattr(self._loading.result(), "idle", True))})

    def _end(self, number: object, value: Mapping[str, Any]) -> None:
        """Reply for the last time to a request."""
        with self._lock:
            self._running.pop(number, None)
            self._taken_back.discard(number)
        self._reply({"id": number, **value})


def _bundle(request: Mapping[str, Any]) -> Bundle:
    bundle = unpack(request["bundle"])
    if not isinstance(bundle, Bundle):
        raise BadMessage("no bundle")
    return bundle
