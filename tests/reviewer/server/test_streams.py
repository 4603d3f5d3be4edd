"""Answers, streams, and what becomes of the bundle of a client that is gone, too slow or out of time."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from serving import FakeModels, Speaker, listening, make_server
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hunkwise.engine import Bundle, Generate, Segment
from hunkwise.engine.errors import NativeFailure, PromptTooLong
from hunkwise.reviewer.server import asgi, streams
from hunkwise.reviewer.server.guard.bodies import json_object
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import Piece, awaited, ndjson, sse, submitted, told

BUNDLE = Bundle((Segment("def"),), (Generate("q", (Segment("go"),), 16),))


def app(server: Server) -> Any:
    """Add three routes that use the bridge as the APIs do."""

    async def items() -> AsyncGenerator[object, None]:
        async with server.lease("scripted") as lease:
            async for piece in told(lease, BUNDLE):
                yield {"text": piece.text} if isinstance(piece, Piece) else {"done": piece[0].id}

    async def lines(request: Request) -> Response:
        await request.body()
        return ndjson(items(), {"x-warning": "none"})

    async def events(request: Request) -> Response:
        await request.body()
        return sse(items())

    async def whole(request: Request) -> Response:
        body = await json_object(request)
        async with server.lease(str(body.get("model"))) as lease:
            (answer,) = await awaited(submitted(lease.engine, BUNDLE))
        return JSONResponse({"id": answer.id})

    async def broken(request: Request) -> Response:
        said = (await request.body()).decode()

        async def faulty() -> AsyncGenerator[object, None]:
            yield {"text": "one"}
            raise ValueError(said)

        if "stream" in said:
            return ndjson(faulty())
        raise ValueError(said)

    made = asgi.make_app(server)
    made.router.routes += [
        Route("/api/lines", lines, methods=["POST"]),
        Route("/v1/events", events, methods=["POST"]),
        Route("/api/whole", whole, methods=["POST"]),
        Route("/api/broken", broken, methods=["POST"]),
    ]
    return made


@contextmanager
def spoken(engine: Speaker, **settings: Any) -> Iterator[tuple[Server, httpx.Client]]:
    server = make_server(engine, **settings)
    with listening(app(server)) as client:
        yield server, client


def users(server: Server) -> int:
    assert isinstance(server.models, FakeModels)
    return server.models.users


def test_text_comes_as_it_is_said() -> None:
    engine = Speaker("one")
    with spoken(engine) as (server, client), client.stream("POST", "/api/lines") as response:
        heard = response.iter_lines()
        assert next(heard) == '{"text":"one"}'
        assert response.headers["content-type"] == "application/x-ndjson"
        assert response.headers["x-warning"] == "none"
        engine.say(" två")
        assert next(heard) == '{"text":" två"}'
        assert users(server) == 1
        engine.finish()
        assert list(heard) == ['{"done":"q"}']
    assert users(server) == 0


def test_events() -> None:
    engine = Speaker("one")
    with spoken(engine) as (_, client), client.stream("POST", "/v1/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        engine.finish()
        assert response.read().decode() == 'data: {"text":"one"}\n\ndata: {"done":"q"}\n\n'


def test_a_silent_stream_of_events_shows_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    engine = Speaker("one")
    with spoken(engine) as (_, client), client.stream("POST", "/v1/events") as response:
        heard = response.iter_lines()
        assert [next(heard) for _ in range(4)] == ['data: {"text":"one"}', "", ": ping", ""]


def test_an_error_before_the_first_piece_has_its_status() -> None:
    class Refusing(Speaker):
        def submit(self, bundle: Bundle, on_text: Any = None) -> Any:
            raise PromptTooLong("q", 5000, 4096)

    with spoken(Refusing()) as (server, client):
        response = client.post("/api/lines")
        assert response.status_code == 400
        assert "5000 tokens" in response.json()["error"]
        assert client.post("/v1/events").json()["error"]["code"] == "context_length_exceeded"
    assert users(server) == 0


@pytest.mark.parametrize("path", ["/api/lines", "/v1/events"])
def test_an_error_after_the_first_piece_is_the_last_object(path: str) -> None:
    engine = Speaker("one")
    with spoken(engine) as (_, client), client.stream("POST", path) as response:
        assert response.status_code == 200
        engine.fail(NativeFailure("the child died"))
        last = response.read().decode().rstrip().splitlines()[-1].removeprefix("data: ")
    told = json.loads(last)["error"]
    assert (told if path == "/api/lines" else told["message"]) == "the child died"


@pytest.mark.parametrize("path", ["/api/lines", "/v1/events", "/api/whole"])
def test_a_client_that_goes_takes_its_bundle_back(path: str) -> None:
    engine = Speaker("one" if path != "/api/whole" else "")
    with spoken(engine) as (server, client):
        with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
            body = b'{"model":"scripted"}'
            raw.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\n" % path.encode())
            raw.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            assert engine.asked.acquire(timeout=20)
        assert engine.cancelled.acquire(timeout=20)
    assert users(server) == 0
    assert len(server.lives) == 0


@pytest.mark.parametrize("path", ["/api/lines", "/api/whole"])
def test_time_is_up(path: str) -> None:
    engine = Speaker("one" if path != "/api/whole" else "")
    with spoken(engine, request_timeout=0.3) as (_, client):
        response = client.post(path, json={"model": "scripted"})
        assert engine.cancelled.acquire(timeout=20)
        assert response.status_code == (200 if path == "/api/lines" else 504)
        assert json.loads(response.text.splitlines()[-1]) == {"error": "the request took longer than 0.3 s"}
    deadline = engine.bundles[0].deadline
    assert deadline is not None
    assert deadline <= 0.3


def test_who_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_PIECES", 3)
    engine = Speaker("one")
    with spoken(engine) as (_, client), client.stream("POST", "/api/lines") as response:
        for _ in range(2000):
            engine.say("x" * 5000)
        assert engine.cancelled.acquire(timeout=20)
        assert "too slow" in response.read().decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "missing request body"),
        (b" ", "missing request body"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "\\uD83D\\uDE00", "b": ' + b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_bodies_that_are_refused(body: bytes, said: str) -> None:
    with spoken(Speaker()) as (_, client):
        response = client.post("/api/whole", content=body)
    assert response.status_code == 400
    assert said in response.json()["error"]


@pytest.mark.parametrize("body", ["hush_zqx", "hush_zqx in a stream"])
def test_a_fault_is_logged_without_its_words(body: str, caplog: pytest.LogCaptureFixture) -> None:
    """They may quote a request; kind, place and the request's id are enough to find it."""
    with spoken(Speaker()) as (_, client):
        response = client.post("/api/broken", content=body)
    assert "its log says where" in json.loads(response.text.splitlines()[-1])["error"]
    (fault,) = [json.loads(each.message) for each in caplog.records if '"fault"' in each.getMessage()]
    assert (fault["fault"], fault["id"]) == ("ValueError", response.headers["x-request-id"])
    assert fault["at"][-1].startswith("test_streams.py:")
    assert "hush_zqx" not in caplog.text


def test_an_unknown_model() -> None:
    with spoken(Speaker()) as (_, client):
        response = client.post("/api/whole", json={"model": "other"})
    assert response.status_code == 404
    assert response.json() == {"error": "model 'other' not found"}
