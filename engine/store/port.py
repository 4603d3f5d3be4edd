"""Where entries lie: the port of a store, what all stores share, and the store in memory."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

STORE_FORMAT = 1  # raise it when the layout of a store changes
DAY = 86_400  # seconds
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds without a try after a failure, doubled after each further one


@dataclass(frozen=True, slots=True)
class StoreSize:
    """How much a store holds; `bytes` is None where it is not known."""

    entries: int
    bytes: int | None


class Store(Protocol):
    """Keeps bytes under keys of 64 hex digits. Thread-safe; counts its own troubles and never raises them.

    A store may forget anything at any time. What it gives back is not to be trusted.
    """

    name: str

    def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Look up several keys at once; those it does not have are absent from the result."""
        ...

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep entries, if it can."""
        ...


class Counters:
    """Counts of what happened, by dotted name ("disk.hit", "redis.timeout"). Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more events."""
        if number:
            with self._lock:
                self._counts[name] += number

    def counts(self) -> dict[str, int]:
        """Give all counts, sorted by name."""
        with self._lock:
            return dict(sorted(self._counts.items()))


class Breaker:
    """Stops asking a store that failed, for a pause that doubles up to a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pause = _PAUSE
        self._closed_from = float("-inf")

    def closed(self) -> bool:
        """True if the store may be asked."""
        return self._now() >= self._closed_from

    def success(self) -> None:
        """Note that it answered."""
        self._pause = _PAUSE

    def failure(self) -> None:
        """Note that it failed."""
        self._closed_from = self._now() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class MemoryStore:
    """The least recently used entries of this process, at most `limit` bytes of them."""

    name = "memory"

    def __init__(self, limit: int = 32 << 20) -> None:
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._limit = limit
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Look up several keys."""
        with self._lock:
            found = {key: self._entries[key] for key in keys if key in self._entries}
            for key in found:
                self._entries.move_to_end(key)
            return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep entries, and drop the least recently used ones beyond the limit."""
        with self._lock:
            for key, entry in entries.items():
                self._bytes += len(entry) - len(self._entries.pop(key, b""))
                self._entries[key] = entry
            while self._bytes > self._limit:
                _, dropped = self._entries.popitem(last=False)
                self._bytes -= len(dropped)
