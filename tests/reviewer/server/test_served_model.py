"""The APIs over the real qwen2.5-coder:0.5b."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import listening

from hunkwise.engine import ModelSpec, library_from_environment
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.models import Estimates, PoolModels, open_pool
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

pytestmark = pytest.mark.model
GREEDY = {"temperature": 0, "num_predict": 24, "num_ctx": 2048}


@pytest.fixture(scope="module")
def client(small_model: ModelSpec) -> Iterator[httpx.Client]:
    environment = Environment(os.environ, Path.cwd(), lambda sentence: None)
    library = library_from_environment(os.environ)
    models = PoolModels(library, open_pool(Estimates(Settings()), environment), window=2048)
    try:
        with listening(make_app(Server(Settings(), models, environment))) as made:
            made.timeout = httpx.Timeout(600)
            yield made
    finally:
        models.close()


def test_a_chat_and_its_stream_say_the_same(client: httpx.Client, small_model: ModelSpec) -> None:
    messages = [{"role": "user", "content": "What is the capital of France? One word."}]
    body = {"model": small_model.name, "messages": messages, "options": GREEDY, "logprobs": True}
    whole = client.post("/api/chat", json={**body, "stream": False}).json()
    assert "Paris" in whole["message"]["content"]
    assert whole["eval_count"] > 0
    lines = [json.loads(line) for line in client.post("/api/chat", json=body).text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == whole["message"]["content"]
    assert "".join(each["token"] for each in whole["logprobs"]).startswith(whole["message"]["content"])
    chat = {"model": small_model.name, "messages": messages, "temperature": 0, "max_tokens": 24, "top_k": 1}
    done = client.post("/v1/chat/completions", json=chat).json()
    assert done["choices"][0]["message"]["content"] == whole["message"]["content"]


def test_token_ids_are_read_as_they_were_meant(client: httpx.Client, small_model: ModelSpec) -> None:
    body = {"model": small_model.name, "prompt": [[9707, 1879]], "echo": True, "max_tokens": 0, "logprobs": 1}
    (choice,) = client.post("/v1/completions", json=body).json()["choices"]
    assert choice["logprobs"]["tokens"] == ["Hello", " world"]
    apart = client.post("/v1/completions", json={**body, "prompt": [39, 4791]})  # H, ello: it reads one token
    assert apart.status_code == 400, apart.text


def test_a_schema_holds(client: httpx.Client, small_model: ModelSpec) -> None:
    schema = {
        "type": "object",
        "properties": {
            "colours": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
        },
        "required": ["colours"],
    }
    body = {"model": small_model.name, "prompt": "Name two colours.", "format": schema, "options": GREEDY}
    done = client.post("/api/generate", json={**body, "stream": False}).json()
    assert len(json.loads(done["response"])["colours"]) == 2


def test_the_middle_is_filled_in(client: httpx.Client, small_model: ModelSpec) -> None:
    shown = client.post("/api/show", json={"model": small_model.name}).json()
    assert "insert" in shown["capabilities"]
    assert ".Suffix" in shown["template"]
    body = {
        "model": small_model.name,
        "prompt": "def add(first, second):\n    return ",
        "suffix": "\n\nprint(add(1, 2))\n",
        "options": GREEDY,
        "stream": False,
    }
    assert client.post("/api/generate", json=body).json()["response"].startswith("first + second")


def test_likely_texts_score_higher(client: httpx.Client, small_model: ModelSpec) -> None:
    prompts = ["The capital of France is Paris.", "The capital of France is Tokyo."]
    body = {"model": small_model.name, "prompt": prompts, "echo": True, "max_tokens": 0, "logprobs": 1}
    right, wrong = (
        choice["logprobs"] for choice in client.post("/v1/completions", json=body).json()["choices"]
    )
    assert "".join(right["tokens"]) == prompts[0]
    assert right["text_offset"][:2] == [0, len(right["tokens"][0])]
    assert sum(right["token_logprobs"][1:]) > sum(wrong["token_logprobs"][1:])
    longer = client.post("/v1/completions", json={**body, "max_tokens": 1, "temperature": 0}).json()
    likely = longer["choices"][0]["logprobs"]
    assert likely["token_logprobs"][1:-1] == pytest.approx(right["token_logprobs"][1:], abs=0.02)
    assert max(likely["top_logprobs"][-1], key=likely["top_logprobs"][-1].get) == likely["tokens"][-1]


def test_like_texts_have_like_vectors(client: httpx.Client, small_model: ModelSpec) -> None:
    texts = ["def add(a, b): return a + b", "def plus(x, y): return x + y", "The weather is fine in Rome."]
    one, two, other = client.post("/api/embed", json={"model": small_model.name, "input": texts}).json()[
        "embeddings"
    ]
    assert math.hypot(*one) == pytest.approx(1, abs=1e-3)

    def likeness(first: list[float], second: list[float]) -> float:
        return sum(a * b for a, b in zip(first, second, strict=True))

    assert likeness(one, two) > likeness(one, other)


def test_typed_questions(client: httpx.Client, small_model: ModelSpec) -> None:
    question = {
        "type": "choice",
        "instructions": "Which label fits this ticket?",
        "criteria": {"payment": "Payments and refunds", "weather": "Rain and sunshine"},
    }
    body = {
        "model": small_model.name,
        "state": "I was charged twice. Please give me my money back.",
        "questions": {"label": question, "again": {"type": "noul", "instructions": "Is it about money?"}},
    }
    done = client.post("/v1/systemone", json=body).json()["answers"]
    assert done["label"]["choice"] == "payment"
    assert sum(done["label"]["probabilities"].values()) == pytest.approx(1)
    assert 0 < done["again"]["noul"] < 1


def test_a_tool_that_must_be_called(client: httpx.Client, small_model: ModelSpec) -> None:
    parameters = {
        "type": "object",
        "properties": {"town": {"type": "string"}},
        "required": ["town"],
        "additionalProperties": False,
    }
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    body = {
        "model": small_model.name,
        "messages": [{"role": "user", "content": "How is the weather in Rome?"}],
        "tools": [tool],
        "tool_choice": "required",
        "temperature": 0,
        "max_tokens": 60,
    }
    choice = client.post("/v1/chat/completions", json=body).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    called = choice["message"]["tool_calls"][0]["function"]
    assert called["name"] == "weather"
    assert "Rome" in json.loads(called["arguments"])["town"]
