"""Servers that a benchmark starts, asks, and ends."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Find a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Peer:
    """A server that is asked."""

    client: httpx.Client
    url: str
    model: str
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU time that it and its children took."""
        total, parents = 0.0, {self.pid}
        for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
            try:
                fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            number = int(stat.parent.name)
            if number in parents or int(fields[1]) in parents:
                parents.add(number)
                total += (int(fields[11]) + int(fields[12])) / TICKS
        return total


@contextmanager
def server(name: str, command: list[object], ready: str, model: str, **environment: str) -> Iterator[Peer]:
    """Run a server as long as it is needed; one that ends says its last words here."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        started = subprocess.Popen(
            [str(part).replace("PORT", str(port)) for part in command],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        client = httpx.Client(base_url=url, timeout=900, trust_env=False)  # no proxy stands before loopback
        try:
            until = time.monotonic() + 300
            while True:
                if started.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise SystemExit(f"{name} does not start ({started.poll()}):\n{log.read()[-2000:]}")
                try:
                    if client.get(ready, timeout=5).is_success:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.2)
            yield Peer(client, url, model, started.pid)
        finally:
            client.close()
            started.terminate()
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
