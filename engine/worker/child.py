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

from hunkwise.engine.port import Engine, Timed
from hunkwise.engine.types import Bundle, ModelSpec
from hunkwise.engine.worker.confinement import confine
from hunkwise.engine.worker.wire import (
    BadMessage,
    pack,
    pack_answers,
    pack_error,
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
        while (request := receive(pipe)) is not None:
            answering = threads.submit(_answer, loading, request, reply)
            answering.add_done_callback(partial(_settle, reply, request.get("id")))
        os._exit(0)


def _load(first: Mapping[str, Any], say: Say) -> Engine:
    module, _, name = str(first["factory"]).partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory(unpack(first["spec"]), first["options"], say)


def _ready(loading: Future[Engine]) -> dict[str, Any]:
    error = loading.exception()
    return {"ready": pack(loading.result().card())} if error is None else {"failed": pack_error(error)}


def _answer(loading: Future[Engine], request: Mapping[str, Any], reply: Reply) -> Any:
    engine, bundle = loading.result(), unpack(request["bundle"])
    if not isinstance(bundle, Bundle):
        raise BadMessage("no bundle")
    if request["verb"] == "ask":
        answers = engine.ask(bundle)
        if isinstance(engine, Timed):  # ahead of the answer: who has it, has this
            reply({"spent": pack(engine.statistics())})
        return pack_answers(answers)
    return pack_size(engine.measure(bundle))


def _settle(reply: Reply, number: Any, done: Future[Any]) -> None:
    error = done.exception()
    if error is None:
        try:
            return reply({"id": number, "value": done.result()})
        except BadMessage as too_long:  # else nobody would answer
            error = too_long
    return reply({"id": number, "error": pack_error(error)})
