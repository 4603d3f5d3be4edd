"""A cache file from a stranger: it never holds up a review, fails it, or reaches beyond its folder."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunkwise.engine import CachePlace, Counters, open_cache
from hunkwise.engine.store.disk import DiskStore
from hunkwise.engine.store.secret import open_secret

A, B = ("a" * 64, "b" * 64)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
NEVER_ENDS = f"SELECT * FROM counts WHERE name = ({ENDLESS} SELECT max(i) FROM n)"
TABLE = "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB, made REAL, used REAL)"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """What hangs fails."""
    signal.alarm(60)
    yield
    signal.alarm(0)


def ours(path: Path) -> None:
    """A file as we make it, with one entry."""
    with closing(DiskStore(path, Counters())) as store:
        store.put({A: b"kept"})


def altered(*statements: str) -> Callable[[Path], None]:
    """A file as we make it, on which statements were run; `!` before one: in an empty file."""

    def make(path: Path) -> None:
        if not statements[0].startswith("!"):
            ours(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement.removeprefix("!"))
            database.execute("PRAGMA user_version = 1")

    return make


def many_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        tables = "".join(f"CREATE TABLE t{i} (a, b, c);" for i in range(2000))
        database.executescript(f"BEGIN; {tables} PRAGMA user_version = 1; COMMIT")


def rewritten(path: Path) -> None:
    """A schema that reads as ours, with roots that point into the wrong trees."""
    ours(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET rootpage = 1")


def sparse(suffix: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        ours(path)
        with path.with_name(path.name + suffix).open("ab") as file:
            file.truncate(1 << 40)

    return make


def special(suffix: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def place(path: Path) -> None:
        if suffix:
            ours(path)
        make(path.with_name(path.name + suffix))

    return place


HOSTILE: dict[str, Callable[[Path], None]] = {
    "endless view": altered(
        f"!CREATE VIEW entries AS {ENDLESS} SELECT i key, i value, i made, i used FROM n"
    ),
    "view beside": altered(f"CREATE VIEW more AS {ENDLESS} SELECT i FROM n"),
    "trigger": altered(f"CREATE TRIGGER t BEFORE INSERT ON entries BEGIN {NEVER_ENDS}; END"),
    "trigger on old entries": altered(f"CREATE TRIGGER t AFTER DELETE ON entries BEGIN {NEVER_ENDS}; END"),
    "trigger on counts": altered(f"CREATE TRIGGER t AFTER INSERT ON counts BEGIN {NEVER_ENDS}; END"),
    "own table": altered(f"!{TABLE}", f"CREATE TRIGGER t AFTER INSERT ON entries BEGIN {NEVER_ENDS}; END"),
    "generated column": altered("!CREATE TABLE entries (key TEXT, value AS (zeroblob(9999999)), made, used)"),
    "dear check": altered(
        "!CREATE TABLE entries (key CHECK (length(hex(zeroblob(9e8)))), value, made, used)"
    ),
    "index on an expression": altered("CREATE INDEX dear ON entries (hex(zeroblob(length(key) * 9999)))"),
    "virtual table": altered("CREATE VIRTUAL TABLE more USING fts5(text)"),
    "many tables": many_tables,
    "roots rewritten": rewritten,
    "huge": sparse(""),
    "huge log": sparse("-wal"),
    "FIFO": special("", os.mkfifo),
    "FIFO as log": special("-wal", os.mkfifo),
    "FIFO as journal": special("-journal", os.mkfifo),
    "FIFO as shared memory": special("-shm", os.mkfifo),
    "socket": special("", lambda path: os.mknod(path, 0o140600)),
    "folder": special("", Path.mkdir),
    "folder as log": special("-wal", lambda path: (path / "full").mkdir(parents=True)),
    "link": special("", lambda path: path.symlink_to(path.parent / "elsewhere")),
    "link to a device": special("", lambda path: path.symlink_to("/dev/zero")),
    "log linked elsewhere": special("-wal", lambda path: path.symlink_to(path.parent / "elsewhere")),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Every call returns soon and without an error; where the file can be replaced it serves again."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (tmp_path / "kept").write_text("mine")
    make(folder / "x")
    tally = Counters()
    started = time.monotonic()
    with closing(DiskStore(folder / "x", tally)) as store:
        for _ in range(3):
            store.get([A, B])
            store.put({B: b"new"})
        store.add_counts({"hit": 1})
        found = store.get([B])
    assert time.monotonic() - started < 20
    assert found == {B: b"new"} or set(tally.counts()) & {"disk.failed", "disk.slow"}
    assert not (folder / "elsewhere").exists()
    assert (tmp_path / "kept").read_text() == "mine"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=40)), max_size=12))
def test_any_damage(tmp_path: Path, damage: list[tuple[int, bytes]]) -> None:
    """Whatever bytes are overwritten, nothing is raised, and what is found is what was kept or is a miss."""
    path = tmp_path / "x"
    path.unlink(missing_ok=True)
    with closing(DiskStore(path, Counters())) as store:
        store.put({f"{i:064}": b"%d" % i * 100 for i in range(40)})
    content = bytearray(path.read_bytes())
    for at, new in damage:
        content[at % len(content) : at % len(content) + len(new)] = new
    path.write_bytes(content)
    with closing(DiskStore(path, Counters())) as store:
        store.get([f"{i:064}" for i in range(40)])
        store.put({A: b"1"})
        store.get([A])


def test_a_slow_statement_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose statements take too long costs that time once, and is then left alone for a while."""
    monkeypatch.setattr("hunkwise.engine.store.disk._READ_TIME", 0.0)
    monkeypatch.setattr("hunkwise.engine.store.disk._STEPS", 1)
    tally = Counters()
    with closing(DiskStore(tmp_path / "x", tally)) as store:
        store.put({A: b"1"})
        assert store.get([A]) == {}
        assert store.get([A]) == {}
    assert tally.counts() == {"disk.slow": 1, "disk.paused": 1}


def test_a_locked_file_is_waited_for_once(tmp_path: Path) -> None:
    """A thousand writes into a file that is locked for good cost one wait, not a thousand."""
    tally = Counters()
    with closing(DiskStore(tmp_path / "x", tally)) as store:
        store.put({A: b"1"})
        with closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            started = time.monotonic()
            for _ in range(1000):
                store.put({B: b"2"})
            assert time.monotonic() - started < 5
        assert store.get([A]) == {A: b"1"}
    assert tally.counts()["disk.paused"] > 900


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: os.mknod(path, 0o140600)],
    ids=["FIFO", "folder", "device", "socket"],
)
def test_hostile_secret(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """What is no file is not read, nor waited for; a review has a secret all the same."""
    make(tmp_path / "secret")
    assert len(open_secret(tmp_path / "secret", Counters())) == 32
    with open_cache(CachePlace(tmp_path), trust="trusted", repository="") as cache:
        cache.put({A: 1})
        assert cache.get({A: lambda value: value}) == {A: 1}
