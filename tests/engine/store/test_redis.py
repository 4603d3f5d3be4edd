from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from hunkwise.engine import Counters
from hunkwise.engine.errors import StoreError
from hunkwise.engine.store.port import Breaker
from hunkwise.engine.store.redis import RedisStore

A, B = ("a" * 64, "b" * 64)
LIMIT = 0.5  # seconds a look-up may take where the server does not answer
LONG = 10.0  # seconds; without the limit these look-ups never end
Start = Callable[..., Any]


def test_keeps(redis_server: Start) -> None:
    """Entries come back as they were, for the space they were written in, and expire."""
    server, tally = redis_server(), Counters()
    store, fork = RedisStore(server.url, "trusted-1", tally), RedisStore(server.url, "fork-1", tally)
    store.put({A: b"\0\xff", B: b"2"})
    assert store.get([A, B, "c" * 64]) == {A: b"\0\xff", B: b"2"}
    assert fork.get([A]) == {}
    assert 0 < server.client.ttl(f"hunkwise:1:trusted-1:{A}") <= 30 * 86_400
    assert tally.counts() == {}
    server.client.set("somebody-else", "1")
    size = store.size()
    assert size
    assert size.entries == 2
    assert store.clear() == 2
    assert server.client.keys() == [b"somebody-else"]
    store.close()
    fork.close()


def failing(store: RedisStore, tally: Counters, reason: str) -> None:
    """Look up in vain: within the time limit, counted by its reason, and not tried again at once."""
    store._reads._pause = 3600.0
    began = time.monotonic()
    assert store.get([A]) == {}
    assert time.monotonic() - began < LONG
    assert tally.counts() == {f"redis.{reason}": 1}
    for _ in range(100):
        assert store.get([A]) == {}
    assert tally.counts()["redis.paused"] == 100
    store.close()


def test_down() -> None:
    """A server that is not there is a miss."""
    tally = Counters()
    failing(RedisStore("unix:///nonexistent/socket", "t", tally), tally, "gone")


def test_slow(redis_server: Start) -> None:
    """A server that was stopped costs its time limit once."""
    server, tally = redis_server(), Counters()
    store = RedisStore(server.url, "t", tally, budget=LIMIT)
    server.client.set(f"hunkwise:1:t:{A}", b"1")
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        failing(store, tally, "timeout")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_drip() -> None:
    """A server that sends a byte now and then, each in time, runs into the limit of the whole look-up."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not done.wait(0.02):
                try:
                    connection.sendall(b"+")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    tally = Counters()
    try:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        failing(RedisStore(url, "t", tally, budget=LIMIT), tally, "timeout")
    finally:
        done.set()
        thread.join()
        listener.close()


def test_stranger() -> None:
    """A server that speaks no Redis is a miss."""
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=greet)
    thread.start()
    tally = Counters()
    store = RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", "t", tally)
    assert store.get([A]) == {}
    assert sum(tally.counts().values()) == 1
    thread.join()
    listener.close()
    store.close()


def test_wrong_password(redis_server: Start) -> None:
    """A wrong password, and none where one is wanted, are misses."""
    server = redis_server("--requirepass", "right")
    for url in (server.url.replace("unix://", "unix://:wrong@"), server.url):
        tally = Counters()
        failing(RedisStore(url, "t", tally), tally, "refused")


def test_no_permission(redis_server: Start) -> None:
    """A user that may read and not write still gets hits."""
    server, tally = redis_server(), Counters()
    server.client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+getrange", "+select")
    server.client.set(f"hunkwise:1:t:{A}", b"1")
    store = RedisStore(server.url.replace("unix://", "unix://reader:pw@"), "t", tally)
    store.put({B: b"2"})
    assert store.get([A]) == {A: b"1"}
    assert tally.counts() == {"redis.refused": 1}
    store.close()


def test_replica(redis_server: Start) -> None:
    """A read-only replica still gives hits; writes are counted and not tried again at once."""
    server, tally = redis_server(), Counters()
    server.client.set(f"hunkwise:1:t:{A}", b"1")
    server.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    store = RedisStore(server.url, "t", tally)
    store.put({B: b"2"})
    store.put({B: b"2"})
    assert store.get([A, B]) == {A: b"1"}
    assert tally.counts() == {"redis.paused": 1, "redis.readonly": 1}
    store.close()


def test_full(redis_server: Start) -> None:
    """A server without room for more still gives hits."""
    server, tally = redis_server(), Counters()
    server.client.set(f"hunkwise:1:t:{A}", b"1")
    server.client.config_set("maxmemory", "1")
    store = RedisStore(server.url, "t", tally)
    store.put({B: b"2"})
    assert store.get([A, B]) == {A: b"1"}
    assert tally.counts() == {"redis.full": 1}
    store.close()


def test_flushed(redis_server: Start) -> None:
    """A server that was emptied gives misses, and takes new entries."""
    server, tally = redis_server(), Counters()
    store = RedisStore(server.url, "t", tally)
    store.put({A: b"1"})
    server.client.flushall()
    assert store.get([A]) == {}
    store.put({A: b"1"})
    assert store.get([A]) == {A: b"1"}
    assert tally.counts() == {}
    store.close()


def test_restarted(redis_server: Start) -> None:
    """Connections that were cut are made anew after the pause."""
    server, tally = redis_server(), Counters()
    store = RedisStore(server.url, "t", tally)
    store.put({A: b"1"})
    server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    store.get([A])
    store._reads = Breaker()
    assert store.get([A]) == {A: b"1"}
    store.close()


def test_other_types_and_bombs(redis_server: Start) -> None:
    """A key of another type, or of a hundred megabytes, harms no other key of the look-up."""
    server, tally = redis_server(), Counters()
    server.client.lpush(f"hunkwise:1:t:{A}", "1")
    server.client.setrange(f"hunkwise:1:t:{B}", 100 << 20, b"x")
    server.client.set("hunkwise:1:t:" + "c" * 64, b"3")
    store = RedisStore(server.url, "t", tally, budget=1.0)
    found = store.get([A, B, "c" * 64])
    assert found["c" * 64] == b"3"
    assert found[A] == b"?"
    assert len(found[B]) == (1 << 20) + 1  # one byte more than an entry may have
    store.close()


@pytest.mark.parametrize("url", ["http://me:secret@host/", "secret", "redis://host:port/secret"])
def test_bad_url(url: str) -> None:
    """An address that is none is an error at once, and the message does not repeat it."""
    with pytest.raises(StoreError) as raised:
        RedisStore(url, "t", Counters())
    assert "secret" not in str(raised.value)


def test_breaker() -> None:
    """The pause doubles with each failure up to a minute, and a success makes it short again."""
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    pauses = []
    for _ in range(8):
        breaker.failure()
        began = now[0]
        while not breaker.closed():
            now[0] += 1
        pauses.append(now[0] - began)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    breaker.success()
    breaker.failure()
    now[0] += 1
    assert breaker.closed()
