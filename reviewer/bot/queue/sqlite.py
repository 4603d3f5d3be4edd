"""The queue in one file, for one machine: several processes may share it, and it survives all of them."""

from __future__ import annotations

import secrets
import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from hunkwise.reviewer.bot.port import ChangeId, Closed, Event
from hunkwise.reviewer.bot.queue.file import QueueFile
from hunkwise.reviewer.bot.queue.port import (
    COMMENT,
    DONE_FOR,
    LEASE,
    MOST_NEWS,
    MOST_TRIES,
    SEEN_FOR,
    Entry,
    Lease,
    News,
    QueueError,
    State,
    asked_by,
    key_of,
    read_event,
    repository_of,
    urgency,
    written,
)

_NEXT = """
SELECT jobs.key FROM jobs LEFT JOIN served USING (repository) WHERE state = 'waiting' AND high >= ?
ORDER BY high DESC, coalesce(turn, 0), number LIMIT 1
"""
_ABANDONED = (
    "SELECT key FROM jobs WHERE state = 'running' AND renewed <= ? ORDER BY high DESC, renewed LIMIT 1"
)
_SERVED = """
INSERT INTO served VALUES (?, (SELECT coalesce(max(turn), 0) + 1 FROM served))
ON CONFLICT (repository) DO UPDATE SET turn = excluded.turn
"""
_COUNTED = (
    "INSERT INTO counts VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET held = held + 1 RETURNING held"
)


