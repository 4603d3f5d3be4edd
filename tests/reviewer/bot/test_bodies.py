"""Strangers who send much, or slowly, keep out no forge: over real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from serving import listening, make_server
from starlette.requests import Request
from starlette.types import Message

from hunkwise.reviewer.bot.hooks import bodies, routes
from hunkwise.reviewer.bot.hooks.bodies import Bodies
from hunkwise.reviewer.bot.receiving import receiver
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.state import Server

FORGED = b"x-hub-signature-256: sha256=" + b"0" * 64
PUSH = {
    "action": "opened",
    "repository": {"full_name": "o/r"},
    "pull_request": {"number": 7, "head": {"sha": "a" * 40}},
}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server of models with room for one request, which takes in deliveries too; 1 MiB of them at once."""
    monkeypatch.setattr(routes, "Bodies", lambda: Bodies(room=1 << 20))
    made = make_server()
    made.settings = replace(made.settings, max_queue=1, max_queue_tokens=1)
    environ = {"HUNKWISE_GITHUB_WEBHOOK_SECRET": "s", "HUNKWISE_QUEUE": str(tmp_path / "q")}
    made.mounted = receiver(environ).routes
    return made


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with ExitStack() as stack:
        yield stack.enter_context(listening(make_app(server)))


def delivered(client: httpx.Client, number: int, size: int = 0) -> int:
    body = json.dumps({**PUSH, "number": number, "more": "x" * size}).encode()
    digest = hmac.new(b"s", body, hashlib.sha256).hexdigest()
    headers = {"x-github-event": "pull_request", "x-hub-signature-256": f"sha256={digest}"}
    return client.post("/hooks/github", content=body, headers=headers).status_code


def begun(client: httpx.Client, sent: bytes) -> socket.socket:
    """A forged delivery of which only the beginning comes."""
    made = socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=30)
    made.sendall(b"POST /hooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n" + FORGED)
    made.sendall(b"\r\n\r\n" + sent)
    return made


def test_senders_who_hold_on_keep_nobody_out(client: httpx.Client) -> None:
    """Neither a forge, nor who asks the model; the one that takes longest is given up."""
    with begun(client, b"x" * 900_000) as first, begun(client, b"x"):
        time.sleep(0.2)  # until they are being read

        assert delivered(client, 1) == 202
        assert client.post("/api/show", json={"model": "scripted"}).status_code != 503
        assert delivered(client, 2, size=900_000) == 202
        assert first.recv(100).startswith(b"HTTP/1.1 408")


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def silent() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    request = Request({"type": "http", "headers": []}, silent)

    with pytest.raises(TimeoutError):
        asyncio.run(Bodies(seconds=0.05).read(request))
    assert bodies.SECONDS <= 10, "which is as long as forges wait"


def test_a_server_that_ends_takes_deliveries_in_to_the_end(client: httpx.Client, server: Server) -> None:
    """No forge sends them again."""
    server.drain()

    assert delivered(client, 1) == 202
    assert client.post("/api/show", json={"model": "scripted"}).status_code == 503
