"""Writing an index: what came of files, in transactions of bounded size."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.knowledge.listing import Listed
from hunkwise.reviewer.knowledge.reading.file import Answer
from hunkwise.reviewer.knowledge.store.database import all_or_nothing, open_to_write, told
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
                _forget(database, [row])
            fields = (file.path, answer["blob"], file.stamp, file.changed, answer["reason"])
            sql = "INSERT INTO files VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
            kind = (answer.get("kind", ""), answer.get("language", ""), _weight(file.path))
            (number,) = database.execute(sql, (*fields, *kind)).fetchone()
            for first, last, title, text, parts in answer.get("passages", ()):
                passage = database.execute(
                    "INSERT INTO passages VALUES (NULL, ?, ?, ?)", (number, first, last)
                )
                sql = "INSERT INTO words (rowid, title, text, parts, path) VALUES (?, ?, ?, ?, ?)"
                database.execute(sql, (passage.lastrowid, title, text, parts, file.path))
            defined = [(number, row[0], _json(row)) for row in answer.get("definitions", ())]
            database.executemany("INSERT INTO definitions VALUES (?, ?, ?)", defined)
            used = [(name, number, _json(told_of)) for name, told_of in answer.get("uses", {}).items()]
            database.executemany("INSERT INTO uses VALUES (?, ?, ?)", used)

        self._add(write, 1 + len(answer.get("passages", ())))

    def forget(self, rows: Iterable[int]) -> None:
        """Forget files that are not there any more."""
        for row in rows:
            self._add(lambda database, row=row: _forget(database, [row]), 4)  # type: ignore[misc]

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


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _forget(database: sqlite3.Connection, rows: Sequence[int]) -> None:
    for row in rows:
        database.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE file = ?)", (row,))
        for table in ("passages", "definitions", "uses"):
            database.execute(f"DELETE FROM {table} WHERE file = ?", (row,))  # noqa: S608 - names of ours
        database.execute("DELETE FROM files WHERE id = ?", (row,))
