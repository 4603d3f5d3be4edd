"""The queue in Redis, for several machines: Redis 6.2 or later, which keeps what it was told (appendonly).

A stream with a consumer group has an entry for each job that waits or runs. An entry does not say which job: that
is chosen as it is read, so that priorities and turns hold, and a newer push changes a job without a second entry.
Who reads an entry has it pending; XCLAIM renews it, and XAUTOCLAIM gives it to others once it has been idle for
the lease. Each verb is one script, so it is done whole or not at all.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.bot.port import ChangeId, Closed, Event
from hunkwise.reviewer.bot.queue import lua
from hunkwise.reviewer.bot.queue.port import (
    COMMENT,
    DONE_FOR,
    LEASE,
    MOST_TRIES,
    SEEN_FOR,
    Entry,
    Lease,
    News,
    QueueError,
    State,
    asked_by,
    key_of,
    read_event,
    repository_of,
    urgency,
    written,
)

try:
    import redis
except ImportError as missing:
    raise MissingExtra("redis", "redis") from missing

_PREFIX = "hunkwise:{bot}:"  # the braces keep all keys on one shard of a cluster
_ANSWER = 2.0  # seconds that one verb may take


class RedisQueue:
    """Satisfies `Queue`. `url` is as in redis-py; no message repeats it, for it may hold a password."""

    def __init__(self, url: str, *, lease: float = LEASE, prefix: str = _PREFIX) -> None:
        try:
            self._client = redis.Redis.from_url(
                url,
                decode_responses=True,
                protocol=2,
                socket_timeout=_ANSWER,
                socket_connect_timeout=_ANSWER,
            )
        except ValueError:
            raise QueueError("the address of Redis must begin with redis://, rediss:// or unix://") from None
        self._prefix, self._lease = prefix, lease
        self._scripts = {name: self._client.register_script(text) for name, text in lua.SCRIPTS.items()}

    def accept(self, delivery: str, event: Event) -> bool:
        """Take an event in."""
        closed, asked = isinstance(event, Closed), asked_by(event)
        told = [key_of(event), written(event), repository_of(event)]
        return bool(self._do("accept", delivery, SEEN_FOR, *told, urgency(event), asked, int(closed)))

    def claim(self, *, comments: bool = False) -> Lease | None:
        """Hand out a job."""
        least = COMMENT if comments else 0
        while row := self._do("claim", int(self._lease * 1000), MOST_TRIES, least):
            try:
                return _lease(row)
            except QueueError as error:
                self._do("bury", row[0], row[5], str(error))
        return None

    def renew(self, lease: Lease) -> bool:
        """Hold on to a job."""
        return bool(self._do("renew", lease.key, lease.ticket))

    def wanted(self, lease: Lease) -> Lease | None:
        """Say what the job wants by now."""
        row = self._do("wanted", lease.key, lease.ticket)
        return _lease(row) if row else None

    def done(self, lease: Lease, head: str = "", *, superseded: bool = False) -> bool:
        """End a job as of the lease's generation."""
        outcome = "superseded" if superseded else "done"
        return bool(self._do("done", lease.key, lease.ticket, lease.generation, head, DONE_FOR, outcome))

    def fail(self, lease: Lease, reason: str) -> None:
        """Note why a job failed."""
        self._do("fail", lease.key, lease.ticket, reason)

    def release(self, lease: Lease) -> None:
        """Give a job back."""
        self._do("release", lease.key, lease.ticket)

    def bury(self, lease: Lease, reason: str) -> None:
        """Make a job a dead letter at once."""
        self._do("bury", lease.key, lease.ticket, reason)

    def keep(self, change: ChangeId, report: bytes) -> None:
        """Keep the report of a change's last review."""
        packed = base64.b64encode(zlib.compress(report))
        self._guarded(lambda: self._client.set(self._key("report", change), packed, ex=DONE_FOR))

    def kept(self, change: ChangeId) -> bytes:
        """Give the report of the change's last review."""
        packed = self._guarded(lambda: self._client.get(self._key("report", change)))
        return zlib.decompress(base64.b64decode(packed)) if packed else b""

    def count(self, key: str, seconds: int) -> int:
        """Count one more."""
        return int(self._do("count", key, seconds))

    def reviewed(self, change: ChangeId) -> str:
        """Give the head of the change's last finished review."""
        return self._guarded(lambda: self._client.get(self._key("reviewed", change))) or ""

    def _key(self, kind: str, change: ChangeId) -> str:
        return f"{self._prefix}{kind}:{key_of(Closed(change))}"

    def entries(self) -> tuple[Entry, ...]:
        """List all jobs."""
        return tuple(
            Entry(key, State(state), text, high != "0", int(tries), float(since), reason)
            for key, state, text, high, tries, since, reason in self._do("entries")
        )

    def depths(self) -> Mapping[State, int]:
        """Count jobs by where they are."""
        return Counter(map(State, self._do("depths")))

    def news(self) -> tuple[News, ...]:
        """Give what happened since somebody asked."""
        rows = (text.partition(" ") for text in self._do("news"))
        return tuple(News(what, float(seconds)) for what, _, seconds in rows)

    def retry(self, key: str) -> bool:
        """Let a dead job wait again."""
        return bool(self._do("retry", key))

    def drop(self, key: str) -> bool:
        """Forget a job."""
        return bool(self._do("drop", key))

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _do(self, verb: str, *values: Any) -> Any:
        return self._guarded(lambda: self._scripts[verb](keys=[self._prefix], args=list(values)))

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except redis.ResponseError as error:
            raise QueueError(f"Redis refused: {str(error)[:200]}") from None
        except (redis.RedisError, OSError) as error:
            raise QueueError(f"Redis does not answer ({type(error).__name__})") from None


def _lease(row: list[Any]) -> Lease:
    key, event, generation, asked, tries, ticket = row
    return Lease(key, read_event(event), int(generation), int(asked), int(tries), ticket)
