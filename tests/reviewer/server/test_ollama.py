"""Ollama's API: the requests that its clients make, and the words in which it answers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelled import NAME, Loads, library_in, modelled
from serving import listening

from hunkwise.engine import Generate, Generated, Plan, Pool, ScriptedEngine, Usage
from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.inference.options import keep_alive
from hunkwise.reviewer.server.models import Estimates, PoolModels, open_pool
from hunkwise.reviewer.server.observe.metrics import Metrics
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

KINDS = ("prefilled", "reused", "forced", "sampled")

MODELFILE = 'SYSTEM Be brief.\nPARAMETER stop "<end>"\nPARAMETER temperature 0.5\nPARAMETER num_ctx 4096\n'


def speaking(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Generated | None:
        if isinstance(question, Generate):
            return Generated(question.id, "Hi there", "stop", Usage(prefilled=3, reused=4, sampled=2))
        return None

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def loads() -> Loads:
    return Loads(speaking)


@pytest.fixture
def served(tmp_path: Path, loads: Loads) -> Iterator[tuple[Server, httpx.Client]]:
    with modelled(tmp_path, loads, MODELFILE) as pair:
        yield pair


@pytest.fixture
def client(served: tuple[Server, httpx.Client]) -> httpx.Client:
    return served[1]


def question(loads: Loads) -> Generate:
    (last,) = loads.engines[-1].bundles[-1].questions
    assert isinstance(last, Generate)
    return last


def test_generate_streams_lines(client: httpx.Client, loads: Loads) -> None:
    response = client.post("/api/generate", json={"model": "TINY", "prompt": "Hello"})
    assert response.headers["content-type"] == "application/x-ndjson"
    first, last = map(json.loads, response.text.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", first.pop("created_at"))
    assert first == {"model": "TINY", "response": "Hi there", "done": False}
    assert (last["response"], last["done"], last["done_reason"]) == ("", True, "stop")
    assert (last["prompt_eval_count"], last["eval_count"]) == (7, 2)
    assert last["total_duration"] >= last["load_duration"] > 0
    bundle = loads.engines[0].bundles[0]
    assert [(each.role, each.text) for each in bundle.shared] == [("user", "Hello")]


def test_options_lie_over_the_models_and_those_over_the_defaults(client: httpx.Client, loads: Loads) -> None:
    body = {"model": "tiny", "prompt": "x", "stream": False}
    client.post("/api/generate", json=body)
    sampling = question(loads).sampling
    assert (sampling.temperature, sampling.top_k, sampling.top_p, sampling.seed) == (0.5, 40, 0.9, None)
    assert question(loads).stop == ("<end>",)
    options = {
        "temperature": 0,
        "seed": 7,
        "stop": ["a", "b"],
        "num_predict": 5,
        "num_thread": 3,
        "mirostat": 1,
    }
    response = client.post("/api/generate", json={**body, "options": options})
    asked = question(loads)
    assert (asked.sampling.temperature, asked.sampling.seed, asked.stop, asked.max_tokens) == (
        0,
        7,
        ("a", "b"),
        5,
    )
    assert response.headers["x-hunkwise-ignored"] == "mirostat, num_thread"


def test_a_schema_and_any_json(client: httpx.Client, loads: Loads) -> None:
    body = {"model": "tiny", "prompt": "x", "stream": False}
    for form, schema in (("json", {"type": "object"}), ({"type": "array"}, {"type": "array"}), ("", None)):
        assert client.post("/api/generate", json={**body, "format": form}).status_code == 200
        assert question(loads).schema == schema


def test_what_was_found_holds_until_models_change(served: tuple[Server, httpx.Client]) -> None:
    """Requests that come at once look for their model once; who made or took one away sees that at once."""
    server, client = served
    looked: list[str] = []
    resolve = server.models.resolve
    server.models.resolve = lambda name: looked.append(name) or resolve(name)  # type: ignore[method-assign, func-returns-value]

    def status() -> int:
        return client.post("/api/show", json={"model": "made"}).status_code

    client.post("/api/create", json={"model": "made", "from": "tiny", "stream": False})
    assert status() == 200
    server.found = {name: (math.inf, *rest) for name, (_, *rest) in server.found.items()}  # type: ignore[misc]
    looked.clear()
    assert (status(), looked) == (200, [])
    client.post("/api/create", json={"model": "other", "from": "tiny", "stream": False})
    assert (status(), looked) == (200, ["made"])
    client.request("DELETE", "/api/delete", json={"model": "made"})
    assert status() == 404


def test_many_vectors_are_asked_for_in_portions_and_too_many_refused(
    client: httpx.Client, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine's process sends 64 MiB at most, and nobody fills the memory of the server with vectors."""
    width = client.post("/api/show", json={"model": "tiny"}).json()["details"]["embedding_length"]
    monkeypatch.setattr("hunkwise.reviewer.server.inference.embedding._AT_ONCE", 2 * width)
    monkeypatch.setattr("hunkwise.reviewer.server.inference.embedding.MOST_NUMBERS", 5 * width)
    texts = [f"text {number}" for number in range(5)]

    together = client.post("/api/embed", json={"model": "tiny", "input": texts}).json()["embeddings"]

    assert [len(bundle.questions) for bundle in loads.engines[0].bundles] == [2, 2, 1]
    alone = [client.post("/api/embed", json={"model": "tiny", "input": text}).json() for text in texts]
    assert together == [each["embeddings"][0] for each in alone]
    refused = client.post("/api/embed", json={"model": "tiny", "input": [*texts, "one more"]})
    assert (refused.status_code, refused.json()["error"].partition(";")[0]) == (400, "input holds 6 texts")


