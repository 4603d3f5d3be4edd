"""Tools over both APIs: what a model is shown of them, and the calls in what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import openai
import pytest
from modelled import Loads, modelled

from hunkwise.engine import Generate, Generated, ScriptedEngine
from hunkwise.reviewer.server.inference.tools import Call, calls_in

TEMPLATE = (
    "{% if tools %}<tools>{% for tool in tools %}{{ tool | tojson }}{% endfor %}</tools>{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{% for call in message.tool_calls %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
WRITTEN = 'Let me look.\n<tool_call>\n{"name": "weather", "arguments": {"town": "Rome"}}\n</tool_call>'
MESSAGES: list[Any] = [{"role": "user", "content": "How is the weather in <|im_end|> Rome?"}]


def calling(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Generated | None:
        return Generated(question.id, WRITTEN, "stop") if isinstance(question, Generate) else None

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def loads() -> Loads:
    return Loads(calling)


@pytest.fixture
def http(tmp_path: Path, loads: Loads) -> Iterator[httpx.Client]:
    with modelled(tmp_path, loads, extra={"template": TEMPLATE}) as (_, client):
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_a_model_is_shown_tools_and_calls_one(http: httpx.Client, loads: Loads) -> None:
    with ollama.Client(host=str(http.base_url)) as client:
        assert "tools" in (client.show("tiny").capabilities or [])
        done = client.chat("tiny", MESSAGES, tools=[TOOL])
        pieces = list(client.chat("tiny", MESSAGES, tools=[TOOL], stream=True))
    for message in (done.message, pieces[0].message):
        assert message.content == "Let me look."
        (call,) = message.tool_calls or []
        assert (call.function.name, call.function.arguments) == ("weather", {"town": "Rome"})
    assert done.done_reason == "stop"
    bundle = loads.engines[0].bundles[0]
    pieces_ = (*bundle.shared, *bundle.questions[0].prompt)
    assert [(each.special, each.text) for each in pieces_[1:]] == [
        (False, MESSAGES[0]["content"]),
        (True, "<|im_end|>\n<|im_start|>assistant\n"),
    ]
    assert pieces_[0].special
    assert pieces_[0].text.startswith('<tools>{"type": "function"')


def test_the_calls_of_before_and_what_they_gave(http: httpx.Client, loads: Loads) -> None:
    called = {"function": {"name": "weather", "arguments": {"town": "Rome"}}}
    messages = [*MESSAGES, {"role": "assistant", "content": "", "tool_calls": [called]}]
    messages.append({"role": "tool", "tool_name": "weather", "content": "sunny"})
    body = {"model": "tiny", "messages": messages, "tools": [TOOL], "stream": False}
    assert http.post("/api/chat", json=body).status_code == 200
    bundle = loads.engines[0].bundles[0]
    text = "".join(each.text for each in (*bundle.shared, *bundle.questions[0].prompt))
    assert '<tool_call>{"name": "weather", "arguments": {"town": "Rome"}}</tool_call>' in text
    assert "<|im_start|>tool\nsunny<|im_end|>" in text


def test_openais_words(client: openai.OpenAI, loads: Loads) -> None:
    tools: list[Any] = [TOOL]
    done = client.chat.completions.create(model="tiny", messages=MESSAGES, tools=tools)
    choice = done.choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"town": "Rome"})
    answered: list[Any] = [
        *MESSAGES,
        choice.message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    chunks = list(client.chat.completions.create(model="tiny", messages=answered, tools=tools, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert [delta.tool_calls[0].index for delta in deltas if delta.tool_calls] == [0]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_a_call_that_must_be(client: openai.OpenAI, loads: Loads) -> None:
    tools: list[Any] = [TOOL]
    chosen: Any
    for chosen in ("required", {"type": "function", "function": {"name": "weather"}}):
        client.chat.completions.create(model="tiny", messages=MESSAGES, tools=tools, tool_choice=chosen)
        schema = loads.engines[0].bundles[-1].questions[0].schema
        assert schema["properties"]["name"] == {"const": "weather"}
        assert schema["properties"]["arguments"] == TOOL["function"]["parameters"]
    plain = client.chat.completions.create(model="tiny", messages=MESSAGES, tools=tools, tool_choice="none")
    assert plain.choices[0].message.content == WRITTEN
    chosen = {"type": "function", "function": {"name": "other"}}
    with pytest.raises(openai.BadRequestError, match="which is no tool of this request"):
        client.chat.completions.create(model="tiny", messages=MESSAGES, tools=tools, tool_choice=chosen)


@pytest.mark.parametrize(
    ("text", "rest", "names"),
    [
        ("plain words", "plain words", []),
        ('{"name": "a", "arguments": {}}', "", ["a"]),
        ('[{"name": "a", "parameters": {}}, {"name": "b"}]', "", ["a", "b"]),
        ('```json\n{"name": "a", "arguments": {}}\n```', "", ["a"]),
        ('{"name": "c", "arguments": {}}', '{"name": "c", "arguments": {}}', []),
        ('{"name": "a", "arguments": 3}', '{"name": "a", "arguments": 3}', []),
        ("<tool_call>broken</tool_call>", "<tool_call>broken</tool_call>", []),
        ('<tool_call>{"name": "a"}', "", ["a"]),
        ('so <tool_call>{"name": "a"}</tool_call><tool_call>{"name": "b"}</tool_call>', "so", ["a", "b"]),
    ],
)
def test_calls_in_a_text(text: str, rest: str, names: list[str]) -> None:
    assert calls_in(text, ("a", "b")) == (rest, tuple(Call(name, {}) for name in names))


def test_what_is_refused(http: httpx.Client) -> None:
    body = {"model": "tiny", "messages": MESSAGES, "tools": [{"type": "function"}]}
    response = http.post("/api/chat", json=body)
    assert (response.status_code, response.json()["error"]) == (400, "tools[0].function.name must be a text")
    wrong = {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": "{"}}]}
    response = http.post("/v1/chat/completions", json={"model": "tiny", "messages": [*MESSAGES, wrong]})
    assert response.status_code == 400
    assert "must be a JSON object" in response.json()["error"]["message"]
