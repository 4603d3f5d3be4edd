"""The tables of an index, and whether a file has just those."""

from __future__ import annotations

import contextlib
import sqlite3
from functools import cache

FORMAT = 7  # of the tables, and of what the reading of files puts into them
_TABLES = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
    CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, blob TEXT NOT NULL, stamp TEXT NOT NULL,
        changed REAL NOT NULL, reason TEXT NOT NULL, kind TEXT NOT NULL, language TEXT NOT NULL,
        weight REAL NOT NULL)
    CREATE TABLE blocks (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, told BLOB NOT NULL)
    CREATE INDEX blocks_of ON blocks (file)
    CREATE TABLE passages (id INTEGER PRIMARY KEY, block INTEGER NOT NULL, place INTEGER NOT NULL)
    CREATE INDEX passages_of ON passages (block)
    CREATE VIRTUAL TABLE words USING fts5 (title, text, parts, path, content = '', tokenize = 'porter unicode61')
    CREATE TABLE symbols (file INTEGER PRIMARY KEY, told BLOB NOT NULL)
    CREATE TABLE names (name TEXT NOT NULL, defined INTEGER NOT NULL, file INTEGER NOT NULL,
        PRIMARY KEY (name, defined, file)) WITHOUT ROWID
"""


def make_tables(database: sqlite3.Connection) -> None:
    """Make the tables of an empty file."""
    for statement in _TABLES.split("    CREATE ")[1:]:
        database.execute(f"CREATE {statement.strip()}")
    database.execute(f"PRAGMA user_version = {FORMAT}")


def schema_in(database: sqlite3.Connection) -> tuple[object, ...]:
    """Give all that a database defines, and its version; nothing of an empty one. Raises sqlite3.Error."""
    database.execute("BEGIN")  # both of one moment: another process may be making the tables
    with database:
        rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name LIMIT 99")
        found = rows.fetchall()
        (version,) = database.execute("PRAGMA user_version").fetchone()
    return (version, *found) if found or version else ()


@cache
def our_schema() -> tuple[object, ...]:
    """Give what `schema_in` gives of a database that we made. Raises sqlite3.Error where SQLite has no FTS5."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        make_tables(database)
        return schema_in(database)
