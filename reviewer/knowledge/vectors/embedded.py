"""Vectors in a SQLite file beside the index's, in half precision, searched one by one.

All are looked at, so the nearest are found without fail; figures in docs/ask.md.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hunkwise.reviewer.knowledge.store.database import all_or_nothing, told
from hunkwise.reviewer.knowledge.vectors.port import Key, Vector

_TABLE = "CREATE TABLE vectors (name TEXT, key BLOB, data BLOB, PRIMARY KEY (name, key)) WITHOUT ROWID"
_BATCH = 500  # variables of one statement
_HALF = np.dtype("<f2")


class EmbeddedVectors:
    """See the port `Vectors`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        with told(path):
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            self._database.execute("PRAGMA trusted_schema = OFF")
            defined = self._database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
            if defined not in ([], [(_TABLE,)]):  # a table, view or trigger that is not ours
                self._database.close()
                path.unlink()
                self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                path.chmod(0o600)
                defined = []
            if not defined:
                self._database.execute(_TABLE)

    def known(self, keys: Sequence[Key]) -> set[Key]:
        """Give those of the keys that have a vector."""
        return {key for key, _ in self._rows(keys)}

    def put(self, vectors: Sequence[tuple[Key, Vector]]) -> None:
        """Keep vectors, all of them or none."""
        rows = [(self._name, key, np.asarray(vector, _HALF).tobytes()) for key, vector in vectors]
        with told(self._path), all_or_nothing(self._database):
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def nearest(self, asked: Vector, keys: Iterable[Sequence[Key]], limit: int) -> list[Key]:
        """Give those of the keys whose vectors are nearest, nearest first."""
        wanted = np.asarray(asked, np.float32)
        best: dict[Key, float] = {}
        for batch in keys:
            rows = [row for row in self._rows(batch) if len(row[1]) == wanted.size * _HALF.itemsize]
            if not rows:
                continue
            matrix = np.frombuffer(b"".join(data for _, data in rows), _HALF).reshape(len(rows), -1)
            scores = matrix.astype(np.float32) @ wanted
            best.update(zip((key for key, _ in rows), map(float, scores), strict=True))
            if len(best) > limit:
                best = dict(heapq.nlargest(limit, best.items(), key=lambda pair: pair[1]))
        return sorted(best, key=lambda key: -best[key])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _rows(self, keys: Sequence[Key]) -> list[tuple[Key, bytes]]:
        found: list[tuple[Key, bytes]] = []
        for begin in range(0, len(keys), _BATCH):
            some = keys[begin : begin + _BATCH]
            sql = f"SELECT key, data FROM vectors WHERE name = ? AND key IN ({','.join('?' * len(some))})"  # noqa: S608
            with told(self._path):
                found += self._database.execute(sql, (self._name, *some)).fetchall()
        return found
