"""Running the server: the socket, the signals, and an end that drops nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.errors import ReviewError, UsageError
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.errors import Failure
from hunkwise.reviewer.server.guard.heads import heads_within
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread

_BACKLOG = 2048
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_WORDS = 2.0  # seconds of the grace, for telling the last requests that the server ends


def listen(settings: Settings) -> socket.socket:
    """Open the socket. Raises UsageError."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(
            f"can't listen on {settings.host}:{settings.port}: {error}; give another --host or --port"
        ) from None
    # connections inherit it; asyncio sets it only where a socket says its protocol, and without it each small
    # write waits for the acknowledgement of the one before: 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(server: Server, listener: socket.socket) -> int:
    """Serve until a signal comes, and give the exit code."""
    return asyncio.run(_Running(server, listener).run())


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us."""
        yield


class _Running:
    def __init__(self, server: Server, listener: socket.socket) -> None:
        self._server, self._listener = server, listener
        config = uvicorn.Config(
            make_app(server),
            http=heads_within(server.settings.send_timeout),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._http = _Uvicorn(config)
        self._signal = 0
        self._failed = False
        self._told = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._hear, number)
        serving = asyncio.ensure_future(self._http.serve([self._listener]))
        ending = asyncio.ensure_future(self._end())
        loading = asyncio.ensure_future(self._preload())
        await serving
        ending.cancel()
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await ending
        for call in (*self._server.at_close, self._server.models.close):
            await in_thread(call)
        if self._failed:
            return 2
        return 130 if self._signal == signal.SIGINT else 0

    async def _preload(self) -> None:
        """Load the model before anybody asks; a server that can't is of no use, and ends."""
        server = self._server
        if not server.settings.preload:
            return
        server.preloading = True
        try:
            async with server.lease(server.settings.model):
                server.preloading = False
        except (EngineError, ReviewError) as error:
            server.environment.say(f"{error}; the server ends, as it was to load a model first")
            self._failed = True
            self._told.set()

    def _hear(self, number: int) -> None:
        """End in order at the first signal, and at once at the second."""
        if self._signal:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._signal = number
        self._told.set()

    async def _end(self) -> None:
        """Take in nothing new, let what runs end, and end it ourselves when the grace is over."""
        await self._told.wait()
        server = self._server
        server.drain()
        await server.lives.idle(max(0.0, server.settings.grace - _LAST_WORDS))
        server.lives.end(Failure(503, "the server is shutting down", "shutting_down", retry_after=5.0))
        await server.lives.idle(_LAST_WORDS / 2)
        self._http.should_exit = True
