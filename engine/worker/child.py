"""The child's side of isolation: load an engine, answer what comes over the pipe, die when the parent does."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import Any

from hunkwise.engine.port import Answers, Engine, Timed, wait
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

_THREADS = 64  # bundles that may be in the engine at once; it has a queue of its own

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
        work = _Work(loading, reply)
        while (request := receive(pipe)) is not None:
            if "cancel" in request:
                work.take_back(request["cancel"])
                continue
            work.expect(request.get("id"))
            answering = threads.submit(work.answer, request)
            answering.add_done_callback(partial(_settle, reply, request.get("id")))
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

    def __init__(self, loading: Future[Engine], reply: Reply) -> None:
        self._loading, self._reply = loading, reply
        self._lock = threading.Lock()
        self._running: dict[object, Future[Answers] | None] = {}  # None: not begun
        self._taken_back: set[object] = set()

    def expect(self, number: object) -> None:
        """Take note of a request, which may be taken back from now on."""
        with self._lock:
            self._running[number] = None

    def answer(self, request: Mapping[str, Any]) -> Any:
        """Answer a request, and give JSON."""
        try:
            return self._answer(request)
        finally:
            with self._lock:
                self._running.pop(request["id"], None)
                self._taken_back.discard(request["id"])

    def _answer(self, request: Mapping[str, Any]) -> Any:
        engine, bundle = self._loading.result(), unpack(request["bundle"])
        if not isinstance(bundle, Bundle):
            raise BadMessage("no bundle")
        if request["verb"] != "ask":
            return pack_size(engine.measure(bundle))
        number = request["id"]

        def tell(name: str, piece: Piece) -> None:
            self._reply({"id": number, "text": pack_piece(name, piece)})

        future = engine.submit(bundle, tell if request.get("told") else None)
        with self._lock:
            self._running[number] = future
            late = number in self._taken_back
        if late:
            future.cancel()
        answers = wait(future, bundle)
        if isinstance(engine, Timed):  # ahead of the answer: who has it, has this
            self._reply({"spent": pack(engine.statistics())})
        return pack_answers(answers)

    def take_back(self, number: object) -> None:
        """Stop answering a request, now or as soon as it begins."""
        with self._lock:
            future = self._running.get(number)
            if number in self._running:
                self._taken_back.add(number)
        if future is not None:
            future.cancel()


def _settle(reply: Reply, number: Any, done: Future[Any]) -> None:
    error = done.exception()
    if error is None:
        try:
            return reply({"id": number, "value": done.result()})
        except BadMessage as too_long:  # else nobody would answer
            error = too_long
    return reply({"id": number, "error": pack_error(error)})