def test_chat(client: httpx.Client, loads: Loads) -> None:
    messages = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]
    messages += [{"role": "user", "content": "Three"}, {"role": "user", "content": "Four"}]
    response = client.post("/api/chat", json={"model": "tiny", "messages": messages, "stream": False}).json()
    assert response["message"] == {"role": "assistant", "content": "Hi there"}
    assert response["done_reason"] == "stop"
    segments = loads.engines[0].bundles[0].shared
    assert [(each.role, each.text) for each in segments] == [
        ("user", "One"),
        ("assistant", "Two"),
        ("user", "Three"),
        ("user", "\n\nFour"),
    ]


def test_raw_and_suffix(tmp_path: Path) -> None:
    loads = Loads(speaking)
    with modelled(tmp_path, loads) as (_, client):
        body = {"model": "tiny", "prompt": "def", "stream": False}
        client.post("/api/generate", json={**body, "raw": True})
        (segment,) = question(loads).prompt
        assert (segment.role, segment.text, segment.special) == ("raw", "def", True)
        template = "{{ if .System }}<s>{{ .System }}{{ end }}<u>{{ .Prompt }}<a>"
        client.post("/api/generate", json={**body, "template": template, "system": "Be brief."})
        assert question(loads).prompt[0].text == "<s>Be brief.<u>def<a>"
        client.post(
            "/api/generate", json={**body, "template": "<p>{{ .Prompt }}<s>{{ .Suffix }}<m>", "suffix": "end"}
        )
        assert question(loads).prompt[0].text == "<p>def<s>end<m>"
        wrong = client.post("/api/generate", json={**body, "template": "{{ .Prompt"})
        assert wrong.status_code == 400
        refused = client.post("/api/generate", json={**body, "suffix": "end"})
        assert (refused.status_code, refused.json()["error"]) == (400, '"tiny" does not support insert')


