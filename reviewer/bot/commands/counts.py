"""How often somebody asked: counts that end by themselves, in memory, in SQLite, or in Redis."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

MOST_KEYS = 10_000  # that are held in memory


class Counts(Protocol):
    """Counts things for a while. Thread-safe."""

    def count(self, key: str, seconds: int) -> int:
        """Count one more, and give how many there were since the first of these `seconds`."""
        ...


class MemoryCounts:
    """Counts of one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._rows: dict[str, tuple[int, float]] = {}  # count, when it ends

    def count(self, key: str, seconds: int) -> int:
        """Count one more."""
        with self._lock:
            now = self._clock()
            if len(self._rows) >= MOST_KEYS:
                self._rows = {name: row for name, row in self._rows.items() if row[1] > now}
            held, ends = self._rows.get(key, (0, 0.0))
            if ends <= now:
                held, ends = 0, now + seconds
            self._rows[key] = held + 1, ends
            return held + 1


class SqliteCounts:
    """Counts in a file that several processes share."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, held INTEGER, ends REAL)"
            )

    def count(self, key: str, seconds: int) -> int:
        """Count one more."""
        now = self._clock()
        database = self._open()
        try:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("DELETE FROM counts WHERE ends <= ?", (now,))
                row = database.execute(
                    "INSERT INTO counts VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET held = held + 1 "
                    "RETURNING held",
                    (key, now + seconds),
                ).fetchone()
            return int(row[0])
        finally:
            database.close()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


class RedisCounts:
    """Counts in Redis; `client` is one of the package `redis`, below `prefix`."""

    def __init__(self, client: Any, prefix: str = "hunkwise:counts:") -> None:
        self._client, self._prefix = client, prefix

    def count(self, key: str, seconds: int) -> int:
        """Count one more."""
        name = f"{self._prefix}{key}"
        self._client.set(name, 0, ex=seconds, nx=True)
        held = int(self._client.incr(name))
        if held == 1:  # it may have ended between the two
            self._client.expire(name, seconds)
        return held
