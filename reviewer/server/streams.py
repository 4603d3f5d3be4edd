"""From an engine's threads to the loop: answers that are awaited, texts that are told as they come, and streams.

    async with server.lease("qwen2.5-coder:1.5b") as lease:
        answers = await awaited(submitted(lease.engine, bundle))     # or:
        async for piece in told(lease, bundle): ...                  # Piece, Piece, …, and last the answers

A generator of objects becomes a response by `ndjson` or `sse`. An error before its first object is a response
with its own status; a later one is the last object. Whoever stops listening takes the bundle back.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import CancelledError as TakenBack
from concurrent.futures import Future
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from dataclasses import dataclass, replace

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hunkwise.engine import Answer, Bundle, Engine, OnText
from hunkwise.engine.errors import Cancelled
from hunkwise.reviewer.server.errors import Refused, failure_of, worded
from hunkwise.reviewer.server.guard.life import LIFE
from hunkwise.reviewer.server.state import Lease
from hunkwise.reviewer.server.threads import entered

Answers = tuple[Answer, ...]
Begun = AbstractContextManager[Future[Answers]]  # a bundle on its way; left, it is taken back

MOST_PIECES = 4096  # told and not yet sent; a reader so far behind is given up
PING_SECONDS = 15.0  # between two signs of life in a stream of events: proxies cut what is silent


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the text of one `Generate`, by its id."""

    id: str
    text: str


async def awaited(begun: Begun) -> Answers:
    """Begin in a thread, and wait; who is cancelled meanwhile takes the bundle back. Raises EngineError."""
    async with entered(begun) as future:
        return await _result(future)


async def told(lease: Lease, bundle: Bundle) -> AsyncGenerator[Piece | Answers, None]:
    """Give the texts piece by piece, and the answers last. Raises EngineError."""
    async for item in heard(lambda hear: submitted(lease.engine, bundle, hear)):
        yield item


async def heard(begin: Callable[[OnText], Begun]) -> AsyncGenerator[Piece | Answers, None]:
    """Begin in a thread with who hears the texts; give them piece by piece, and the answers last."""
    loop = asyncio.get_running_loop()
    pieces = _Pieces()

    def hear(name: str, text: str) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(pieces.put, Piece(name, text))

    def finish(_: Future[Answers]) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(pieces.end)

    async with entered(begin(hear)) as future:
        future.add_done_callback(finish)
        async for piece in pieces:
            yield piece
        yield await _result(future)


@contextmanager
def submitted(engine: Engine, bundle: Bundle, on_text: OnText | None = None) -> Iterator[Future[Answers]]:
    """Submit, which counts tokens and so takes its time; take the bundle back at the end if it still runs."""
    future = engine.submit(_shaped(bundle), on_text)
    try:
        yield future
    finally:
        future.cancel()


async def _result(future: Future[Answers]) -> Answers:
    try:
        if future.done():  # no turn of the loop is needed
            return future.result()
        return await asyncio.wrap_future(future)
    except TakenBack:
        raise Cancelled("the bundle was taken back before it was answered") from None


def _shaped(bundle: Bundle) -> Bundle:
    """Give a bundle what is known of its request: whose it is, and how much time is left."""
    life = LIFE.get(None)
    if life is None:
        return bundle
    times = [seconds for seconds in (life.left(), bundle.deadline) if seconds is not None]
    return replace(bundle, deadline=min(times, default=None), caller=bundle.caller or life.caller)


class _Pieces:
    """A bounded queue that is filled in the loop by what the engine's threads say."""

    def __init__(self) -> None:
        self._waiting: deque[Piece] = deque()
        self._news = asyncio.Event()
        self._ended = self._overrun = False

    def put(self, piece: Piece) -> None:
        self._overrun = self._overrun or len(self._waiting) >= MOST_PIECES
        if not self._overrun:
            self._waiting.append(piece)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Piece]:
        while True:
            if self._overrun:
                raise Refused(408, "the reader is too slow for its stream", code="slow_reader")
            if self._waiting:
                yield self._waiting.popleft()
            elif self._ended:
                return
            else:
                await self._news.wait()
                self._news.clear()


Encode = Callable[[object], bytes]


def _line(item: object) -> bytes:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _event(item: object) -> bytes:
    """Encode a text as it is, such as `[DONE]`, all else as JSON."""
    data = item.encode("utf-8", "replace") if isinstance(item, str) else _line(item).rstrip(b"\n")
    return b"data: " + data + b"\n\n"


def ndjson(items: AsyncGenerator[object, None], headers: Mapping[str, str] | None = None) -> Stream:
    """Stream one JSON object a line."""
    return Stream(items, _line, "application/x-ndjson", headers or {})


def sse(items: AsyncGenerator[object, None], headers: Mapping[str, str] | None = None) -> Stream:
    """Stream server-sent events, each with JSON or a plain text as its data."""
    unbuffered = {"x-accel-buffering": "no", "cache-control": "no-cache"}
    return Stream(items, _event, "text/event-stream", {**unbuffered, **(headers or {})}, ping=b": ping\n\n")


class Stream(Response):
    """A response of objects that are not there yet."""

    def __init__(
        self,
        items: AsyncGenerator[object, None],
        encode: Encode,
        media_type: str,
        headers: Mapping[str, str],
        ping: bytes = b"",
    ) -> None:
        self._items, self._encode, self._ping = items, encode, ping
        self.status_code, self.media_type, self.background = 200, media_type, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes; whoever is cancelled in it leaves the generator too."""
        async with aclosing(self._items) as items:
            try:
                first = await anext(items)
            except StopAsyncIteration:
                first = None
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            sender = _Sender(send, self._ping)
            pinging = asyncio.ensure_future(sender.ping()) if self._ping else None
            try:
                if first is not None:
                    await sender(self._encode(first))
                async for item in items:
                    await sender(self._encode(item))
            except asyncio.CancelledError:
                life = LIFE.get(None)
                if life and life.reason:
                    await sender(self._encode(worded(life.reason, scope["path"])))
                    await sender(b"", last=True)
                raise
            except Exception as error:  # noqa: BLE001 - the status is sent; the last line says what happened
                await sender(self._encode(worded(failure_of(error), scope["path"])))
            finally:
                if pinging:
                    pinging.cancel()
            await sender(b"", last=True)


class _Sender:
    """Sends one chunk at a time."""

    def __init__(self, send: Send, ping: bytes) -> None:
        self._send, self._ping = send, ping
        self._lock = asyncio.Lock()
        self._sent = 0

    async def __call__(self, chunk: bytes, *, last: bool = False) -> None:
        async with self._lock:
            self._sent += 1
            await self._send({"type": "http.response.body", "body": chunk, "more_body": not last})

    async def ping(self) -> None:
        while True:
            before = self._sent
            await asyncio.sleep(PING_SECONDS)
            if self._sent == before:
                await self(self._ping)