def test_no_words_load_and_unload(served: tuple[Server, httpx.Client], loads: Loads) -> None:
    server, client = served
    loaded = client.post("/api/generate", json={"model": "tiny"}).json()
    assert (loaded["response"], loaded["done"], loaded["done_reason"]) == ("", True, "load")
    assert server.models.loaded() == (NAME,)
    loaded = client.post("/api/chat", json={"model": "tiny", "messages": []}).json()
    assert (loaded["message"]["content"], loaded["done_reason"]) == ("", "load")
    unloaded = client.post("/api/generate", json={"model": "tiny", "prompt": "", "keep_alive": 0}).json()
    assert unloaded["done_reason"] == "unload"
    assert len(loads.engines) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("generate", b"", 400, "missing request body"),
        ("generate", b"{", 400, "the request body is not JSON"),
        ("generate", {"model": "none", "prompt": "x"}, 404, "model 'none' not found"),
        ("generate", {"model": "../x", "prompt": "x"}, 404, "model '../x' not found"),
        ("generate", {"model": "/etc/passwd.gguf"}, 404, "model '/etc/passwd.gguf' not found"),
        ("generate", {"prompt": "x"}, 404, "model '' not found"),
        ("generate", {"model": "tiny", "prompt": 3}, 400, "prompt must be str, not int"),
        (
            "generate",
            {"model": "tiny", "options": {"top_k": "x"}},
            400,
            "options.top_k: parameter top_k is 'x'",
        ),
        ("generate", {"model": "tiny", "options": {"temperature": -1}}, 400, "options.temperature: "),
        (
            "generate",
            {"model": "tiny", "keep_alive": "soon"},
            400,
            "keep_alive: 'soon' is not a number of seconds",
        ),
        ("generate", {"model": "tiny", "prompt": "x", "format": "xml"}, 400, 'invalid format: "xml"'),
        ("generate", {"model": "tiny", "prompt": "x", "raw": True, "system": "y"}, 400, "raw mode does not"),
        (
            "generate",
            {"model": "tiny", "prompt": "x", "think": True},
            400,
            '"tiny" does not support thinking',
        ),
        (
            "generate",
            {"model": "tiny", "prompt": "x", "images": ["aa"]},
            400,
            '"tiny" does not support images: this server reads text alone; leave them out',
        ),
        (
            "chat",
            {"model": "tiny", "messages": [{"role": "tool", "content": "x", "images": ["aa"]}]},
            400,
            '"tiny" does not support images',
        ),
        ("generate", {"model": "tiny", "top_logprobs": 21}, 400, "top_logprobs must be between 0 and 20"),
        ("chat", {"messages": []}, 400, "model is required"),
        ("chat", {"model": "none"}, 404, "model 'none' not found"),
        ("chat", {"model": "tiny", "messages": [{"content": "x"}]}, 400, "messages[0]: missing key 'role'"),
        ("chat", {"model": "tiny", "messages": [{"role": "x"}]}, 400, "messages[0].role must be one of"),
        (
            "chat",
            {"model": "tiny", "tools": [{"function": {"name": "f"}}], "messages": []},
            400,
            '"tiny" does not support tools',
        ),
        ("show", {}, 400, "model is required"),
        ("show", {"name": "none"}, 404, "model 'none' not found"),
    ],
)
def test_what_is_refused(client: httpx.Client, path: str, body: Any, status: int, error: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.post(f"/api/{path}", content=content)
    assert response.status_code == status, response.text
    assert response.json()["error"].startswith(error)


def test_a_wrong_method(client: httpx.Client) -> None:
    assert client.get("/api/generate").status_code == 405


def test_lists(client: httpx.Client) -> None:
    assert re.fullmatch(r"\d+(\.\d+)*", client.get("/api/version").json()["version"])
    (model,) = client.get("/api/tags").json()["models"]
    assert (model["name"], model["model"], model["details"]["family"]) == (NAME, NAME, "llama")
    assert len(model["digest"]) == 64
    assert client.get("/api/ps").json() == {"models": []}
    client.post("/api/generate", json={"model": "tiny"})
    (running,) = client.get("/api/ps").json()["models"]
    assert running["name"] == NAME
    assert running["digest"] == model["digest"]
    assert running["context_length"] >= 4096


def test_ps_tells_what_is_on_the_gpu(tmp_path: Path) -> None:
    """That is what the plan that was carried out puts on devices."""
    estimates = Estimates(Settings())
    library, pool = library_in(tmp_path), Pool(Loads(), lambda spec, context: 100)
    models = PoolModels(library, pool, placed=estimates.placed)
    environment = Environment({}, tmp_path, lambda sentence: None)
    with closing(models), listening(make_app(Server(Settings(), models, environment))) as client:
        estimate = {"kv": 100, "total": 100, "CPU": 40, "CUDA0": 60, "CPU kv": 40, "CUDA0 kv": 60}
        estimates.place(models.resolve("tiny"), Plan(64, 1, estimate=estimate))
        client.post("/api/generate", json={"model": "tiny"})
        (running,) = client.get("/api/ps").json()["models"]
        assert (running["size"], running["size_vram"]) == (100, 60)
        told = [each for each in client.get("/metrics").text.splitlines() if "memory_bytes{" in each]
        assert told == [
            f'hunkwise_memory_bytes{{device="{device}",kind="kv"}} {size}.0'
            for device, size in (("CPU", 40), ("CUDA0", 60))
        ]


def test_loads_are_counted(tmp_path: Path) -> None:
    """By llama.cpp itself, with a model of a few kilobytes."""
    metrics, library = Metrics(), library_in(tmp_path)
    environment = Environment({}, tmp_path, lambda sentence: None)
    estimates = Estimates(Settings(num_parallel=1))
    pool = open_pool(estimates, environment, metrics.count_load)
    models = PoolModels(library, pool, placed=estimates.placed, window=256)
    with (
        closing(models),
        listening(make_app(Server(Settings(), models, environment, metrics))) as client,
    ):
        assert client.post("/api/generate", json={"model": "tiny"}).json()["done_reason"] == "load"
        assert 'hunkwise_model_loads_total{outcome="loaded"} 1.0' in client.get("/metrics").text


def test_a_model_that_is_made_anew_is_another_at_once(served: tuple[Server, httpx.Client]) -> None:
    """What a name means is remembered as long as nothing of its files has changed."""
    server, client = served
    before = server.models.resolve("tiny")
    assert server.models.resolve("tiny") is before
    body = {"model": "tiny", "from": "tiny", "system": "Be long.", "stream": False}
    assert client.post("/api/create", json=body).status_code == 200
    after = server.models.resolve("tiny")
    assert (before.system, after.system) == ("Be brief.", "Be long.")
    after.weights[0].unlink()
    with pytest.raises(EngineError):
        server.models.resolve("tiny")


def test_tokens_are_counted(client: httpx.Client) -> None:
    """By model and kind, with the time to the first of them and the time until the model was there."""
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
    done = client.post("/api/chat", json={**body, "stream": False}).json()
    counted = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in client.get("/metrics").text.splitlines()
        if not line.startswith("#")
    }
    tokens = {kind: counted[f'hunkwise_tokens_total{{kind="{kind}",model="{NAME}"}}'] for kind in KINDS}
    assert tokens["prefilled"] + tokens["reused"] == done["prompt_eval_count"]
    assert tokens["sampled"] + tokens["forced"] == done["eval_count"]
    assert counted[f'hunkwise_time_to_first_token_seconds_count{{model="{NAME}"}}'] == 1
    assert counted['hunkwise_queue_wait_seconds_count{queue="model"}'] == 1


