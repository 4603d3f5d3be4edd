"""Reading an index: the passages that say most about a question, and symbols by their names."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from hunkwise.reviewer.knowledge.port import ANY, Coverage, Definition, Filter, Hit, Passage, Use
from hunkwise.reviewer.knowledge.store.database import open_to_read, told
from hunkwise.reviewer.knowledge.store.symbols import Texts, definition, use
from hunkwise.reviewer.knowledge.words import asked, names_code

# How much a word counts in a title, the text, the parts of identifiers and the path, and a passage of a document:
# where a question names something of the code, and else
_NAMED, _PLAIN = ("6.0, 1.0, 0.6, 1.0", 1.0), ("2.0, 1.0, 0.6, 1.0", 1.8)
_PASSAGE = """files.path, passages.start, passages.stop, words.text, files.kind, words.title, files.language,
    files.blob, files.changed"""
_JOINED = "words JOIN passages ON passages.id = words.rowid JOIN files ON files.id = passages.file"
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
            f"SELECT {score} AS score, words.rowid, files.path FROM {_JOINED} WHERE words MATCH ?{where}"  # noqa: S608
            " ORDER BY score, words.rowid"
        )
        one = f"SELECT {_PASSAGE} FROM {_JOINED} WHERE words.rowid = ?"  # noqa: S608 - texts of the best alone
        question = " OR ".join(f'"{word}"' for word in words)

        def find(database: sqlite3.Connection) -> tuple[Hit, ...]:
            found: list[Hit] = []
            with closing(database.execute(sql, (question, *values))) as rows:
                for score, row, path in rows:
                    if wanted.names(path):
                        passage = Passage(*database.execute(one, (row,)).fetchone())
                        found.append(Hit(passage, -score, lexical=len(found) + 1))
                    if len(found) == limit:
                        break
            return tuple(found)

        return self._asked(find)

    def passages(self, wanted: Filter = ANY) -> Iterator[Passage]:
        """Give all passages, in the order of their paths and lines, without holding them all."""
        where, values = _conditions(wanted)
        after: tuple[object, ...] = ("", 0, 0)
        sql = (
            f"SELECT passages.id, {_PASSAGE} FROM {_JOINED}"  # noqa: S608 - names of ours
            " WHERE (files.path, passages.start, passages.id) > (?, ?, ?)"
            f"{where} ORDER BY files.path, passages.start, passages.id LIMIT 500"
        )
        while True:
            rows = self._asked(lambda database: database.execute(sql, (*after, *values)).fetchall())  # noqa: B023
            for _, *row in rows:
                if wanted.names(row[0]):
                    yield Passage(*row)
            if not rows:
                return
            after = (rows[-1][1], rows[-1][2], rows[-1][0])

    def files(self) -> list[tuple[str, str, float, str]]:
        """Give the path of each file, its blob, when it was last written, and its language."""
        sql = "SELECT path, blob, changed, language FROM files WHERE reason = ''"
        return self._asked(lambda database: database.execute(sql).fetchall())

    def definitions(self, name: str) -> tuple[Definition, ...]:
        """Find where a name is defined, by path and line."""
        sql = (
            "SELECT path, told FROM definitions JOIN files ON files.id = definitions.file WHERE name = ?"
            " ORDER BY path, definitions.rowid LIMIT ?"
        )
        return self._asked(
            lambda database: tuple(
                definition(path, json.loads(row)) for path, row in database.execute(sql, (name, _MOST))
            )
        )

    def uses(self, name: str) -> tuple[Use, ...]:
        """Find where a name is used, its definitions left out, by path and line."""
        sql = (
            "SELECT path, told, (SELECT json_group_array(json_array(start, stop, text)) FROM passages"
            " JOIN words ON words.rowid = passages.id WHERE passages.file = uses.file) FROM uses"
            " JOIN files ON files.id = uses.file WHERE name = ? ORDER BY path LIMIT ?"
        )

        def find(database: sqlite3.Connection) -> tuple[Use, ...]:
            found: list[Use] = []
            for path, rows, passages in database.execute(sql, (name, _MOST)):
                texts = Texts(json.loads(passages))
                found += (use(name, path, row, texts) for row in json.loads(rows))
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
        with self._lock, told(self.file):
            return work(self._database)


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
