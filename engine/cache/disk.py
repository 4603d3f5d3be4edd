"""The store on disk: one SQLite file for each trust level, shared by all processes of this user.

SQLite's write-ahead log lets readers and one writer work side by side (https://sqlite.org/wal.html); a lost
last transaction after a power cut is no loss to a cache, hence `synchronous = NORMAL`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from hunkwise.engine.cache.entry import MAX_ENTRY
from hunkwise.engine.cache.store import DAY, STORE_FORMAT, StoreSize, Tally

_TOUCH_AFTER = 3_600  # seconds until a hit is worth a write
_LOCK_WAIT = 0.25  # seconds for another process's transaction
_MANY = 500  # keys in one statement; SQLite's limit was 999 for long
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # the last: other tables
_SCHEMA = f"""
    CREATE TABLE IF NOT EXISTS entries (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, made REAL NOT NULL, used REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_use ON entries (used);
    CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    PRAGMA user_version = {STORE_FORMAT};
"""
T = TypeVar("T")


class DiskStore:
    """Entries in an SQLite file of about `limit` bytes, for `ttl` seconds at most; the least used go first.

    A broken file is thrown away and begun anew; a locked, full or unwritable one is a miss that is counted.
    """

    name = "disk"

    def __init__(
        self,
        path: Path,
        tally: Tally,
        *,
        limit: int = 256 << 20,
        ttl: float = 30 * DAY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._tally, self._limit, self._ttl, self._now = path, tally, limit, ttl, now
        self._database: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Look up several keys."""
        stale: list[str] = []
        found = self._guarded(
            lambda database: self._read(database, list(keys), stale),
            dict[str, bytes](),
            transaction=False,
        )
        if stale:
            touched = [(self._now(), key) for key in stale]
            sql = "UPDATE entries SET used = ? WHERE key = ?"
            self._guarded(lambda database: database.executemany(sql, touched), None)
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep entries, and drop old ones beyond the limit."""
        self._guarded(lambda database: self._write(database, entries), None)

    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Add a process's counts to those kept for `hunkwise cache stats`."""
        sql = "INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
        self._guarded(lambda database: database.executemany(sql, counts.items()), None)

    def counts(self) -> dict[str, int]:
        """Give the counts of all processes since the store was last cleared."""
        sql = "SELECT name, number FROM counts ORDER BY name"
        return self._guarded(lambda database: dict(database.execute(sql)), {})

    def size(self) -> StoreSize:
        """Count what it holds."""
        sql = "SELECT count(*), coalesce(sum(length(value)), 0) FROM entries"
        return StoreSize(*self._guarded(lambda database: database.execute(sql).fetchone(), (0, 0)))

    def clear(self) -> int:
        """Forget everything; gives the number of entries that were dropped."""

        def delete(database: sqlite3.Connection) -> int:
            number = database.execute("DELETE FROM entries").rowcount
            database.execute("DELETE FROM counts")
            return number

        number = self._guarded(delete, 0)
        self._guarded(lambda database: database.execute("VACUUM"), None, transaction=False)
        return number

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._close()

    def _read(self, database: sqlite3.Connection, keys: list[str], stale: list[str]) -> dict[str, bytes]:
        now = self._now()
        found: dict[str, bytes] = {}
        for some in _chunks(keys):
            marks = ",".join("?" * len(some))
            rows = database.execute(
                f"SELECT key, CAST(value AS BLOB), CAST(used AS REAL) FROM entries WHERE key IN ({marks})"  # noqa: S608
                " AND made > ? AND length(value) <= ?",
                (*some, now - self._ttl, MAX_ENTRY),
            )
            for key, value, used in rows:
                found[key] = value
                if used < now - _TOUCH_AFTER:
                    stale.append(key)
        return found

    def _write(self, database: sqlite3.Connection, entries: Mapping[str, bytes]) -> None:
        now = self._now()
        rows = [(key, entry, now, now) for key, entry in entries.items()]
        database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
        database.execute("DELETE FROM entries WHERE used <= ? AND made <= ?", (now - self._ttl,) * 2)
        while _used_bytes(database) > self._limit:
            gone = database.execute(
                "DELETE FROM entries WHERE key IN (SELECT key FROM entries ORDER BY used, made"
                " LIMIT 1 + (SELECT count(*) FROM entries) / 8)"
            ).rowcount
            self._tally.add("disk.evicted", gone)
            if not gone:
                return

    def _guarded(
        self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, transaction: bool = True
    ) -> T:
        """Do work in a transaction; count a failure and give `otherwise`."""
        with self._lock:
            try:
                database = self._database = self._database or self._open()
                with _transaction(database) if transaction else contextlib.nullcontext():
                    return work(database)
            except (sqlite3.Error, OSError) as error:
                self._failed(error)
                return otherwise

    def _failed(self, error: sqlite3.Error | OSError) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        self._close()
        if code in _BROKEN:
            self._discard()
        else:
            self._tally.add("disk.busy" if code == sqlite3.SQLITE_BUSY else "disk.failed")

    def _discard(self) -> None:
        self._tally.add("disk.rebuilt")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        database = self._connect()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, STORE_FORMAT):
            database.close()
            self._discard()
            database = self._connect()
        if version != STORE_FORMAT:
            database.execute("PRAGMA journal_mode = WAL")
            with _transaction(database):
                for statement in _SCHEMA.split(";"):
                    database.execute(statement)
        database.execute("PRAGMA synchronous = NORMAL")
        return database

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # answers quote code: for this user only, whatever the umask; SQLite's side files take the same mode
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        # autocommit mode: transactions are ours, and begin with the lock that they need
        database = sqlite3.connect(
            self._path, timeout=_LOCK_WAIT, isolation_level=None, check_same_thread=False
        )
        # a file from elsewhere must not run code of its own: https://sqlite.org/security.html
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        return database

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    with database:  # commits at the end, or rolls back
        yield


def _used_bytes(database: sqlite3.Connection) -> int:
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _MANY):
        yield keys[start : start + _MANY]