def test_show(client: httpx.Client) -> None:
    shown = client.post("/api/show", json={"model": "tiny"}).json()
    assert shown["parameters"].splitlines() == [
        "num_ctx                        4096",
        'stop                           "<end>"',
        "temperature                    0.5",
    ]
    assert shown["system"] == "Be brief."
    assert shown["model_info"]["llama.context_length"] == 32768
    assert shown["model_info"]["tokenizer.ggml.tokens"] == []
    assert shown["capabilities"] == ["completion"]
    assert "{{ .Prompt }}" in shown["template"]
    assert shown["modelfile"].startswith(f"FROM {NAME}\n")
    assert "tensors" in client.post("/api/show", json={"name": "tiny", "verbose": True}).json()


def test_a_changing_context_does_not_reload(client: httpx.Client, loads: Loads) -> None:
    for num_ctx in (9000, 8200, 4096, 12000, 16384):
        body = {"model": "tiny", "prompt": "x", "options": {"num_ctx": num_ctx}, "stream": False}
        client.post("/api/generate", json=body)
    assert loads.contexts == [16384]


def test_what_is_too_long_loses_its_oldest_messages(client: httpx.Client, loads: Loads) -> None:
    old = [{"role": role, "content": "word " * 300} for role in ("user", "assistant") * 4]
    messages = [{"role": "system", "content": "Rules"}, *old, {"role": "user", "content": "Now"}]
    body = {"model": "tiny", "messages": messages, "options": {"num_ctx": 1000}, "stream": False}
    response = client.post("/api/chat", json=body).json()
    assert response["truncated"] == "the 6 oldest messages were left out"
    segments = loads.engines[0].bundles[-1].shared
    assert [each.role for each in segments] == ["system", "user", "assistant", "user"]
    assert segments[0].text == "Rules"
    refused = client.post("/api/chat", json={**body, "truncate": False})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("the input length exceeds the context length (2410 tokens")


