"""A web server that misbehaves on request, and the smallest GGUF files there are."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """Answers on 127.0.0.1; each path has a list of answers, of which the last repeats."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._answers: dict[str, list[Answer]] = {}
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.close_connection = True
                answers = web._answers.get(self.path.partition("?")[0], [status(404)])
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.other = f"http://localhost:{self.port}"  # the same server under another host's name
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def on(self, path: str, *answers: Answer) -> str:
        """Answer requests for a path, in order; returns its address."""
        self._answers[path] = list(answers)
        return self.url + path

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of all requests for a path."""
        return [headers for asked, headers in self.requests if asked.partition("?")[0] == path]

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def status(code: int, **headers: str) -> Answer:
    """An empty answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def body(
    data: bytes, *, ranges: bool = True, etag: str = "", cut: int | None = None, length: int | None = None
) -> Answer:
    """A file; `cut` closes the connection after so many bytes of it, `length` lies about its size."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = 0
        asked = handler.headers.get("Range")
        if asked and ranges and handler.headers.get("If-Range", etag) == etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            handler.send_response(200)
        if etag:
            handler.send_header("ETag", etag)
        handler.send_header("Content-Length", str(len(data) - start if length is None else length))
        handler.end_headers()
        handler.wfile.write(data[start : len(data) if cut is None else max(cut, start)])

    return answer


def chunked(data: bytes) -> Answer:
    """A file that does not tell its length."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    return answer


class Answers:
    """What a `Web` can answer."""

    status = staticmethod(status)
    body = staticmethod(body)
    chunked = staticmethod(chunked)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server of this test's own."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    server = Web()
    yield server
    server.close()


@pytest.fixture
def answers() -> type[Answers]:
    """The answers to give it."""
    return Answers


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(context: int = 128, filling: bytes = b"") -> bytes:
    """A GGUF file without tensors."""
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 3)
    header += _text("general.architecture") + struct.pack("<I", 8) + _text("llama")
    header += _text("general.file_type") + struct.pack("<II", 4, 15)
    header += _text("llama.context_length") + struct.pack("<II", 4, context)
    return header + filling


def sha256(data: bytes) -> str:
    """The digest in hex."""
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def tiny_gguf() -> Callable[..., bytes]:
    """Makes GGUF files, different for each `context`."""
    return gguf
