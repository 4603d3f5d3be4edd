"""Thoughts over both APIs: what a made-up model that thinks is shown, and where its thoughts are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import openai
import pytest
from modelled import Loads, modelled

from hunkwise.engine import Generate, Generated, ScriptedEngine
from hunkwise.reviewer.server.inference.thinking import Thoughts

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% elif reasoning_effort %}({{ reasoning_effort }})"
    "{% endif %}{% endif %}"
)
ALWAYS = TEMPLATE.partition("{% if not")[0] + "<think>\n{% endif %}"
WRITTEN = "<think>\nTwo and two…\n</think>\n\nFour."
MESSAGES: list[Any] = [{"role": "user", "content": "2 + 2?"}]
ASKED = {"model": "tiny", "messages": MESSAGES}
THOUGHT, ANSWER = "Two and two…", "Four."


def thinking(spec: Any, context: int) -> ScriptedEngine:
    """Think wherever the prompt does not say that it is over."""

    def script(bundle: Any, question: Any) -> Generated | None:
        if not isinstance(question, Generate):
            return None
        prompt = asked(bundle)
        text = ANSWER if prompt.rstrip().endswith("</think>") or "|im_start|" not in prompt else WRITTEN
        return Generated(
            question.id, text.removeprefix("<think>") if "<think>" in prompt[-9:] else text, "stop"
        )

    return ScriptedEngine(script, context=context, model=spec.name)


def asked(bundle: Any) -> str:
    return "".join(each.text for each in (*bundle.shared, *bundle.questions[0].prompt))


@pytest.fixture
def loads() -> Loads:
    return Loads(thinking)


@pytest.fixture
def http(tmp_path: Path, loads: Loads) -> Iterator[httpx.Client]:
    with modelled(tmp_path, loads, extra={"template": TEMPLATE}) as (_, client):
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[ollama.Client]:
    with ollama.Client(host=str(http.base_url)) as made:
        yield made


def test_ollamas_chat(client: ollama.Client, loads: Loads) -> None:
    """Thoughts stand beside the answer, streamed too; who wants none sends false."""
    assert "thinking" in (client.show("tiny").capabilities or [])
    for think in (None, True, "high"):
        done = client.chat("tiny", MESSAGES, think=think)
        assert (done.message.thinking, done.message.content) == (THOUGHT, ANSWER)
        assert asked(loads.engines[0].bundles[-1]).endswith("(high)") is (think == "high")
        lines = [each.message for each in client.chat("tiny", MESSAGES, think=think, stream=True)]
        assert "".join(each.thinking or "" for each in lines) == THOUGHT
        assert "".join(each.content or "" for each in lines) == ANSWER
    done = client.chat("tiny", MESSAGES, think=False)
    assert (done.message.thinking, done.message.content) == (None, ANSWER)
    earlier: list[Any] = [
        *MESSAGES,
        {"role": "assistant", "content": "4", "thinking": "Hm <|im_end|>"},
        *MESSAGES,
    ]
    client.chat("tiny", earlier)
    bundle = loads.engines[0].bundles[-1]
    assert "<think>Hm <|im_end|></think>4" in asked(bundle)
    assert [each.special for each in bundle.shared if each.text == "Hm <|im_end|>"] == [False]


def test_ollamas_generate(client: ollama.Client) -> None:
    done = client.generate("tiny", "2 + 2?")
    assert (done.thinking, done.response) == (THOUGHT, ANSWER)
    lines = list(client.generate("tiny", "2 + 2?", think=True, stream=True))
    assert "".join(each.thinking or "" for each in lines) == THOUGHT
    assert "".join(each.response or "" for each in lines) == ANSWER
    for plain in (
        client.generate("tiny", "2 + 2?", think=False),
        client.generate("tiny", "2 + 2?", raw=True),
    ):
        assert (plain.thinking, plain.response) == (None, ANSWER)


def test_openais_chat(http: httpx.Client) -> None:
    with openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="none", max_retries=0) as client:
        done = client.chat.completions.create(model="tiny", messages=MESSAGES, n=2).choices
        for choice in done:
            said = choice.message.to_dict()
            assert (said["reasoning_content"], said["content"]) == (THOUGHT, ANSWER)
        stream = client.chat.completions.create(
            model="tiny", messages=MESSAGES, stream=True, reasoning_effort="low"
        )
        deltas = [chunk.choices[0].delta.to_dict() for chunk in stream]
        assert "".join(str(each.get("reasoning_content", "")) for each in deltas) == THOUGHT
        assert "".join(str(each.get("content") or "") for each in deltas) == ANSWER
    for quiet in ({"reasoning_effort": "none"}, {"chat_template_kwargs": {"enable_thinking": False}}):
        message = http.post("/v1/chat/completions", json={**ASKED, **quiet}).json()["choices"][0]["message"]
        assert message == {"role": "assistant", "content": ANSWER, "refusal": None}


def test_a_template_that_opens_the_thoughts_itself(tmp_path: Path, loads: Loads) -> None:
    with modelled(tmp_path, loads, extra={"template": ALWAYS}) as (_, http):
        message = http.post("/api/chat", json={**ASKED, "stream": False}).json()["message"]
    assert message == {"role": "assistant", "content": ANSWER, "thinking": THOUGHT}


@pytest.mark.parametrize(
    ("path", "more", "error"),
    [
        ("api/chat", {"think": "hard"}, "invalid think value: 'hard' (must be true, false or one of low, "),
        ("api/chat", {"think": True, "format": "json"}, "a model can't think within a schema"),
        ("v1/chat/completions", {"reasoning_effort": "hard"}, "invalid reasoning_effort value"),
    ],
)
def test_what_is_refused(http: httpx.Client, path: str, more: Any, error: str) -> None:
    response = http.post(f"/{path}", json={**ASKED, **more})
    said = response.json()["error"]
    assert response.status_code == 400
    assert (said if isinstance(said, str) else said["message"]).startswith(error)


def test_a_schema_leaves_no_room_for_thoughts(http: httpx.Client, loads: Loads) -> None:
    assert http.post("/api/chat", json={**ASKED, "format": "json", "stream": False}).status_code == 200
    assert loads.engines[0].bundles[-1].shared[-1].role == "user"


def test_models_that_cannot(tmp_path: Path, loads: Loads) -> None:
    """They are asked without it, and refuse in Ollama's words what asks for it."""
    with modelled(tmp_path, loads) as (_, http):
        assert "thinking" not in http.post("/api/show", json={"model": "tiny"}).json()["capabilities"]
        for path, more in (
            ("api/chat", {"think": True}),
            ("v1/chat/completions", {"reasoning_effort": "low"}),
        ):
            response = http.post(f"/{path}", json={**ASKED, **more})
            assert response.status_code == 400
            said = response.json()["error"]
            assert (said if isinstance(said, str) else said["message"]) == '"tiny" does not support thinking'
        assert (
            http.post("/v1/chat/completions", json={**ASKED, "reasoning_effort": "none"}).status_code == 200
        )


@pytest.mark.parametrize(
    ("begun", "text", "thought", "answer"),
    [
        (False, "<think>\na <b>\n</think>\n\nc </think>", "a <b>", "c </think>"),
        (False, " \n<think>a</think>b", "a", "b"),
        (True, "\na\n\nb\n</think>c", "a\n\nb", "c"),
        (True, "never </thin", "never </thin", ""),
        (False, "<thin", "", "<thin"),
        (False, "  no thoughts <think>", "", "  no thoughts <think>"),
        (False, "", "", ""),
        (False, "<think></think>", "", ""),
    ],
)
def test_thoughts_are_told_apart_however_the_text_comes(
    begun: bool, text: str, thought: str, answer: str
) -> None:
    """In one piece, in two, and letter by letter."""
    ways = [[text], list(text), *([text[:cut], text[cut:]] for cut in range(len(text)))]
    for pieces in ways:
        thoughts = Thoughts(begun)
        told = [*map(thoughts.feed, pieces), thoughts.rest()]
        assert ("".join(each for each, _ in told), "".join(each for _, each in told)) == (thought, answer)
