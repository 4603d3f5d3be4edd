"""The store in Redis. It may be slow, full, read-only or gone: a review loses a moment at most."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from hunkwise.engine.errors import MissingExtra, StoreError
from hunkwise.engine.store.codec import MAX_ENTRY
from hunkwise.engine.store.port import DAY, STORE_FORMAT, Breaker, Counters, StoreSize

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as missing:
    raise MissingExtra("redis", "redis") from missing

BUDGET = 0.05  # seconds that one look-up or one write may take
_SCAN = 500  # keys asked for at a time
T = TypeVar("T")


class Worker:
    """One background thread, so that name look-up, connection and a slow drip share one time limit.

    Socket time-outs alone bound each read, and no name look-up. The thread is a daemon: it may hang.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """Run work; raises TimeoutError if it takes longer, and then lets go of it."""
        future: Future[T] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except (redis.RedisError, OSError, ValueError) as error:
                    future.set_exception(error)

        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="hunkwise-redis", daemon=True)
                self._thread.start()
        self._jobs.put(job)
        try:
            return future.result(seconds)
        finally:
            future.cancel()

    def _loop(self) -> None:
        while True:
            self._jobs.get()()


class RedisStore:
    """Entries in Redis, for `ttl` seconds, under `hunkwise:FORMAT:SPACE:KEY`; Redis bounds their number.

    `space` is a short name without colons that keeps trust levels and repositories apart. `url` is as in
    redis-py (redis://, rediss://, unix://); no message repeats it, for it may hold a password.
    """

    name = "redis"

    def __init__(
        self, url: str, space: str, tally: Counters, *, ttl: float = 30 * DAY, budget: float = BUDGET
    ) -> None:
        self._prefix = f"hunkwise:{STORE_FORMAT}:{space}:"
        self._tally, self._ttl, self._budget = tally, ttl, budget
        self._worker = Worker()
        self._reads, self._writes = Breaker(), Breaker()  # a full or read-only server still answers reads
        try:
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=budget,
                socket_connect_timeout=budget,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise StoreError("the Redis URL must begin with redis://, rediss:// or unix://") from error

    def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Look up several keys in one round trip, reading of each no more than an entry may have."""

        def read() -> dict[str, bytes]:
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.getrange(self._prefix + key, 0, MAX_ENTRY)
            replies = pipeline.execute(raise_on_error=False)
            return dict(zip(keys, _usable(replies), strict=True))

        found = self._guarded(self._reads, read, dict[str, bytes]())
        return {key: entry for key, entry in found.items() if entry}

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep entries in one round trip."""

        def write() -> None:
            pipeline = self._client.pipeline(transaction=False)
            for key, entry in entries.items():
                pipeline.set(self._prefix + key, entry, px=int(self._ttl * 1000))
            pipeline.execute()

        self._guarded(self._writes, write, None)

    def size(self) -> StoreSize | None:
        """Count the entries of all spaces; None if Redis is out of reach."""
        try:
            return StoreSize(sum(1 for _ in self._keys()), None)
        except (redis.RedisError, OSError) as error:
            self._tally.add(f"redis.{_reason(error)}")
            return None

    def clear(self) -> int | None:
        """Forget the entries of all spaces; gives their number, or None if Redis refused."""
        try:
            return sum(int(self._client.unlink(key)) for key in self._keys())
        except (redis.RedisError, OSError) as error:
            self._tally.add(f"redis.{_reason(error)}")
            return None

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _keys(self) -> Any:
        return self._client.scan_iter(match="hunkwise:*", count=_SCAN)

    def _guarded(self, breaker: Breaker, work: Callable[[], T], otherwise: T) -> T:
        if not breaker.closed():
            self._tally.add("redis.paused")
            return otherwise
        try:
            result = self._worker.run(work, self._budget)
        except (redis.RedisError, OSError, TimeoutError) as error:
            breaker.failure()
            self._tally.add(f"redis.{_reason(error)}")
            return otherwise
        breaker.success()
        return result


def _usable(replies: list[Any]) -> list[bytes]:
    """Take each key's bytes; a key of another type gives bytes that are no entry. Raises any other error."""
    for reply in replies:
        if isinstance(reply, Exception) and "WRONGTYPE" not in str(reply):
            raise reply
    return [reply if isinstance(reply, bytes) else b"?" for reply in replies]


def _reason(error: Exception) -> str:
    """Name a failure in a word, without the server's text, which may quote the address."""
    kinds: tuple[tuple[str, type[Exception] | tuple[type[Exception], ...]], ...] = (
        ("timeout", (redis.TimeoutError, TimeoutError)),
        ("refused", (redis.AuthenticationError, redis.exceptions.NoPermissionError)),
        ("readonly", redis.ReadOnlyError),
        ("full", redis.OutOfMemoryError),
        ("gone", (redis.ConnectionError, OSError)),
    )
    return next((name for name, kind in kinds if isinstance(error, kind)), "failed")
