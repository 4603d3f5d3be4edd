"""OpenAI's endpoints, by its own Python client and in the forms that scorers send."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from modelled import NAME, Loads, modelled

from hunkwise.engine import Capability, Generate, Generated, ScriptedEngine, Usage

MESSAGES: list[Any] = [{"role": "developer", "content": "Rules"}, {"role": "user", "content": "Hello"}]


def speaking(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Generated | None:
        if isinstance(question, Generate):
            text = f"Answer {question.id}"
            return Generated(question.id, text, "length", Usage(prefilled=3, reused=4, sampled=2))
        return None

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def loads() -> Loads:
    return Loads(speaking)


@pytest.fixture
def http(tmp_path: Path, loads: Loads) -> Iterator[httpx.Client]:
    with modelled(tmp_path, loads) as (_, client):
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="none", max_retries=0) as made:
        yield made


def questions(loads: Loads) -> list[Generate]:
    asked = loads.engines[-1].bundles[-1].questions
    return [each for each in asked if isinstance(each, Generate)]


def test_a_chat(client: openai.OpenAI, loads: Loads) -> None:
    done = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_completion_tokens=9, temperature=0.5, seed=3, stop="x", n=2
    )
    assert [(choice.index, choice.message.content) for choice in done.choices] == [
        (0, "Answer 0"),
        (1, "Answer 1"),
    ]
    assert {choice.finish_reason for choice in done.choices} == {"length"}
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (7, 4, 11)
    first, second = questions(loads)
    assert (first.max_tokens, first.sampling.temperature, first.stop) == (9, 0.5, ("x",))
    assert (first.sampling.seed, second.sampling.seed) == (3, 4)
    assert [(each.role, each.text) for each in loads.engines[-1].bundles[-1].shared] == [
        ("system", "Rules"),
        ("user", "Hello"),
    ]


def test_defaults_are_openais(client: openai.OpenAI, loads: Loads) -> None:
    client.chat.completions.create(model="tiny", messages=MESSAGES)
    (asked,) = questions(loads)
    assert (asked.sampling.temperature, asked.sampling.top_p) == (1.0, 1.0)
    assert asked.max_tokens > 8000


def test_a_stream_tells_the_role_the_text_the_end_and_the_usage(http: httpx.Client) -> None:
    body = {"model": "tiny", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    response = http.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, done = [line[6:] for line in response.text.splitlines() if line]
    assert done == "[DONE]"
    role, text, end, usage = map(json.loads, events)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert text["choices"][0] == {
        "index": 0,
        "delta": {"content": "Answer 0"},
        "logprobs": None,
        "finish_reason": None,
    }
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "length")
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 9)
    assert len({event["id"] for event in (role, text, end, usage)}) == 1
    assert role["object"] == "chat.completion.chunk"


def test_the_client_reads_streams(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="tiny", messages=MESSAGES, stream=True, n=2))
    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "Answer 0", 1: "Answer 1"}
    pieces = list(client.completions.create(model="tiny", prompt="def", stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == "Answer 0"


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "array"}}},
            {"type": "array"},
        ),
    ],
)
def test_response_formats(client: openai.OpenAI, loads: Loads, form: Any, schema: Any) -> None:
    client.chat.completions.create(model="tiny", messages=MESSAGES, response_format=form)
    assert questions(loads)[0].schema == schema


def test_completions_are_raw(client: openai.OpenAI, loads: Loads) -> None:
    done = client.completions.create(model="tiny", prompt=["one", "two"], max_tokens=5)
    assert [(choice.index, choice.text) for choice in done.choices] == [(0, "Answer 0"), (1, "Answer 0")]
    (segment,) = questions(loads)[0].prompt
    assert (segment.role, segment.text) == ("raw", "two")


def test_prompts_are_scored(client: openai.OpenAI) -> None:
    done = client.completions.create(
        model="tiny", prompt=["größe der welt", "b c"], max_tokens=0, echo=True, logprobs=1
    )
    assert [choice.text for choice in done.choices] == ["größe der welt", "b c"]
    logprobs = done.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == ["größe", " der", " welt"]
    assert logprobs.text_offset == [0, 5, 9]
    told = logprobs.to_dict()
    assert told["token_logprobs"] == [None, -0.1, -0.1]
    assert told["top_logprobs"] == [None, {" der": -0.1}, {" welt": -0.1}]
    assert done.usage is not None
    assert done.usage.prompt_tokens == 5


def test_prompts_of_token_ids(client: openai.OpenAI, loads: Loads) -> None:
    """As scorers send them: spelled by the model's file, where a token of this one is a byte."""
    done = client.completions.create(model="tiny", prompt=[[97], [98]], max_tokens=0, echo=True, logprobs=1)
    assert [choice.text for choice in done.choices] == ["a", "b"]
    client.completions.create(model="tiny", prompt=[258], max_tokens=5)
    (segment,) = questions(loads)[0].prompt
    assert (segment.text, segment.special) == ("<|im_end|>", True)


def test_embeddings(client: openai.OpenAI, http: httpx.Client) -> None:
    plain = client.embeddings.create(model="tiny", input=["one", "two"], encoding_format="float")
    assert [each.index for each in plain.data] == [0, 1]
    body = {"model": "tiny", "input": "one", "encoding_format": "base64"}
    packed = http.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    data = base64.b64decode(packed)
    assert struct.unpack(f"<{len(data) // 4}f", data) == pytest.approx(plain.data[0].embedding, abs=1e-6)


