from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hunkwise.engine import Counters
from hunkwise.engine.store.disk import DiskStore
from hunkwise.engine.store.port import MemoryStore, StoreSize
from hunkwise.engine.store.schema import make_tables, our_schema, schema_in

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_keeps(tmp_path: Path) -> None:
    """What one process keeps the next one finds, several keys at once."""
    file = tmp_path / "deep" / "er" / "x.sqlite3"
    first = DiskStore(file, Counters())
    first.put({A: b"1", B: b"\0\xff"})
    first.close()
    second = DiskStore(file, Counters())
    assert second.get([B, A, C]) == {A: b"1", B: b"\0\xff"}
    assert second.size() == StoreSize(2, 3)
    assert second.clear() == 2
    assert second.get([A]) == {}
    second.close()


def test_many_keys(tmp_path: Path) -> None:
    """A look-up of thousands of keys is no error."""
    store = DiskStore(tmp_path / "x", Counters())
    store.put({f"{i:064}": b"x" for i in range(3000)})
    assert len(store.get([f"{i:064}" for i in range(0, 6000, 2)])) == 1500
    store.close()


def test_private(tmp_path: Path) -> None:
    """Nobody else can read the files."""
    file = tmp_path / "new" / "x.sqlite3"
    store = DiskStore(file, Counters())
    store.put({A: b"1"})
    modes = [path.stat().st_mode & 0o777 for path in (file.parent, *file.parent.iterdir())]
    assert modes[0] == 0o700
    assert set(modes[1:]) == {0o600}
    store.close()


def test_least_used_goes_first(tmp_path: Path) -> None:
    """Beyond the limit the entries that were not used for longest are dropped, and the file stays bounded."""
    clock, tally = Clock(), Counters()
    store = DiskStore(tmp_path / "x", tally, limit=200_000, now=clock)
    store.put({A: b"a" * 1000})
    for i in range(400):
        clock.now += 4000  # more than an hour, so that a use is noted
        store.put({f"{i:064}": os.urandom(1000)})
        assert store.get([A])
    assert store.get([f"{0:064}"]) == {}
    assert store.get([f"{399:064}"])
    assert (store.size().bytes or 0) <= 200_000
    assert (tmp_path / "x").stat().st_size <= 250_000
    assert tally.counts()["disk.evicted"] > 100
    store.close()


def test_ttl(tmp_path: Path) -> None:
    """An entry is not found after its time, however often it was used, and goes at a later write."""
    clock = Clock()
    store = DiskStore(tmp_path / "x", Counters(), ttl=100_000, now=clock)
    store.put({A: b"1"})
    clock.now += 90_000
    assert store.get([A])
    clock.now += 20_000
    assert not store.get([A])
    clock.now += 100_000
    store.put({B: b"2"})
    assert store.size() == StoreSize(1, 1)
    store.close()


