"""A server that speaks as much of Qdrant's HTTP API as our client uses; its answers are those of the local mode.

No package index carries Qdrant's server. So each body is held to Qdrant's own models, which refuse what they don't
know, and refusals are in the words and codes of its server.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models

TOKEN = "the-token-of-the-test"


class _Route(NamedTuple):
    """A route: its body's model, the parameters that its address may have, and what answers it."""

    body: Any
    query: frozenset[str]
    answer: Callable[[QdrantClient, str, Any], Any]


def _exists(client: QdrantClient, name: str, _: None) -> dict[str, bool]:
    return {"exists": client.collection_exists(name)}


def _create(client: QdrantClient, name: str, body: models.CreateCollection) -> Any:
    if client.collection_exists(name):
        raise _Refused(409, f"Wrong input: Collection `{name}` already exists!")
    assert body.vectors is not None
    return client.create_collection(name, vectors_config=body.vectors)


def _put(client: QdrantClient, name: str, body: models.PointsList) -> Any:
    return client.upsert(name, body.points)


def _retrieve(client: QdrantClient, name: str, body: models.PointRequest) -> Any:
    return client.retrieve(name, body.ids, body.with_payload or False, body.with_vector or False)


def _query(client: QdrantClient, name: str, body: models.QueryRequest) -> Any:
    return client.query_points(name, query=body.query, limit=body.limit or 10, with_payload=False)


_ROUTES = {
    "GET /exists": _Route(type(None), frozenset(), _exists),
    "PUT ": _Route(models.CreateCollection, frozenset({"timeout"}), _create),
    "PUT /points": _Route(models.PointsList, frozenset({"wait", "ordering", "timeout"}), _put),
    "POST /points": _Route(models.PointRequest, frozenset({"consistency", "timeout"}), _retrieve),
    "POST /points/query": _Route(models.QueryRequest, frozenset({"consistency", "timeout"}), _query),
}


class _Refused(Exception):
    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason


class QdrantServer(HTTPServer):
    """What was asked, and what goes wrong next: a status, a text that is the body, or seconds to wait."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.client = QdrantClient(":memory:")
        self.asked: list[str] = []
        self.faults: dict[str, int | float | str] = {}  # by route, as in _ROUTES; each happens once

    def handle_error(self, *_: object) -> None:
        """Say nothing where the client hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: QdrantServer

    def _any(self) -> None:
        path, _, query = self.path.partition("?")
        found = re.fullmatch(r"/collections/([\w-]+)((?:/\w+)*)", path)
        name, rest = found.groups() if found else ("", "?")
        self.server.asked.append(what := f"{self.command} {rest}")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        match self.server.faults.pop(what, None):
            case int(status):
                self._send(status, {"status": {"error": "Service internal error: a fault"}, "time": 0.0})
            case float(seconds):
                time.sleep(seconds)
            case str(text):
                self._send(200, text)
            case _ if self.headers.get("api-key") != TOKEN:
                self._send(401, "Must provide an API key or an Authorization bearer token")
            case _:
                try:
                    result = _answer(self.server.client, what, name, dict(parse_qsl(query)), body)
                    self._send(200, {"result": result, "status": "ok", "time": 0.001})
                except _Refused as error:
                    self._send(error.code, {"status": {"error": error.reason}, "time": 0.0})

    do_GET = do_PUT = do_POST = _any  # noqa: N815 - names of http.server

    def _send(self, status: int, value: object) -> None:
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _answer(client: QdrantClient, what: str, name: str, query: dict[str, str], body: bytes) -> Any:
    route = _ROUTES.get(what)
    if route is None or not query.keys() <= route.query:
        raise _Refused(404, f"no such route: {what} {query}")
    try:
        value = TypeAdapter(route.body).validate_python(json.loads(body or "null"))
    except ValidationError as error:
        raise _Refused(400, f"Format error in JSON body: {error}") from None
    if what not in ("GET /exists", "PUT ") and not client.collection_exists(name):
        raise _Refused(404, f"Not found: Collection `{name}` doesn't exist!")
    try:
        return TypeAdapter(Any).dump_python(route.answer(client, name, value), mode="json")
    except (ValueError, AssertionError) as error:
        raise _Refused(400, f"Wrong input: {error}") from None


@contextmanager
def qdrant_server() -> Iterator[QdrantServer]:
    """Serve on a free port of loopback."""
    with QdrantServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.client.close()
