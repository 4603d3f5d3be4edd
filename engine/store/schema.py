"""What the SQLite file of the store holds: its tables, and whether a file has just those."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import cache

from hunkwise.engine.store.port import STORE_FORMAT

_SCHEMA = f"""
    CREATE TABLE IF NOT EXISTS entries (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, made REAL NOT NULL, used REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_use ON entries (used);
    CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    PRAGMA user_version = {STORE_FORMAT};
"""


@contextlib.contextmanager
def all_or_nothing(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of a block, or nothing of it; the lock is taken first."""
    database.execute("BEGIN IMMEDIATE")
    with database:  # commits at the end, or rolls back
        yield


def make_tables(database: sqlite3.Connection) -> None:
    """Make the tables that are not there."""
    for statement in _SCHEMA.split(";"):
        database.execute(statement)


def schema_in(database: sqlite3.Connection) -> tuple[object, ...]:
    """Give all that a database defines, and its version; nothing of an empty one. Raises sqlite3.Error."""
    database.execute("BEGIN")  # both of one moment: another process may be making the tables
    with database:
        rows = database.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name LIMIT 9"
        ).fetchall()
        (version,) = database.execute("PRAGMA user_version").fetchone()
    return (version, *rows) if rows or version else ()


@cache
def our_schema() -> tuple[object, ...]:
    """Give what `schema_in` gives of a database that we made."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        make_tables(database)
        return schema_in(database)


def used_bytes(database: sqlite3.Connection) -> int:
    """Count the bytes that are in use, without the free pages."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