@pytest.mark.parametrize(
    "content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000], ids=["text", "torn"]
)
def test_broken_file(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is thrown away, counted, and begun anew."""
    file, tally = tmp_path / "x", Counters()
    file.write_bytes(content)
    store = DiskStore(file, tally)
    assert store.get([A]) == {}
    store.put({A: b"1"})
    assert store.get([A]) == {A: b"1"}
    assert tally.counts() == {"disk.rebuilt": 1}
    store.close()


def test_truncated_file(tmp_path: Path) -> None:
    """A database cut short while it lay there costs its entries, and nothing else."""
    file, tally = tmp_path / "x", Counters()
    store = DiskStore(file, tally)
    store.put({f"{i:064}": os.urandom(1000) for i in range(500)})
    store.close()
    os.truncate(file, 40_000)
    store = DiskStore(file, tally)
    for i in range(500):
        store.get([f"{i:064}"])
    store.put({A: b"1"})
    store.put({B: b"1"})
    assert store.get([A, B])
    assert tally.counts()["disk.rebuilt"] >= 1
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE entries (other); PRAGMA user_version = 1",
        "CREATE VIEW entries AS SELECT 1; PRAGMA user_version = 7",
        "CREATE VIEW entries AS SELECT 1 AS key, 2 AS value, 3 AS made, 4 AS used; PRAGMA user_version = 1",
    ],
)
def test_foreign_database(tmp_path: Path, sql: str) -> None:
    """A database with other tables, or of another version, is begun anew."""
    with sqlite3.connect(tmp_path / "x") as foreign:
        foreign.executescript(sql)
    foreign.close()
    store = DiskStore(tmp_path / "x", Counters())
    store.put({A: b"1"})
    store.put({A: b"1"})
    assert store.get([A]) == {A: b"1"}
    store.close()


def test_hostile_rows(tmp_path: Path) -> None:
    """Values of other types and of too many bytes are not handed out, or as plain bytes."""
    store = DiskStore(tmp_path / "x", Counters())
    store.put({A: b"1"})
    with sqlite3.connect(tmp_path / "x") as thief:
        thief.execute("UPDATE entries SET value = 'text', used = 'never', made = 9e99")
        thief.execute("INSERT INTO entries VALUES (?, zeroblob(5000000), 9e99, 9e99)", (B,))
    thief.close()
    assert store.get([A, B]) == {A: b"text"}
    store.close()


def test_locked(tmp_path: Path) -> None:
    """A file that another process has locked costs a moment, and a count."""
    tally = Counters()
    store = DiskStore(tmp_path / "x", tally)
    store.put({A: b"1"})
    other = sqlite3.connect(tmp_path / "x", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store.put({B: b"2"})
    assert tally.counts() == {"disk.busy": 1}
    assert store.get([A, B]) == {A: b"1"}  # readers go on
    other.close()
    store.close()


def test_unwritable(tmp_path: Path) -> None:
    """A folder that can't be made, or a link in the file's place, is a miss and is counted."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "file" / "x", tmp_path / "link"):
        tally = Counters()
        store = DiskStore(path, tally)
        store.put({A: b"1"})
        assert store.get([A]) == {}
        assert tally.counts() == {"disk.failed": 2}
    assert not (tmp_path / "elsewhere").exists()


FULL = """
import os, resource, sys
from pathlib import Path
from hunkwise.engine import Counters
from hunkwise.engine.store.disk import DiskStore
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
tally = Counters()
store = DiskStore(Path(sys.argv[1]), tally)
for i in range(30):
    store.put({f"{i:064}": os.urandom(4000)})
print(len(store.get([f"{i:064}" for i in range(30)])), tally.counts())
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on file sizes here")
def test_disk_full(tmp_path: Path) -> None:
    """A file that may not grow is a count, and what was written before is still found."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found, counts = done.stdout.split(" ", 1)
    assert 0 < int(found) < 30
    assert "disk.failed" in counts


def test_processes(tmp_path: Path) -> None:
    """Several processes write and read one file side by side, and nothing that was kept is lost."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom hunkwise.engine import Counters\n"
        "from hunkwise.engine.store.disk import DiskStore\n"
        "tally = Counters(); store = DiskStore(Path(sys.argv[1]), tally)\n"
        "for i in range(50):\n    store.put({f'{sys.argv[2]}{i:063}': b'x' * 500})\n"
        "print(tally.counts().get('disk.busy', 0), tally.counts().get('disk.rebuilt', 0))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "x")]
    running = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]
    reports = [process.communicate(timeout=60)[0].split() for process in running]
    assert all(process.returncode == 0 for process in running)
    assert all(rebuilt == "0" for _, rebuilt in reports)
    store = DiskStore(tmp_path / "x", Counters())
    assert store.size().entries == 200 - sum(int(busy) for busy, _ in reports)
    store.close()


def test_schema_is_of_one_moment(tmp_path: Path) -> None:
    """Tables that another process makes while the schema is read are all seen, or none of them."""
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as ours,
        contextlib.closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as theirs,
    ):
        theirs.execute("PRAGMA journal_mode = WAL")

        def meanwhile(statement: str) -> None:
            if statement == "PRAGMA user_version":
                make_tables(theirs)

        ours.set_trace_callback(meanwhile)
        assert schema_in(ours) == ()
        ours.set_trace_callback(None)
        assert schema_in(ours) == our_schema()


def test_threads(tmp_path: Path) -> None:
    """Threads may share a store."""
    tally = Counters()
    store = DiskStore(tmp_path / "x", tally)
    work = [threading.Thread(target=lambda n=n: store.put({f"{n:064}": b"x"})) for n in range(20)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert store.size().entries == 20
    assert tally.counts() == {}
    store.close()


def test_counts(tmp_path: Path) -> None:
    """Counts of several runs add up, until the store is cleared."""
    store = DiskStore(tmp_path / "x", Counters())
    store.add_counts({"hit": 2})
    store.add_counts({"hit": 3, "miss": 1})
    assert store.counts() == {"hit": 5, "miss": 1}
    store.clear()
    assert store.counts() == {}
    store.close()


def test_memory() -> None:
    """The store in memory keeps the entries used last, within its bytes."""
    store = MemoryStore(limit=10)
    store.put({A: b"12345", B: b"12345"})
    assert store.get([A]) == {A: b"12345"}
    store.put({C: b"12345"})
    assert store.get([A, B, C]) == {A: b"12345", C: b"12345"}
    store.put({A: b"x" * 11})
    assert store.get([A, B, C]) == {}
