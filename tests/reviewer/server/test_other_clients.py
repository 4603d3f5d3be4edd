"""Clients that are not Python, or that bring much along: Ollama's for JavaScript, LangChain's, LiteLLM."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from modelled import NAME, Loads, modelled

from hunkwise.engine import Generate, Generated, ScriptedEngine, Usage

SCRIPT = Path(__file__).with_name("client.mjs")


def speaking(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Generated | None:
        if isinstance(question, Generate):
            return Generated(question.id, "Hi there", "stop", Usage(prefilled=3, reused=4, sampled=2))
        return None

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with modelled(tmp_path, Loads(speaking), extra={"template": None}) as (_, client):
        yield str(client.base_url).rstrip("/")


@pytest.mark.network
def test_javascript(address: str, tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed: Ollama's client for JavaScript was not tried")
    folder = tmp_path / "npm"
    folder.mkdir()
    installed = subprocess.run([npm, "install", "--silent", "ollama"], cwd=folder, check=False)
    if installed.returncode:
        pytest.skip("npm can't install ollama: its client for JavaScript was not tried")
    (folder / SCRIPT.name).write_text(SCRIPT.read_text(encoding="utf-8"))
    done = subprocess.run(
        [node, SCRIPT.name, address, "tiny"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "streamed": "Hi there",
        "whole": "Hi there",
        "done": "stop",
        "family": "llama",
        "listed": [NAME],
        "embedded": 2,
        "missing": "model 'none' not found",
    }


@pytest.mark.filterwarnings("ignore")
def test_langchain(address: str) -> None:
    langchain = pytest.importorskip("langchain_ollama", reason="not installed: hunkwise[clients]")
    chat = langchain.ChatOllama(model="tiny", base_url=address, validate_model_on_init=True)
    assert chat.invoke("Hello").content == "Hi there"
    assert "".join(piece.content for piece in chat.stream("Hello")) == "Hi there"
    assert langchain.OllamaLLM(model="tiny", base_url=address).invoke("Hello") == "Hi there"
    assert len(langchain.OllamaEmbeddings(model="tiny", base_url=address).embed_documents(["a", "b"])) == 2


@pytest.mark.filterwarnings("ignore")
def test_litellm(address: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        litellm = pytest.importorskip("litellm", reason="not installed: hunkwise[clients]")
    messages = [{"role": "user", "content": "Hello"}]
    for name, base in (
        ("ollama_chat/tiny", address),
        ("ollama/tiny", address),
        ("openai/tiny", f"{address}/v1"),
    ):
        done = litellm.completion(model=name, messages=messages, api_base=base, api_key="none", num_retries=0)
        assert done.choices[0].message.content == "Hi there"
    embedded = litellm.embedding(model="ollama/tiny", input=["a", "b"], api_base=address)
    assert len(embedded.data) == 2
