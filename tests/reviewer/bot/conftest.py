from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botredis import RedisServer

from hunkwise.reviewer.bot.queue.port import LEASE, Queue
from hunkwise.reviewer.bot.queue.redis import RedisQueue
from hunkwise.reviewer.bot.queue.sqlite import SqliteQueue

OpenQueue = Callable[..., Queue]
_PREFIXES = itertools.count()


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