def test_a_prompt_that_is_too_long_loses_its_beginning(client: httpx.Client, loads: Loads) -> None:
    body = {"model": "tiny", "prompt": "a " * 2000 + "end", "options": {"num_ctx": 1000}, "stream": False}
    assert (
        "characters of the prompt were left out"
        in client.post("/api/generate", json=body).json()["truncated"]
    )
    (segment,) = loads.engines[0].bundles[-1].shared
    assert segment.text.endswith("a end")
    assert 1000 < len(segment.text) < 2000


def test_how_likely_the_tokens_were(tmp_path: Path) -> None:
    loads = Loads(lambda spec, context: ScriptedEngine(context=context, model=spec.name))
    with modelled(tmp_path, loads) as (_, client):
        body = {"model": "tiny", "prompt": "x", "stream": False, "logprobs": True}
        entry = {"token": "{}", "logprob": -0.1, "bytes": [123, 125]}
        assert client.post("/api/generate", json=body).json()["logprobs"] == [entry]
        streamed = client.post("/api/generate", json={**body, "stream": True, "top_logprobs": 1})
        first, last = map(json.loads, streamed.text.splitlines())
        assert first["logprobs"] == [{**entry, "top_logprobs": [entry]}]
        assert "logprobs" not in last
        chat = {
            "model": "tiny",
            "messages": [{"role": "user", "content": "x"}],
            "stream": False,
            "logprobs": True,
        }
        assert client.post("/api/chat", json=chat).json()["logprobs"] == [entry]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        (0, 0),
        (2.5, 2.5),
        (-1, math.inf),
        ("-1m", math.inf),
        ("1h30m", 5400),
        ("0", 0),
        ("90", 90),
    ],
)
def test_how_long_a_model_stays(given: float | str | None, seconds: float | None) -> None:
    assert keep_alive(given) == seconds


def test_a_template_that_fills_in(tmp_path: Path) -> None:
    loads = Loads(speaking)
    with modelled(tmp_path, loads, "TEMPLATE <p>{{ .Prompt }}<s>{{ .Suffix }}<m>\n") as (_, client):
        assert "insert" in client.post("/api/show", json={"model": "tiny"}).json()["capabilities"]
        client.post("/api/generate", json={"model": "tiny", "prompt": "a", "suffix": "b", "stream": False})
        assert question(loads).prompt[0].text == "<p>a<s>b<m>"
