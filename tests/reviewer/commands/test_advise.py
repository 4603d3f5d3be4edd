"""`hunkwise model advise`, against a hub on this machine."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hunkwise.reviewer.cli import hunkwise, run

SIZES = {"tiny-Q4_K_M.gguf": 4 << 20, "tiny-Q8_0.gguf": 8 << 20, "tiny-F32.gguf": 1 << 60}


class Hub(http.server.BaseHTTPRequestHandler):
    """One repository of three quantizations, the last too large for any machine."""

    def do_GET(self) -> None:
        tree = [
            {"type": "file", "path": path, "size": size, "lfs": {"oid": "a" * 64, "size": size}}
            for path, size in SIZES.items()
        ]
        refs = {"branches": [{"name": "main", "targetCommit": "c0ffee"}]}
        body = json.dumps(refs if self.path.endswith("/refs") else tree).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield
        server.shutdown()


def test_the_advice_ends_with_the_command_to_type(hub: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Each quantization has a line, and the last line pulls the one that was chosen."""
    assert run(hunkwise, ["model", "advise", "hf.co/who/Tiny-GGUF"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] in {
        f"run: hunkwise model pull hf.co/who/Tiny-GGUF:{quant}" for quant in ("Q4_K_M", "Q8_0")
    }
    assert "does not fit" in next(line for line in lines if "F32" in line)
    assert sum(line.startswith("*") for line in lines) == 1


def test_json(hub: None, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the same as one object."""
    assert run(hunkwise, ["model", "advise", "hf.co/who/Tiny-GGUF", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["quantization"] for row in found["quantizations"]} == {"F32", "Q8_0", "Q4_K_M"}


def test_a_name_that_nobody_lists(hub: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says what kind of name there is a list for."""
    assert run(hunkwise, ["model", "advise", "nothing:1b"]) == 2
    assert "hf.co/user/repository" in capsys.readouterr().err
