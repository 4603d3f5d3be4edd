"""What goes wrong around a server: clients that leave, stop or crowd in, a model's process that dies, the end.

The model is one of a few kilobytes, in llama.cpp, in a process of its own, as every model of the server is.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from modelled import NAME, library_in
from serving import Speaker, listening, make_server
from uvicorn.server import ServerState

from hunkwise.engine import Bundle, Generate, IsolatedEngine, Segment, protocol
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.guard.heads import heads_within
from hunkwise.reviewer.server.models import Estimates, PoolModels, open_pool
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

MARK = "hush_zqx"  # in each prompt; no log may have it
LONG = {"model": "tiny", "prompt": MARK, "raw": True, "options": {"num_predict": 3000, "temperature": 0}}
SHORT = {**LONG, "stream": False, "options": {"num_predict": 3, "temperature": 0}}


class Served:
    """A server in this process over models in others."""

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self.server, self.client = server, client
        assert client.post("/api/generate", json=SHORT).status_code == 200

    @property
    def engine(self) -> IsolatedEngine:
        with self.server.models.lease(NAME) as lease:
            assert isinstance(lease.engine, IsolatedEngine)
            return lease.engine

    def kill(self) -> None:
        child = self.engine._child
        assert child
        os.kill(child._process.pid, signal.SIGKILL)

    def settle(self) -> None:
        """Wait until nobody is inside, and no cell of the model is in use."""
        while self.server.lives or not self.engine.idle:
            threading.Event().wait(0.02)

    def connect(self, path: str, body: bytes, length: int | None = None) -> socket.socket:
        """Send a request by hand."""
        raw = socket.create_connection((self.client.base_url.host, self.client.base_url.port or 0))
        size = len(body) if length is None else length
        raw.sendall(
            b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (path.encode(), size)
        )
        raw.sendall(body)
        return raw


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = Environment(os.environ, Path.cwd(), lambda sentence: None)
    settings = Settings(model="tiny", num_parallel=4, send_timeout=1.0)
    library = library_in(tmp_path_factory.mktemp("models"))
    models = PoolModels(library, open_pool(Estimates(settings), environment), window=4096)
    try:
        server = Server(settings, models, environment)
        with listening(make_app(server)) as client:
            client.timeout = httpx.Timeout(60)
            yield Served(server, client)
    finally:
        models.close()


def test_who_vanishes_leaves_no_cell_in_use(served: Served) -> None:
    """Clients that go in the middle of a stream, of a wait, of their own body, or read nothing; on each API."""
    whole = json.dumps({**LONG, "stream": False}).encode()
    chat = {"model": "tiny", "messages": [{"role": "user", "content": MARK}], "stream": True}
    bundle = Bundle((), (Generate("g", (Segment(MARK),), 3000),))
    requests = [
        ("/api/generate", json.dumps(LONG).encode()),
        ("/api/generate", whole),
        ("/v1/chat/completions", json.dumps(chat).encode()),
        (protocol.PATH, json.dumps(protocol.write_bundle(bundle, "tiny")).encode()),
    ]
    opened = [served.connect(path, body) for path, body in requests]
    for raw, (path, body) in zip(opened, requests, strict=True):
        if body is not whole:  # which has nothing to say before its end
            assert raw.recv(12).startswith(b"HTTP/1.1 200"), path
    opened.append(served.connect("/api/generate", whole[:20], len(whole)))
    for raw in opened:
        raw.close()
    served.settle()
    assert served.client.post("/api/generate", json=SHORT).status_code == 200


def test_half_a_body_is_given_up(served: Served) -> None:
    """Who stops in the middle of a body is told so, and let go."""
    with served.connect("/api/generate", b'{"model": ', 100) as raw:
        raw.settimeout(20)
        assert raw.recv(12).startswith(b"HTTP/1.1 408")
    served.settle()


def test_a_deadline_ends_the_work(served: Served) -> None:
    """A bundle's own time limit ends it in the model's process too."""
    bundle = Bundle((), (Generate("g", (Segment(MARK),), 4000),), deadline=0.2)
    told = served.client.post(protocol.PATH, json=protocol.write_bundle(bundle, "tiny")).text
    assert "DeadlineExceeded" in told.splitlines()[-1]
    served.settle()


def test_a_model_that_is_killed_fails_what_it_had_begun(served: Served) -> None:
    """A stream of which a part was told ends with a sentence; what was told to nobody is asked again."""
    with served.client.stream("POST", "/api/generate", json=LONG) as stream:
        lines = stream.iter_lines()
        assert json.loads(next(lines))["response"]
        served.kill()
        assert "died in the middle of a text; ask again" in list(lines)[-1]
    served.kill()  # nobody asks it anything
    texts = [{"model": "tiny", "input": [MARK, str(number)]} for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda body: served.client.post("/api/embed", json=body), texts))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert served.client.post("/api/generate", json=SHORT).status_code == 200
    served.settle()


def crowd(url: httpx.URL, speaker: Speaker, count: int, inside: int) -> list[httpx.Response]:
    """Send so many bundles at once; once as many as that are inside and the rest are answered, let those be."""
    body = protocol.write_bundle(Bundle((), (Generate("g", (Segment("?"),), 9),)), "scripted")

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as client:
            asked = [asyncio.ensure_future(client.post(protocol.PATH, json=body)) for _ in range(count)]
            for each in islice(asyncio.as_completed(asked), count - inside):
                await each
            for _ in range(inside):
                assert await asyncio.to_thread(speaker.asked.acquire, timeout=60)
            assert (await client.get("/healthz")).status_code == 200
            speaker.finish()
            return await asyncio.gather(*asked)

    return asyncio.run(run())


def test_a_crowd_is_answered_or_sent_away() -> None:
    """A hundred and twenty requests against a queue of 64: 200, or 503 that says when to come back."""
    speaker = Speaker("x")
    server = make_server(speaker, model="scripted", max_queue=64)
    with listening(make_app(server)) as client:
        answers = crowd(client.base_url, speaker, 120, 64)
        assert client.get("/readyz").status_code == 200
    assert sum(answer.status_code == 200 for answer in answers) == 64
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 503)
    assert {answer.status_code for answer in answers} == {200, 503}
    assert not server.lives


def test_many_idle_streams_hold_up_nobody() -> None:
    """200 streams that say nothing: others are answered, and all of them end well."""
    speaker = Speaker("x")
    with listening(make_app(make_server(speaker, model="scripted"))) as client:
        answers = crowd(client.base_url, speaker, 200, 200)
    assert [answer.status_code for answer in answers] == [200] * 200


def test_a_head_comes_in_time() -> None:
    """Who connects and says nothing, or a part of a head, is let go; who waits for an answer is not."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def run() -> list[list[bytes]]:
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", timeout_keep_alive=60)
        protocol_of = heads_within(0.1)
        loop = asyncio.get_running_loop()
        state = ServerState()
        server = await loop.create_server(lambda: protocol_of(config, state, {}), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def say(*words: bytes) -> list[bytes]:
            """Say something, hear what is said to it, and so on to the end."""
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            heard = []
            for each in words:
                writer.write(each)
                try:
                    heard.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20))
                except (ConnectionResetError, asyncio.IncompleteReadError):
                    heard.append(b"")
            writer.close()
            return [each[:12] for each in heard]

        head = b"GET / HTTP/1.1\r\nHost: x\r\n"
        cases = ((b"",), (head,), (head + b"\r\n", head), (head + b"\r\n", head + b"\r\n"))
        heard = await asyncio.gather(*(say(*words) for words in cases))
        server.close()
        return heard

    answer = b"HTTP/1.1 204"
    assert asyncio.run(run()) == [[b""], [b""], [answer, b""], [answer, answer]]


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run `hunkwise serve` itself; its error stream goes to a file."""
    library_in(folder)
    script = "import sys; from hunkwise.reviewer.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "serve", "--port", "0", "--model", "tiny", *arguments]
    environ = {**os.environ, "HUNKWISE_MODELS": str(folder / "models"), "HUNKWISE_CONTEXT_LENGTH": "4096"}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr
            url = running.stderr.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                yield running, client
        finally:
            running.kill()


def test_an_ending_server_answers_what_it_took_in(tmp_path: Path) -> None:
    """SIGTERM under load: streams end whole, new work is refused, the exit code is 0, the log tells nothing."""
    with (
        process(tmp_path, "--preload", "--grace", "50") as (running, client),
        ThreadPoolExecutor(6) as threads,
    ):
        while client.get("/readyz").status_code != 200:
            threading.Event().wait(0.05)
        inside = threading.Barrier(7)

        def ask() -> str:
            with client.stream(
                "POST", "/api/generate", json={**LONG, "options": {"num_predict": 150}}
            ) as stream:
                lines = stream.iter_lines()
                first = next(lines)
                inside.wait(60)
                return [first, *lines][-1]

        asked = [threads.submit(ask) for _ in range(6)]
        inside.wait(60)
        running.send_signal(signal.SIGTERM)
        statuses = set()
        while 503 not in statuses:
            try:
                statuses.add(client.post("/api/generate", json=SHORT).status_code)
            except httpx.TransportError:
                statuses.add(503)  # nobody listens any more
        assert [json.loads(each.result(60))["done_reason"] for each in asked] == ["length"] * 6
        assert running.wait(60) == 0
        assert running.stderr
        log = running.stderr.read()
        assert MARK not in log
        assert "Traceback" not in log
