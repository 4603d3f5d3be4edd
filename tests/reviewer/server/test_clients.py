"""Ollama's own Python client, and what Open WebUI, Continue and LiteLLM ask of what they take for Ollama."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
from modelled import NAME, Loads, modelled

from hunkwise.engine import Generate, Generated, ScriptedEngine, Usage


def speaking(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Generated | None:
        if isinstance(question, Generate):
            return Generated(question.id, "Hi there", "stop", Usage(prefilled=3, reused=4, sampled=2))
        return None

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with modelled(tmp_path, Loads(speaking), "PARAMETER num_ctx 4096\n") as (_, client):
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[ollama.Client]:
    with ollama.Client(host=str(http.base_url)) as made:
        yield made


def test_generate_and_chat(client: ollama.Client) -> None:
    assert client.generate("tiny", "Hello").response == "Hi there"
    pieces = list(client.generate("tiny", "Hello", stream=True))
    assert ("".join(piece.response or "" for piece in pieces), pieces[-1].done_reason) == ("Hi there", "stop")
    messages = [{"role": "user", "content": "Hello"}]
    done = client.chat("tiny", messages, options={"num_ctx": 2048}, keep_alive="10m")
    assert (done.message.role, done.message.content, done.eval_count) == ("assistant", "Hi there", 2)
    assert [piece.message.content for piece in client.chat("tiny", messages, stream=True)] == ["Hi there", ""]


def test_lists(client: ollama.Client) -> None:
    (model,) = client.list().models
    assert model.model == NAME
    client.generate("tiny", "Hello")
    (running,) = client.ps().models
    assert running.context_length
    assert running.expires_at is not None
    shown = client.show("tiny")
    assert shown.modelinfo is not None
    assert shown.modelinfo["general.architecture"] == "llama"
    assert shown.capabilities == ["completion"]


def test_embed(client: ollama.Client) -> None:
    done = client.embed("tiny", ["one", "two"])
    assert len(done.embeddings) == 2
    assert sum(value * value for value in done.embeddings[0]) == pytest.approx(1)
    assert len(client.embeddings("tiny", "one").embedding) == len(done.embeddings[0])
    assert client.embed("tiny", []).embeddings == []


def test_errors(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'none' not found") as failed:
        client.generate("none", "x")
    assert failed.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match='model "none" not found, try pulling it first'):
        client.embed("none", "x")


def test_open_webui(http: httpx.Client) -> None:
    """A page is loaded, the server checked, a chat held with its title, and the model unloaded."""
    models = http.get("/api/tags").json()["models"]
    assert [model["model"] for model in models] == [NAME]
    assert http.get("/api/ps").json() == {"models": []}
    assert tuple(map(int, http.get("/api/version").json()["version"].split(".")))
    body: dict[str, Any] = {
        "model": NAME,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "options": {},
        "keep_alive": None,
        "format": None,
        "think": None,
    }
    assert http.post("/api/chat", json=body).status_code == 200
    title = http.post("/api/chat", json={**body, "stream": False, "options": {"num_predict": 1000}}).json()
    assert title["message"]["content"] == "Hi there"
    unloaded = http.post("/api/generate", json={"model": NAME, "keep_alive": 0, "prompt": ""})
    assert unloaded.json()["done_reason"] == "unload"
    assert http.get("/api/ps").json() == {"models": []}
    chat = {"model": NAME, "messages": body["messages"], "stream": True}
    assert http.post("/v1/chat/completions", json=chat).text.endswith("data: [DONE]\n\n")
    assert [each["id"] for each in http.get("/v1/models").json()["data"]] == [NAME]


def test_continue(http: httpx.Client) -> None:
    """The model is looked at, and asked in a chat and for a completion of code."""
    shown = http.post("/api/show", json={"name": "tiny"}).json()
    assert shown["parameters"].split() == ["num_ctx", "4096"]
    assert ".Suffix" not in shown["template"]
    chat = {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "options": {"num_ctx": 8192, "num_predict": 4096, "stop": [], "num_gpu": None},
        "keep_alive": 1800,
        "stream": True,
    }
    assert http.post("/api/chat", json=chat).status_code == 200
    fill = {"model": "tiny", "prompt": "def f():", "raw": True, "options": {"num_ctx": 8192}, "stream": False}
    assert http.post("/api/generate", json=fill).json()["response"] == "Hi there"


def test_litellm(http: httpx.Client) -> None:
    """The context is found by whatever key names it, and whether there are tools by the template."""
    shown = http.post("/api/show", json={"name": "tiny"}).json()
    assert [value for key, value in shown["model_info"].items() if "context_length" in key] == [32768]
    assert "tools" not in shown["template"]
