"""What the fake forges share: a loopback HTTP server in front of a `handle` function, and its diff."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Forge(Protocol):
    url: str
    requests: list[Request]

    def handle(self, request: Request) -> Answer: ...


Fault = Callable[[Request, int], Answer | None]


@contextmanager
def serving(
    forge: Forge,
    tls: ssl.SSLContext | None = None,
    taken: Callable[[BaseHTTPRequestHandler], bool] = lambda handler: False,
) -> Iterator[str]:
    """Serve a fake forge on a free port of this machine, but for what is `taken`; yields its address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for an answer; two would wait 40 ms for each other
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if taken(self):
                return
            size = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(size)
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(raw) if raw else None,
            )
            with lock:
                forge.requests.append(request)
                answer = forge.handle(request)
            self.reply(answer)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def reply(self, answer: Answer) -> None:
            text = isinstance(answer.body, str)
            data = answer.body.encode() if text else json.dumps(answer.body).encode()
            data = b"" if answer.status == 204 else data
            self.send_response(answer.status)
            headers = {"Content-Type": "text/plain" if text else "application/json", **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Clients of these tests may die at any time."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    forge.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield forge.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Numbered:
    """A line of a hunk with its numbers, counted by hand: the fakes must not trust the code under test."""

    hunk: int
    mark: str
    old: int
    new: int


def numbered(patch: str) -> dict[str, list[Numbered]]:
    """Lines of each file of a git patch, by new path (by old path where the file was deleted)."""
    files: dict[str, list[Numbered]] = {}
    path, hunk, old, new = "", 0, 0, 0
    in_hunk = False
    for line in patch.splitlines():
        if line.startswith("diff --git "):
            path, in_hunk = line.rpartition(" b/")[2], False
            files[path] = []
        elif found := HUNK.match(line):
            hunk, old, new, in_hunk = hunk + 1, int(found[1]), int(found[3]), True
        elif in_hunk and (line[:1] or " ") in (" ", "+", "-"):
            mark = line[:1] or " "
            files[path].append(Numbered(hunk, mark, old, new))
            old += mark != "+"
            new += mark != "-"
    return files


def page(
    items: list[Any], request: Request, url: str, largest: int = 100
) -> tuple[list[Any], dict[str, str]]:
    """One page of a list, and its Link header."""
    size = min(int(request.query.get("per_page", 30)), largest)
    number = int(request.query.get("page", 1))
    shown = items[(number - 1) * size : number * size]
    if number * size >= len(items):
        return shown, {}
    others = "".join(
        f"&{key}={value}" for key, value in request.query.items() if key not in ("page", "per_page")
    )
    following = f"{url}{request.path}?page={number + 1}&per_page={size}{others}"
    return shown, {"Link": f'<{following}>; rel="next"'}
