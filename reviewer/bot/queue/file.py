"""The file of a queue: its tables, and transactions in it, also after somebody deleted or replaced it."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hunkwise.reviewer.bot.queue.port import QueueError

_BUSY = 9.0  # seconds to wait for other processes: forges wait ten for an answer
_PAUSE = 0.005  # seconds between two tries
_TABLES = """
CREATE TABLE IF NOT EXISTS seen (delivery TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reviewed (change TEXT PRIMARY KEY, head TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reports (change TEXT PRIMARY KEY, report BLOB NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, held INTEGER NOT NULL, ends REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS served (repository TEXT PRIMARY KEY, turn INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS news (
    number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
    event TEXT NOT NULL, delivery TEXT NOT NULL, repository TEXT NOT NULL, high INTEGER NOT NULL,
    again INTEGER NOT NULL, generation INTEGER NOT NULL, tries INTEGER NOT NULL, ticket TEXT NOT NULL,
    since REAL NOT NULL, renewed REAL NOT NULL, reason TEXT NOT NULL
);
"""


class QueueFile:
    """A connection to the file that `path` names, for several threads. All of it raises QueueError."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()
        self._base, self._is = self._opened()

    def is_there(self) -> bool:
        """Tell whether the path still names the file that is open."""
        try:
            return self._named() == self._is
        except OSError:
            return False

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Lend a transaction, all of it or nothing, in the file that the path names by now."""
        with self._lock:
            if not self.is_there():
                opened = self._opened()
                self._base.close()
                self._base, self._is = opened
            try:
                _patiently(self._base, "BEGIN IMMEDIATE")
                try:
                    yield self._base
                    _patiently(self._base, "COMMIT")
                except BaseException:
                    if self._base.in_transaction:  # SQLite may have ended it, as where the disk is full
                        self._base.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise QueueError(f"the queue can't be used: {error}") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    def _opened(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            base = sqlite3.connect(
                self.path, timeout=_PAUSE, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            base.row_factory = sqlite3.Row
            # no WAL: what one leaves beside a file is taken for that of the file that replaces it
            _patiently(base, "PRAGMA journal_mode=TRUNCATE")
            base.execute("PRAGMA synchronous=FULL")  # what was answered 202 must not be lost
            for table in _TABLES.split(";"):
                _patiently(base, table)
            self.path.chmod(0o600)
            return base, self._named()
        except (OSError, sqlite3.Error) as error:
            raise QueueError(f"the queue {self.path} can't be opened: {error}") from None

    def _named(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino


def _patiently(base: sqlite3.Connection, statement: str) -> None:
    """Execute a statement that may have to wait for others.

    SQLite's own waiting grows longer with each try, so who waits long loses to who comes new, and waits for ever.
    """
    end = time.monotonic() + _BUSY
    while True:
        try:
            base.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE * random.random())  # noqa: S311 - no secret
        else:
            return
