"""The configuration of nginx, run by a real nginx in front of two small servers."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="no nginx here (Debian: nginx-light): its configuration was NOT run"
)


@dataclass
class Backend:
    """A server that says its name, and says 503 or waits in mid-stream when told to."""

    name: str
    full: bool = False
    gone: bool = False
    go_on: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if outer.gone:  # what was kept open ends too
                    self.close_connection = True
                    return
                if outer.full:
                    self.send_response(503)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.piece(outer.name.encode())
                if self.path == "/stream":
                    outer.go_on.wait(60)
                self.piece(b"end")
                self.wfile.write(b"0\r\n\r\n")

            def piece(self, data: bytes) -> None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def close(self) -> None:
        """Stop listening, and answer nobody any more."""
        self.gone = True
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Site:
    """nginx and what is behind it."""

    port: int
    backends: dict[str, Backend]

    def post(self, path: str, **headers: str) -> tuple[int, str]:
        """Ask it something."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("POST", path, b"{}", headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(root: Path, folder: Path) -> Iterator[Site]:
    """Run the shipped configuration, with other ports and folders."""
    backends = {name: Backend(name) for name in ("first", "second")}
    port = free_port()
    text = (root / "deploy" / "nginx.conf").read_text().replace("/tmp/hunkwise-nginx", f"{folder}/nginx")
    replaced = {"11435 max": backends["first"].port, "11436 max": backends["second"].port}
    for before, after in replaced.items():
        assert f"127.0.0.1:{before}" in text
        text = text.replace(f"127.0.0.1:{before}", f"127.0.0.1:{after} max")
    (folder / "nginx.conf").write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with ExitStack() as stack:
        for backend in backends.values():
            stack.callback(backend.close)
        process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        assert process.poll() is None, process.communicate()[1]
        yield Site(port, backends)


@pytest.fixture
def site(root: Path, tmp_path: Path) -> Iterator[Site]:
    with running(root, tmp_path) as site:
        yield site


def test_the_same_caller_stays(site: Site) -> None:
    """One review goes to one server, many reviews to both; a token counts where no review is named."""
    assert len({site.post("/", **{"X-Hunkwise-Affinity": "repository#1"}) for _ in range(10)}) == 1
    assert len({site.post("/", **{"X-Hunkwise-Affinity": f"repository#{n}"}) for n in range(40)}) == 2
    assert len({site.post("/", Authorization="Bearer a") for _ in range(10)}) == 1
    assert len({site.post("/", Authorization=f"Bearer {n}") for n in range(40)}) == 2


def test_gone(site: Site) -> None:
    """A server that is gone costs nobody a request; where all are gone the caller is told to come again."""
    site.backends["first"].close()
    names = [f"repository#{n}" for n in range(20)]
    assert {site.post("/", **{"X-Hunkwise-Affinity": name}) for name in names} == {(200, "secondend")}
    site.backends["second"].close()
    status, text = site.post("/")
    assert status == 503
    assert "try again" in json.loads(text)["error"]


def test_full(site: Site) -> None:
    """A server that says 503 costs nobody a request; where both are full the caller is told so."""
    names = [f"repository#{n}" for n in range(20)]
    site.backends["first"].full = True
    assert {site.post("/", **{"X-Hunkwise-Affinity": name}) for name in names} == {(200, "secondend")}
    site.backends["second"].full = True
    assert site.post("/", **{"X-Hunkwise-Affinity": "any"})[0] == 503


def test_streams_are_not_held_back(site: Site) -> None:
    """The first piece arrives while the server still writes."""
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
        connection.request("POST", "/stream", b"{}")
        answer = connection.getresponse()
        first = answer.read1()
        assert first.decode() in site.backends
        site.backends[first.decode()].go_on.set()
        assert answer.read() == b"end"


def test_metrics_stay_inside(site: Site) -> None:
    """Metrics are each server's own, and nobody's outside."""
    assert site.post("/metrics")[0] == 403
