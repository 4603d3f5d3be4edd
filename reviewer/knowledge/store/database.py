"""Opening the file of an index: for this user only, with no table that is not ours, one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hunkwise.reviewer.errors import KnowledgeError
from hunkwise.reviewer.knowledge.store.schema import make_tables, our_schema, schema_in

_MARK = "-damaged"  # beside an index in which a reader found damage, which a writer might not come to
_FILES = ("", "-wal", "-shm", "-journal", _MARK)  # of one database
_WAIT = 10.0  # seconds for another process's transaction
_LONGEST_WAIT = 600.0  # seconds for another process that writes the index
_PAUSE = 0.1
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_RUN = "run: hunkwise index"


class Damaged(KnowledgeError):
    """The file is no index of ours, or of another version; it has to be built anew."""


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in a KnowledgeError what SQLite or the system refuses."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        if code in _DAMAGED:
            raise Damaged(f"the index {path} is damaged; {_RUN}") from None
        if code == sqlite3.SQLITE_FULL:
            raise KnowledgeError(f"the index {path} can't be written: no room is left on the disk") from None
        if "no such module" in str(error):
            raise KnowledgeError("this Python's SQLite has no FTS5, which the index needs") from None
        raise KnowledgeError(f"the index {path} can't be used: {error}") from None
    except (ValueError, LookupError, TypeError, RecursionError):  # no text, or not what we packed
        raise Damaged(f"the index {path} is damaged; {_RUN}") from None
    except OSError as error:
        raise KnowledgeError(f"the index {path} can't be written: {error.strerror or error}") from None


def open_to_read(path: Path, what: str) -> sqlite3.Connection:
    """Open the index of `what`. Raises KnowledgeError where there is none, Damaged where it is not ours."""
    if not path.exists():
        raise KnowledgeError(f"nothing is indexed of {what}; {_RUN}")
    with told(path):
        database = _connected(path)
        try:
            there = schema_in(database)
        except sqlite3.OperationalError:
            # on a read-only disk SQLite can't make its side files; it needs none where nothing is written
            if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").is_file():
                raise
            database.close()
            database = _connected(path, "?immutable=1")
            there = schema_in(database)
        if not there:
            database.close()
            raise KnowledgeError(f"nothing is indexed of {what}; {_RUN}")
        _check(path, database)
        return database


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open an index, a new one where there is none. Raises Damaged where it is not ours."""
    with told(path):
        if path.with_name(path.name + _MARK).exists():
            raise Damaged(f"the index {path} is damaged; {_RUN}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # passages are code: for this user only, whatever the umask; SQLite's side files take the same mode
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        os.close(os.open(path, flags, 0o600))
        database = _connected(path)
        if not schema_in(database):
            database.execute("PRAGMA journal_mode = WAL")
            with all_or_nothing(database):
                make_tables(database)
        _check(path, database)
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA cache_size = -65536")  # 64 MiB
        return database


@contextlib.contextmanager
def all_or_nothing(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of a block, or nothing of it; the lock is taken first."""
    database.execute("BEGIN IMMEDIATE")
    with database:  # commits at the end, or rolls back
        yield


@contextlib.contextmanager
def only_writer(path: Path, say: Callable[[str], None], longest: float = _LONGEST_WAIT) -> Iterator[None]:
    """Be the only process that writes an index; waits for another one, and says so. The system frees it."""
    with told(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
    try:
        until = time.monotonic() + longest
        waits = False
        while not _locked(lock):
            if not waits:
                say("another process writes this index; waiting for it")
            waits = True
            if time.monotonic() > until:
                raise KnowledgeError(f"another process still writes the index {path}; try again later")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(lock)


def mark_damaged(path: Path) -> None:
    """Have the next writer build an index anew, if the disk lets us."""
    with contextlib.suppress(OSError):
        path.with_name(path.name + _MARK).touch(0o600)


def discard(path: Path) -> bool:
    """Delete an index; tells whether there was one. Only for the only writer."""
    there = path.exists()
    with told(path):
        for suffix in _FILES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return there


def size_of(path: Path) -> int:
    """Count the bytes of an index's files."""
    total = 0
    for suffix in _FILES:
        with contextlib.suppress(OSError):
            total += path.with_name(path.name + suffix).lstat().st_size
    return total


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _connected(path: Path, how: str = "") -> sqlite3.Connection:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Damaged(f"the index {path} is no regular file")
    # autocommit mode: transactions are ours, and begin with the lock that they need
    address = f"{path.absolute().as_uri()}{how}"
    database = sqlite3.connect(
        address, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
    )
    # a file from elsewhere must not run code of its own: https://sqlite.org/security.html
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    return database


def _check(path: Path, database: sqlite3.Connection) -> None:
    if schema_in(database) != our_schema():
        database.close()
        raise Damaged(f"the index {path} is damaged, or of another version; {_RUN}")
