"""Writing an index: what came of files, in transactions of bounded size."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hunkwise.reviewer.knowledge.listing import Listed
from hunkwise.reviewer.knowledge.reading.file import Answer
from hunkwise.reviewer.knowledge.store.database import all_or_nothing, open_to_write, told
from hunkwise.reviewer.knowledge.store.packing import in_blocks, packed, unpacked
from hunkwise.reviewer.source.provenance import is_test
from hunkwise.reviewer.text.globs import matches

# What the words of a file count: tests repeat what they test, lists of changes and benchmarks what they are of
_LESS, _BESIDE = 0.7, ("CHANGE*", "change*", "HISTORY*", "NEWS*", "release*notes*", "benchmarks/")
_ROWS = 1_000  # in one transaction, about


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file: its row, the blob that was read, its stamp."""

    row: int
    blob: str
    stamp: str


class Writer:
    """An index that is written. Raises KnowledgeError; after one, what was committed before stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_to_write(path)
        self._waiting: list[Callable[[sqlite3.Connection], None]] = []
        self._rows = 0

    def known(self) -> dict[str, Known]:
        """Give the files that the index knows, those left out too."""
        with told(self._path):
            rows = self._database.execute("SELECT path, id, blob, stamp FROM files")
            return {path: Known(row, blob, stamp) for path, row, blob, stamp in rows}

    def noted(self) -> dict[str, str]:
        """Give what was noted of the whole index."""
        with told(self._path):
            return dict(self._database.execute("SELECT name, value FROM about"))

    def note(self, told_of: Mapping[str, str]) -> None:
        """Note something of the whole index."""
        self._add(
            lambda database: database.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)", told_of.items()
            ),
            1,
        )

    def keep(self, file: Listed, row: int) -> None:
        """Note that a file is what it was, though its stamp is another."""
        sql = "UPDATE files SET stamp = ?, changed = ? WHERE id = ?"
        self._add(lambda database: database.execute(sql, (file.stamp, file.changed, row)), 1)

    def put(self, file: Listed, answer: Answer, row: int | None) -> None:
        """Put what came of a file in place of what was known of it."""

        def write(database: sqlite3.Connection) -> None:
            if row is not None:
                _forget(database, row)
            fields = (file.path, answer["blob"], file.stamp, file.changed, answer["reason"])
            sql = "INSERT INTO files VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
            kind = (answer.get("kind", ""), answer.get("language", ""), _weight(file.path))
            (number,) = database.execute(sql, (*fields, *kind)).fetchone()
            for rows in in_blocks(answer.get("passages", ())):
                block = database.execute("INSERT INTO blocks VALUES (NULL, ?, ?)", (number, packed(rows)))
                for place, (_, _, *words) in enumerate(rows):
                    sql = "INSERT INTO passages VALUES (NULL, ?, ?)"
                    passage = database.execute(sql, (block.lastrowid, place))
                    sql = "INSERT INTO words (rowid, title, text, parts, path) VALUES (?, ?, ?, ?, ?)"
                    database.execute(sql, (passage.lastrowid, *words, file.path))
            symbols = (answer.get("definitions", []), answer.get("uses", {}))
            if any(symbols):
                database.execute("INSERT INTO symbols VALUES (?, ?)", (number, packed(symbols)))
                database.executemany("INSERT INTO names VALUES (?, ?, ?)", _names(symbols, number))

        self._add(write, 1 + len(answer.get("passages", ())))

    def forget(self, rows: Iterable[int]) -> None:
        """Forget files that are not there any more."""
        for row in rows:
            self._add(lambda database, row=row: _forget(database, row), 4)  # type: ignore[misc]

    def commit(self) -> None:
        """Write what waits, all of it or nothing."""
        waiting, self._waiting, self._rows = self._waiting, [], 0
        with told(self._path), all_or_nothing(self._database):
            for write in waiting:
                write(self._database)

    def close(self) -> None:
        """Close the file; what waits is dropped."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()

    def _add(self, write: Callable[[sqlite3.Connection], object], rows: int) -> None:
        self._waiting.append(write)  # type: ignore[arg-type]
        self._rows += rows
        if self._rows >= _ROWS:
            self.commit()


def _weight(path: str) -> float:
    return _LESS if is_test(path) or matches(path, _BESIDE) else 1.0


def _names(
    symbols: tuple[Sequence[Sequence[Any]], Mapping[str, object]], file: int
) -> list[tuple[str, int, int]]:
    defined, used = symbols
    return [(name, 1, file) for name in {str(row[0]) for row in defined}] + [(name, 0, file) for name in used]


def _forget(database: sqlite3.Connection, row: int) -> None:
    """Forget a file. The words of a passage are taken out of their table by what was put into it."""
    sql = "SELECT blocks.id, told, path FROM blocks JOIN files ON files.id = file WHERE file = ?"
    for block, told_of, path in database.execute(sql, (row,)).fetchall():
        words = unpacked(told_of)
        sql = "SELECT id, place FROM passages WHERE block = ?"
        gone = []
        for number, place in database.execute(sql, (block,)).fetchall():
            _, _, title, text, parts = words[place]
            gone.append((number, str(title), str(text), str(parts), path))
        sql = "INSERT INTO words (words, rowid, title, text, parts, path) VALUES ('delete', ?, ?, ?, ?, ?)"
        database.executemany(sql, gone)
        database.execute("DELETE FROM passages WHERE block = ?", (block,))
    for (told_of,) in database.execute("SELECT told FROM symbols WHERE file = ?", (row,)).fetchall():
        sql = "DELETE FROM names WHERE name = ? AND defined = ? AND file = ?"
        database.executemany(sql, _names(unpacked(told_of), row))
    for table, column in (("blocks", "file"), ("symbols", "file"), ("files", "id")):
        database.execute(f"DELETE FROM {table} WHERE {column} = ?", (row,))  # noqa: S608 - names of ours