def test_models(client: openai.OpenAI) -> None:
    assert [each.id for each in client.models.list()] == [NAME]
    assert client.models.retrieve("tiny").id == NAME
    assert client.models.retrieve("tiny").created == client.models.list().data[0].created > 0


@pytest.mark.parametrize(
    ("path", "body", "status", "message", "param"),
    [
        ("chat/completions", {"model": "none", "messages": MESSAGES}, 404, "model 'none' not found", "model"),
        ("chat/completions", {"model": "tiny"}, 400, "messages must hold at least one", "messages"),
        (
            "chat/completions",
            {"model": "tiny", "messages": [{"role": "x"}]},
            400,
            "messages[0].role",
            "messages",
        ),
        ("chat/completions", {"model": "tiny", "messages": MESSAGES, "n": 17}, 400, "n must be between", "n"),
        (
            "chat/completions",
            {"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            400,
            "this server reads text alone, not 'image_url'",
            "messages",
        ),
        (
            "chat/completions",
            {"model": "tiny", "messages": MESSAGES, "logit_bias": {"yes": 5}},
            400,
            "logit_bias must map ids of tokens to numbers between -100 and 100",
            "logit_bias",
        ),
        (
            "chat/completions",
            {"model": "tiny", "messages": MESSAGES, "tools": [{"function": {"name": "f"}}]},
            400,
            '"tiny" does not support tools',
            None,
        ),
        (
            "completions",
            {"model": "tiny", "prompt": [97, 98]},
            400,
            "prompt: these 2 token ids spell a text that the model reads as 1 tokens",
            "prompt",
        ),
        (
            "completions",
            {"model": "tiny", "prompt": [[97], [99999]]},
            400,
            "prompt: the model has no token 99999",
            "prompt",
        ),
        ("completions", {"model": "tiny", "prompt": {}}, 400, "prompt must be a text or a list", "prompt"),
        ("completions", {"model": "tiny", "prompt": ["a", ""]}, 400, "prompt[1] is empty", "prompt"),
        ("completions", {"model": "tiny", "prompt": [97, True]}, 400, "prompt must be a text", "prompt"),
        ("completions", {"model": "tiny", "prompt": [[97], []]}, 400, "prompt: send texts", "prompt"),
        ("embeddings", {"model": "tiny", "input": [97]}, 400, "input: send texts", "input"),
        ("embeddings", {"model": "tiny", "input": []}, 400, "input must be a text", "input"),
        (
            "embeddings",
            {"model": "tiny", "input": "a", "dimensions": 9999},
            400,
            "dimensions must be",
            "dimensions",
        ),
    ],
)
def test_what_is_refused(
    http: httpx.Client, path: str, body: Any, status: int, message: str, param: str | None
) -> None:
    response = http.post(f"/v1/{path}", json=body)
    error = response.json()["error"]
    assert response.status_code == status
    assert error["message"].startswith(message)
    assert error["param"] == param
    assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")
    assert response.headers["x-should-retry"] == "false"


def test_the_client_knows_the_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'none' not found"):
        client.models.retrieve("none")
    with pytest.raises(openai.BadRequestError, match="needs 60000 tokens"):
        client.completions.create(model="tiny", prompt="a " * 60000, echo=True, max_tokens=0, logprobs=1)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[openai.OpenAI]:
    """A client of a model that writes `{}`, and would as well have written `[]` or `0`."""
    loads = Loads(lambda spec, context: ScriptedEngine(context=context, model=spec.name))
    with (
        modelled(tmp_path, loads) as (_, http),
        openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="none", max_retries=0) as made,
    ):
        yield made


def test_how_likely_the_tokens_of_a_chat_were(plain: openai.OpenAI) -> None:
    done = plain.chat.completions.create(model="tiny", messages=MESSAGES, logprobs=True, top_logprobs=2)
    assert done.choices[0].logprobs is not None
    (token,) = done.choices[0].logprobs.content or []
    assert (token.token, token.logprob, token.bytes) == ("{}", -0.1, [123, 125])
    assert [(each.token, each.logprob) for each in token.top_logprobs] == [("{}", -0.1), ("[]", -1.1)]
    chunks = plain.chat.completions.create(model="tiny", messages=MESSAGES, logprobs=True, stream=True)
    told = [choice.logprobs.content for chunk in chunks for choice in chunk.choices if choice.logprobs]
    assert [[each.token for each in content or []] for content in told] == [["{}"]]


def test_a_scorer_that_has_a_token_written(plain: openai.OpenAI) -> None:
    """lm-eval asks for one token more than it scores, and cuts it off."""
    done = plain.completions.create(
        model="tiny", prompt=["one two", "three"], max_tokens=1, temperature=0, logprobs=1, echo=True, seed=1
    )
    assert [choice.text for choice in done.choices] == ["one two{}", "three{}"]
    logprobs = done.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.to_dict() == {
        "tokens": ["one", " two", "{}"],
        "token_logprobs": [None, -0.1, -0.1],
        "top_logprobs": [None, {" two": -0.1}, {"{}": -0.1}],
        "text_offset": [0, 3, 7],
    }


def test_an_engine_that_can_do_less(tmp_path: Path) -> None:
    able = (Capability.GENERATE,)
    loads = Loads(lambda spec, context: ScriptedEngine(context=context, model=spec.name, capabilities=able))
    with modelled(tmp_path, loads) as (_, http):
        body = {"model": "tiny", "prompt": "x", "input": "x", "logprobs": 1}
        for path, what in (("completions", "logprobs"), ("embeddings", "embeddings")):
            response = http.post(f"/v1/{path}", json=body)
            assert response.status_code == 400
            assert response.json()["error"]["message"] == f'"tiny" does not support {what}'
