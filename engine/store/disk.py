"""The store on disk: one SQLite file for each trust level, shared by all processes of this user.

SQLite's write-ahead log lets readers and one writer work side by side (https://sqlite.org/wal.html); a lost
last transaction after a power cut is no loss to a cache, hence `synchronous = NORMAL`.

The file may come from a stranger: a cache folder can lie in a checkout. So before SQLite opens it, it is a regular
file of a size that we write; no statement runs before all that its schema defines is what ours defines, so there
is no view and no trigger; and every statement has a time limit.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from hunkwise.engine.store.codec import MAX_ENTRY
from hunkwise.engine.store.port import DAY, Breaker, Counters, StoreSize
from hunkwise.engine.store.schema import all_or_nothing, make_tables, our_schema, schema_in, used_bytes

_TOUCH_AFTER = 3_600  # seconds until a hit is worth a write
_LOCK_WAIT = 0.25  # seconds for another process's transaction
_MANY = 500  # keys in one statement; SQLite's limit was 999 for long
_READ_TIME, _WRITE_TIME = 1.0, 5.0  # seconds that a review waits at most
_LONG_TIME = 60.0  # seconds for what a user asked for, such as counting all entries
_STEPS = 10_000  # of SQLite's machine between two looks at the clock: about a millisecond
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG)
_FILES = ("", "-wal", "-shm", "-journal")  # of one database
_SPARE = 64 << 20  # bytes that a file may have beyond twice its limit: the log, and one large write
_LENGTHS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 2 * MAX_ENTRY,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 16,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_TROUBLES = {sqlite3.SQLITE_BUSY: "disk.busy", sqlite3.SQLITE_INTERRUPT: "disk.slow"}
T = TypeVar("T")


class DiskStore:
    """Entries in an SQLite file of about `limit` bytes, for `ttl` seconds at most; the least used go first.

    A broken or foreign file is thrown away and begun anew. One that is locked, full, slow or unwritable is a miss
    that is counted, and is then left alone for a while.
    """

    name = "disk"

    def __init__(
        self,
        path: Path,
        tally: Counters,
        *,
        limit: int = 256 << 20,
        ttl: float = 30 * DAY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._tally, self._limit, self._ttl, self._now = path, tally, limit, ttl, now
        self._database: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._reads, self._writes = Breaker(), Breaker()  # one that is locked still answers reads
        self._until = 0.0  # by the monotonic clock: when the running statement is broken off

    def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Look up several keys."""
        stale: list[str] = []
        found = self._guarded(
            lambda database: self._read(database, list(keys), stale),
            dict[str, bytes](),
            breaker=self._reads,
            seconds=_READ_TIME,
            transaction=False,
        )
        if stale:
            touched = [(self._now(), key) for key in stale]
            sql = "UPDATE entries SET used = ? WHERE key = ?"
            self._put(lambda database: database.executemany(sql, touched))
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep entries, and drop old ones beyond the limit."""
        self._put(lambda database: self._write(database, entries))

    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Add a process's counts to those kept for `hunkwise cache stats`."""
        sql = "INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
        self._put(lambda database: database.executemany(sql, counts.items()))

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
                "SELECT key, CAST(value AS BLOB), coalesce(CAST(used AS REAL), 0) FROM entries"  # noqa: S608
                f" WHERE key IN ({marks}) AND made > ? AND length(value) <= ?",
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
        while used_bytes(database) > self._limit:
            gone = database.execute(
                "DELETE FROM entries WHERE key IN (SELECT key FROM entries ORDER BY used, made"
                " LIMIT 1 + (SELECT count(*) FROM entries) / 8)"
            ).rowcount
            self._tally.add("disk.evicted", gone)
            if not gone:
                return

    def _put(self, work: Callable[[sqlite3.Connection], object]) -> None:
        self._guarded(work, None, breaker=self._writes, seconds=_WRITE_TIME)

    def _guarded(
        self,
        work: Callable[[sqlite3.Connection], T],
        otherwise: T,
        *,
        breaker: Breaker | None = None,
        seconds: float = _LONG_TIME,
        transaction: bool = True,
    ) -> T:
        """Do work in a transaction, within so many seconds; count a failure and give `otherwise`."""
        with self._lock:
            if breaker and not breaker.closed():
                self._tally.add("disk.paused")
                return otherwise
            self._until = time.monotonic() + seconds
            try:
                database = self._database = self._database or self._open()
                with all_or_nothing(database) if transaction else contextlib.nullcontext():
                    result = work(database)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                if not self._failed(error) and breaker:
                    breaker.failure()
                return otherwise
            if breaker:
                breaker.success()
            return result

    def _failed(self, error: sqlite3.Error | OSError | UnicodeDecodeError) -> bool:
        """Count a failure; true if the next try finds a new file."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        self._close()
        if code in _BROKEN or isinstance(error, UnicodeDecodeError):  # of a message that quotes the file
            self._discard()
            return True
        self._tally.add(_TROUBLES.get(code, "disk.failed"))
        return False

    def _discard(self) -> None:
        self._tally.add("disk.rebuilt")
        for file in self._files():
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [self._path.with_name(self._path.name + suffix) for suffix in _FILES]

    def _open(self) -> sqlite3.Connection:
        """Open the file, a new one if it is foreign."""
        if not all(map(self._plain, self._files())):
            self._discard()
        database = self._connect()
        found = schema_in(database)
        if found and found != our_schema():
            database.close()
            self._discard()
            database = self._connect()
        if found != our_schema():
            database.execute("PRAGMA journal_mode = WAL")
            with all_or_nothing(database):
                make_tables(database)
        database.execute("PRAGMA synchronous = NORMAL")
        return database

    def _plain(self, file: Path) -> bool:
        """Tell whether a file may be opened: a regular one of no more than its size, or none. Raises OSError."""
        try:
            status = file.lstat()
        except FileNotFoundError:
            return True
        if file == self._path and stat.S_ISLNK(status.st_mode):
            raise OSError(f"{file} is a link")
        return stat.S_ISREG(status.st_mode) and status.st_size <= 2 * self._limit + _SPARE

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # answers quote code: for this user only, whatever the umask; SQLite's side files take the same mode
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        os.close(os.open(self._path, flags, 0o600))
        if not all(map(self._plain, self._files())):
            raise OSError(f"{self._path} can't be begun anew")
        # autocommit mode: transactions are ours, and begin with the lock that they need
        database = sqlite3.connect(
            self._path, timeout=_LOCK_WAIT, isolation_level=None, check_same_thread=False
        )
        database.text_factory = lambda text: text.decode("utf-8", "replace")
        for category, most in _LENGTHS.items():
            database.setlimit(category, most)
        database.set_progress_handler(lambda: time.monotonic() > self._until, _STEPS)
        # a file from elsewhere must not run code of its own: https://sqlite.org/security.html
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        return database

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _MANY):
        yield keys[start : start + _MANY]
