"""Models that are made, copied, pulled and taken away over HTTP, by Ollama's own client."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
from modelled import NAME, Loads, modelled

from hunkwise.engine import ModelSpec
from hunkwise.engine.errors import DownloadFailed
from hunkwise.reviewer.server.state import Server

Served = tuple[Server, httpx.Client]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with modelled(tmp_path, Loads(), extra={"template": None}) as pair:
        yield pair


@pytest.fixture
def client(served: Served) -> Iterator[ollama.Client]:
    with ollama.Client(host=str(served[1].base_url)) as made:
        yield made


def test_a_model_is_made_of_another(client: ollama.Client) -> None:
    done = client.create(
        "mine",
        from_="tiny",
        system="Be brief.",
        template="{{ .Prompt }}!",
        parameters={"temperature": 0.25, "stop": ["a", "b"]},
        messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
        license="MIT",
    )
    assert done.status == "success"
    shown = client.show("mine")
    assert (shown.template, shown.license) == ("{{ .Prompt }}!", "MIT")
    assert shown.parameters is not None
    assert shown.parameters.split() == ["stop", '"a"', "stop", '"b"', "temperature", "0.25"]
    assert {each.model for each in client.list().models} == {NAME, "mine:latest"}


def test_a_model_is_made_of_a_file(client: ollama.Client, served: Served, tmp_path: Path) -> None:
    weights = tmp_path / "tiny.gguf"
    data = weights.read_bytes() + b"\\0" * 64
    weights.write_bytes(data)
    digest = client.create_blob(weights)
    assert digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    http = served[1]
    assert http.head(f"/api/blobs/{digest}").status_code == 200
    assert http.head(f"/api/blobs/sha256:{'0' * 64}").status_code == 404
    statuses = [line.status for line in client.create("filed", files={"tiny.gguf": digest}, stream=True)]
    assert statuses == ["parsing modelfile", "writing manifest", "success"]
    assert client.show("filed").capabilities == ["completion"]


def test_a_blob_that_is_not_what_it_says_is_not_kept(served: Served) -> None:
    http = served[1]
    wrong = http.post(f"/api/blobs/sha256:{'0' * 64}", content=b"abc")
    assert wrong.status_code == 400
    assert wrong.json()["error"].startswith("digest mismatch")
    assert http.head(f"/api/blobs/sha256:{'0' * 64}").status_code == 404
    assert not list(served[0].models.library.store.root.glob("blobs/.blob-*"))


def test_copied_and_deleted(client: ollama.Client, served: Served) -> None:
    client.copy("tiny", "other:v1")
    client.generate("other:v1", "Hello")
    client.delete("other:v1")
    assert [each.model for each in client.list().models] == [NAME]
    assert served[0].models.loaded() == ()
    with pytest.raises(ollama.ResponseError, match="model 'other:v1' not found"):
        client.delete("other:v1")


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("create", {"model": "x"}, 400, "neither 'from' or 'files' was specified"),
        ("create", {"model": "x", "from": "/etc/passwd"}, 400, "'/etc/passwd'"),
        ("create", {"model": "x", "from": "./tiny.gguf"}, 400, "'./tiny.gguf'"),
        ("create", {"model": "x", "from": "tiny.gguf:x.gguf"}, 400, "tiny.gguf:x.gguf names a file"),
        ("create", {"model": "../x", "from": "tiny"}, 400, "'../x'"),
        (
            "create",
            {"model": "x", "files": {"a": "sha256:../../etc"}},
            400,
            "'sha256:../../etc' is no digest",
        ),
        ("create", {"model": "x", "files": {"a": f"sha256:{'0' * 64}"}}, 400, "the blob sha256:000"),
        (
            "create",
            {"model": "x", "from": "tiny", "parameters": {"colour": 1}},
            400,
            "parameters.colour: unknown",
        ),
        (
            "create",
            {"model": "x", "from": "tiny", "quantize": "q4_0"},
            400,
            "quantize is not supported; pull a tag that is quantized, or make",
        ),
        ("push", {"model": "tiny"}, 400, "push is not supported; pull the model on the other machine, or"),
        (
            "create",
            {"model": "qwen2.5-coder:1.5b", "from": "tiny", "stream": False},
            400,
            "registry.ollama.ai",
        ),
        (
            "create",
            {"model": "registry.ollama.ai/library/qwen2.5-coder:1.5b", "from": "tiny"},
            400,
            "registry",
        ),
        ("copy", {"source": "none", "destination": "x"}, 404, "model 'none' not found"),
        ("pull", {"model": "./x"}, 400, "'./x'"),
        ("blobs/sha256:abc", {}, 400, "'sha256:abc' is no digest"),
    ],
)
def test_what_is_refused(served: Served, path: str, body: Any, status: int, error: str) -> None:
    response = served[1].post(f"/api/{path}", json={"stream": False, **body})
    assert response.status_code == status, response.text
    assert response.json()["error"].startswith(error)


class Source:
    """A library's pull that goes on when it is told to."""

    def __init__(self) -> None:
        self.started, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.pulls = 0

    def pull(self, name: str, progress: Any) -> ModelSpec:
        self.pulls += 1
        self.started.set()
        try:
            while not self.go.wait(0.01):
                progress(f"pulling {name}", 5, 10)
            if "broken" in name:
                raise DownloadFailed("the source broke off")
        finally:
            self.ended.set()
        return ModelSpec(name, "0" * 64, ())


@pytest.fixture
def source(served: Served, monkeypatch: pytest.MonkeyPatch) -> Source:
    made = Source()
    monkeypatch.setattr(served[0].models.library, "pull", made.pull)
    return made


def test_two_clients_share_a_download(served: Served, source: Source) -> None:
    http = served[1]
    with http.stream("POST", "/api/pull", json={"model": "big"}) as one:
        first = one.iter_lines()
        assert next(first) == '{"status":"pulling manifest"}'
        assert '"total":10,"completed":5' in next(first)
        with http.stream("POST", "/api/pull", json={"name": "big:latest"}) as two:
            second = two.iter_lines()
            assert next(second) == '{"status":"pulling manifest"}'
            source.go.set()
            assert list(second)[-1] == '{"status":"success"}'
        assert list(first)[-1] == '{"status":"success"}'
    assert source.pulls == 1


def test_a_download_stops_when_the_last_client_leaves(served: Served, source: Source) -> None:
    with served[1].stream("POST", "/api/pull", json={"model": "big"}) as response:
        next(response.iter_lines())
        assert source.started.wait(20)
    assert source.ended.wait(20)
    assert not source.go.is_set()


def test_a_download_that_fails_says_so(served: Served, source: Source) -> None:
    source.go.set()
    whole = served[1].post("/api/pull", json={"model": "broken", "stream": False})
    assert (whole.status_code, whole.json()["error"]) == (502, "the source broke off")
    streamed = served[1].post("/api/pull", json={"model": "broken"})
    assert streamed.text.splitlines()[-1] == '{"error":"the source broke off"}'