class SqliteQueue:
    """Satisfies `Queue`. `lease` is in seconds; thread-safe.

    Where its file is deleted or replaced it goes on in the one that its path names by then.
    """

    def __init__(self, path: Path, *, lease: float = LEASE, clock: Callable[[], float] = time.time) -> None:
        self._file, self._lease, self._clock = QueueFile(path), lease, clock

    def accept(self, delivery: str, event: Event) -> bool:
        """Take an event in."""
        for _ in range(MOST_TRIES):
            new = self._accept(delivery, event)
            if self._file.is_there():  # else it went into a file that nobody will read
                return new
        raise QueueError(f"the queue {self._file.path} is deleted or replaced again and again")

    def _accept(self, delivery: str, event: Event) -> bool:
        now = self._clock()
        with self._file.using() as base:
            base.execute("DELETE FROM seen WHERE at < ?", (now - SEEN_FOR,))
            if base.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (delivery, now)).rowcount == 0:
                return False
            key, text = key_of(event), written(event)
            if isinstance(event, Closed):
                base.execute(
                    "UPDATE jobs SET event = ?, generation = generation + 1 WHERE key = ? AND state != 'dead'",
                    (text, key),
                )
                base.execute("DELETE FROM jobs WHERE key = ? AND state = 'dead'", (key,))
                return True
            base.execute(
                "INSERT INTO jobs VALUES (NULL, ?, 'waiting', ?, ?, ?, ?, ?, 1, 0, '', ?, 0, '')"
                " ON CONFLICT (key) DO UPDATE SET event = excluded.event, delivery = excluded.delivery,"
                " high = max(high, excluded.high), again = max(again, excluded.again),"
                " generation = generation + 1, tries = 0, since = iif(state = 'dead', excluded.since, since),"
                " state = iif(state = 'dead', 'waiting', state), reason = ''",
                (key, text, delivery, repository_of(event), urgency(event), asked_by(event), now),
            )
            return True

    def claim(self, *, comments: bool = False) -> Lease | None:
        """Hand out a job."""
        with self._file.using() as base:
            while True:
                row = base.execute(_ABANDONED, (self._clock() - self._lease,)).fetchone()
                if comments or row is None:
                    row = base.execute(_NEXT, (COMMENT if comments else 0,)).fetchone()
                if row is None:
                    return None
                job = base.execute("SELECT * FROM jobs WHERE key = ?", row).fetchone()
                try:
                    if job["tries"] < MOST_TRIES:
                        return self._handed(base, job)
                    reason = job["reason"] or "its worker died each time"
                except QueueError as error:  # of another version
                    reason = str(error)
                self._buried(base, job["key"], reason)

    def _handed(self, base: sqlite3.Connection, job: sqlite3.Row) -> Lease:
        ticket = secrets.token_hex(8)
        base.execute(
            "UPDATE jobs SET state = 'running', ticket = ?, renewed = ?, tries = tries + 1 WHERE key = ?",
            (ticket, self._clock(), job["key"]),
        )
        base.execute(_SERVED, (job["repository"],))
        if job["tries"] == 0:
            _tell(base, "waited", max(0.0, self._clock() - job["since"]))
        return _lease(job, ticket, job["tries"] + 1)

    def renew(self, lease: Lease) -> bool:
        """Hold on to a job."""
        return self._change("UPDATE jobs SET renewed = ? WHERE ticket = ?", self._clock(), lease.ticket)

    def wanted(self, lease: Lease) -> Lease | None:
        """Say what the job wants by now."""
        with self._file.using() as base:
            row = base.execute("SELECT * FROM jobs WHERE ticket = ?", (lease.ticket,)).fetchone()
            return _lease(row, lease.ticket, row["tries"]) if row else None

    def done(self, lease: Lease, head: str = "", *, superseded: bool = False) -> bool:
        """End a job as of the lease's generation."""
        with self._file.using() as base:
            mine = (lease.ticket,)
            if base.execute("SELECT 1 FROM jobs WHERE ticket = ?", mine).fetchone() is None:
                return False
            _tell(base, "superseded" if superseded else "done")
            now = self._clock()
            if head:
                base.execute("DELETE FROM reviewed WHERE at < ?", (now - DONE_FOR,))
                base.execute("REPLACE INTO reviewed VALUES (?, ?, ?)", (lease.key, head, now))
            base.execute("DELETE FROM jobs WHERE ticket = ? AND generation = ?", (*mine, lease.generation))
            base.execute(
                "UPDATE jobs SET state = 'waiting', ticket = '', tries = 0, reason = '', since = ?"
                " WHERE ticket = ?",
                (now, *mine),
            )
            return True

    def fail(self, lease: Lease, reason: str) -> None:
        """Note why a job failed."""
        with self._file.using() as base:
            mine = (reason, lease.ticket)
            if base.execute("UPDATE jobs SET reason = ? WHERE ticket = ?", mine).rowcount:
                _tell(base, "failed")

    def release(self, lease: Lease) -> None:
        """Give a job back."""
        self._change(
            "UPDATE jobs SET state = 'waiting', ticket = '', tries = max(0, tries - 1) WHERE ticket = ?",
            lease.ticket,
        )

    def bury(self, lease: Lease, reason: str) -> None:
        """Make a job a dead letter at once."""
        with self._file.using() as base:
            if base.execute("SELECT 1 FROM jobs WHERE ticket = ?", (lease.ticket,)).fetchone():
                self._buried(base, lease.key, reason)

    def keep(self, change: ChangeId, report: bytes) -> None:
        """Keep the report of a change's last review."""
        now = self._clock()
        with self._file.using() as base:
            base.execute("DELETE FROM reports WHERE at < ?", (now - DONE_FOR,))
            packed = zlib.compress(report)
            base.execute("REPLACE INTO reports VALUES (?, ?, ?)", (key_of(Closed(change)), packed, now))

    def kept(self, change: ChangeId) -> bytes:
        """Give the report of the change's last review."""
        with self._file.using() as base:
            row = base.execute(
                "SELECT report FROM reports WHERE change = ?", (key_of(Closed(change)),)
            ).fetchone()
            return zlib.decompress(row["report"]) if row else b""

    def count(self, key: str, seconds: int) -> int:
        """Count one more."""
        now = self._clock()
        with self._file.using() as base:
            base.execute("DELETE FROM counts WHERE ends <= ?", (now,))
            return int(base.execute(_COUNTED, (key, now + seconds)).fetchone()["held"])

    def reviewed(self, change: ChangeId) -> str:
        """Give the head of the change's last finished review."""
        with self._file.using() as base:
            row = base.execute(
                "SELECT head FROM reviewed WHERE change = ?", (key_of(Closed(change)),)
            ).fetchone()
            return str(row["head"]) if row else ""

    def entries(self) -> tuple[Entry, ...]:
        """List all jobs."""
        with self._file.using() as base:
            return tuple(map(_entry, base.execute("SELECT * FROM jobs ORDER BY since, number")))

    def depths(self) -> Mapping[State, int]:
        """Count jobs by where they are."""
        with self._file.using() as base:
            rows = base.execute("SELECT state, count(*) AS many FROM jobs GROUP BY state").fetchall()
            return {State(row["state"]): row["many"] for row in rows}

    def news(self) -> tuple[News, ...]:
        """Give what happened since somebody asked."""
        with self._file.using() as base:
            rows = base.execute("SELECT what, seconds FROM news ORDER BY number").fetchall()
            base.execute("DELETE FROM news")
            return tuple(News(row["what"], row["seconds"]) for row in rows)

    def retry(self, key: str) -> bool:
        """Let a dead job wait again."""
        return self._change(
            "UPDATE jobs SET state = 'waiting', tries = 0, since = ? WHERE key = ? AND state = 'dead'",
            self._clock(),
            key,
        )

    def drop(self, key: str) -> bool:
        """Forget a job."""
        return self._change("DELETE FROM jobs WHERE key = ?", key)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _buried(self, base: sqlite3.Connection, key: str, reason: str) -> None:
        """Keep a dead letter; its delivery may come again."""
        base.execute("DELETE FROM seen WHERE delivery = (SELECT delivery FROM jobs WHERE key = ?)", (key,))
        base.execute(
            "UPDATE jobs SET state = 'dead', ticket = '', reason = ?, since = ? WHERE key = ?",
            (reason, self._clock(), key),
        )
        _tell(base, "dead")

    def _change(self, statement: str, *values: object) -> bool:
        """Change one job, if it is there and ours."""
        with self._file.using() as base:
            return base.execute(statement, values).rowcount > 0


def _tell(base: sqlite3.Connection, what: str, seconds: float = 0.0) -> None:
    """Keep what happened; the oldest goes where nobody asks."""
    number = base.execute("INSERT INTO news VALUES (NULL, ?, ?)", (what, seconds)).lastrowid or 0
    base.execute("DELETE FROM news WHERE number <= ?", (number - MOST_NEWS,))


def _lease(row: sqlite3.Row, ticket: str, tries: int) -> Lease:
    return Lease(row["key"], read_event(row["event"]), row["generation"], row["again"], tries, ticket)


def _entry(row: sqlite3.Row) -> Entry:
    told = row["key"], State(row["state"]), row["event"], bool(row["high"])
    return Entry(*told, row["tries"], row["since"], row["reason"])
