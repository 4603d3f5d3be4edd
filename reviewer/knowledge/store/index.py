"""Reading an index: the passages that say most about a question, and symbols by their names."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from hunkwise.reviewer.knowledge.port import ANY, Coverage, Definition, Filter, Hit, Passage, Use
from hunkwise.reviewer.knowledge.store.database import Damaged, mark_damaged, open_to_read, told
from hunkwise.reviewer.knowledge.store.packing import unpacked
from hunkwise.reviewer.knowledge.store.symbols import Texts, definition, use
from hunkwise.reviewer.knowledge.words import asked, names_code

# How much a word counts in a title, the text, the parts of identifiers and the path, and a passage of a document:
# where a question names something of the code, and else
_NAMED, _PLAIN = ("6.0, 1.0, 0.6, 1.0", 1.0), ("2.0, 1.0, 0.6, 1.0", 1.8)
_FILE = "files.path, files.kind, files.language, files.blob, files.changed"
_WORDS = """words JOIN passages ON passages.id = words.rowid JOIN blocks ON blocks.id = passages.block
    JOIN files ON files.id = blocks.file"""
_NAMED_FILES = """SELECT path, names.file, told FROM names JOIN files ON files.id = names.file
    JOIN symbols ON symbols.file = names.file WHERE name = ? AND defined = ? ORDER BY path LIMIT ?"""
_MOST = 10_000  # rows of one answer
T = TypeVar("T")


class Index:
    """The index in a file; see the port `Knowledge`. What a writer commits meanwhile is seen by the next call."""

    def __init__(self, path: Path, what: str) -> None:
        self.file = path
        self._database = open_to_read(path, what)
        self._database.execute("PRAGMA query_only = ON")
        self._lock = threading.Lock()

    def search(self, question: str, limit: int = 8, wanted: Filter = ANY) -> tuple[Hit, ...]:
        """Find the passages that have the rarest words of a question, best first."""
        words = asked(question)
        if not words or limit < 1:
            return ()
        where, values = _conditions(wanted)
        weights, document = _NAMED if names_code(question) else _PLAIN
        score = f"bm25(words, {weights}) * weight * iif(kind = 'document', {document}, 1.0)"
        sql = (
            f"SELECT {score} AS score, words.rowid, files.path FROM {_WORDS} WHERE words MATCH ?{where}"  # noqa: S608
            " ORDER BY score, words.rowid"
        )
        one = (
            f"SELECT blocks.told, passages.place, {_FILE} FROM passages JOIN blocks ON blocks.id = block"  # noqa: S608
            " JOIN files ON files.id = blocks.file WHERE passages.id = ?"
        )
        question = " OR ".join(f'"{word}"' for word in words)

        def find(database: sqlite3.Connection) -> tuple[Hit, ...]:
            found: list[Hit] = []
            with closing(database.execute(sql, (question, *values))) as rows:
                for score, row, path in rows:
                    if wanted.names(path):
                        block, place, *file = database.execute(one, (row,)).fetchone()
                        passage = _passage(unpacked(block)[place], file)
                        found.append(Hit(passage, -score, lexical=len(found) + 1))
                    if len(found) == limit:
                        break
            return tuple(found)

        return self._asked(find)

    def passages(self, wanted: Filter = ANY) -> Iterator[Passage]:
        """Give all passages, in the order of their paths and lines, without holding them all."""
        where, values = _conditions(wanted)
        after: tuple[object, ...] = ("", 0)
        sql = (
            f"SELECT blocks.id, blocks.told, {_FILE} FROM blocks JOIN files ON files.id = blocks.file"  # noqa: S608
            f" WHERE (files.path, blocks.id) > (?, ?){where} ORDER BY files.path, blocks.id LIMIT 50"
        )
        while True:
            rows = self._asked(lambda database: database.execute(sql, (*after, *values)).fetchall())  # noqa: B023
            for _, block, *file in rows:
                if wanted.names(file[0]):
                    yield from self._asked(lambda _: [_passage(row, file) for row in unpacked(block)])  # noqa: B023
            if not rows:
                return
            after = (rows[-1][2], rows[-1][0])

    def files(self) -> list[tuple[str, str, float, str]]:
        """Give the path of each file, its blob, when it was last written, and its language."""
        sql = "SELECT path, blob, changed, language FROM files WHERE reason = ''"
        return self._asked(lambda database: database.execute(sql).fetchall())

    def definitions(self, name: str) -> tuple[Definition, ...]:
        """Find where a name is defined, by path and line."""

        def find(database: sqlite3.Connection) -> tuple[Definition, ...]:
            rows = database.execute(_NAMED_FILES, (name, 1, _MOST))
            return tuple(
                definition(path, row)
                for path, _, told_of in rows
                for row in unpacked(told_of)[0]
                if row[0] == name
            )

        return self._asked(find)

    def uses(self, name: str) -> tuple[Use, ...]:
        """Find where a name is used, its definitions left out, by path and line."""
        sql = "SELECT told FROM blocks WHERE file = ? ORDER BY id"

        def find(database: sqlite3.Connection) -> tuple[Use, ...]:
            found: list[Use] = []
            for path, file, told_of in database.execute(_NAMED_FILES, (name, 0, _MOST)):
                blocks = database.execute(sql, (file,)).fetchall()
                texts = Texts([tuple(row[:4]) for (block,) in blocks for row in unpacked(block)])
                found += (use(name, path, row, texts) for row in unpacked(told_of)[1][name])
                if len(found) > _MOST:
                    break
            return tuple(found[:_MOST])

        return self._asked(find)

    def coverage(self) -> Coverage:
        """Say what it knows of, and what was left out and why, most first."""

        def count(database: sqlite3.Connection) -> Coverage:
            (files,) = database.execute("SELECT count(*) FROM files WHERE reason = ''").fetchone()
            (passages,) = database.execute("SELECT count(*) FROM passages").fetchone()
            left_out = database.execute(
                "SELECT reason, count(*) AS number FROM files WHERE reason != '' GROUP BY reason"
                " ORDER BY number DESC, reason"
            )
            return Coverage(files, passages, tuple(left_out.fetchall()))

        return self._asked(count)

    def about(self) -> dict[str, str]:
        """Give what the writer noted: `scope`, and `complete` where it came to its end."""
        return self._asked(lambda database: dict(database.execute("SELECT name, value FROM about")))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _asked(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._lock, told(self.file):
                return work(self._database)
        except Damaged:
            mark_damaged(self.file)
            raise


def _passage(row: list[Any], file: list[Any]) -> Passage:
    start, stop, title, text, _ = row
    path, kind, language, blob, changed = file
    return Passage(path, start, stop, text, kind, title, language, blob, changed)


def _conditions(wanted: Filter) -> tuple[str, Sequence[object]]:
    """Say in SQL what a filter wants, but for its paths."""
    where, values = "", list[object]()
    for column, allowed in (("language", wanted.languages), ("kind", wanted.kinds)):
        if allowed:
            where += f" AND files.{column} IN ({','.join('?' * len(allowed))})"
            values += allowed
    if wanted.since:
        where += " AND files.changed >= ?"
        values.append(wanted.since)
    return where, values
