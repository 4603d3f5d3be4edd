"""Whatever a body holds, the answer is never a 500, and no log holds a word of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelled import Loads, models_in

from hunkwise.engine import Bundle, Choose, Generate, Score, Segment, protocol
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

MARK = "hush_zqx"  # in each body; no log may have it
PROMPT = {"model": "tiny", "prompt": MARK, "suffix": "", "system": MARK, "template": "{{ .Prompt }}"}
TALK = {"role": "user", "content": MARK}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
BUNDLE = protocol.write_bundle(
    Bundle(
        (Segment(MARK),),
        (
            Generate("g", (), 9, schema={"type": "object"}),
            Choose("c", (), ("a", "b")),
            Score("s", (), "x"),
        ),
        deadline=5.0,
    ),
    "tiny",
)
GOOD: dict[str, dict[str, Any]] = {
    "/api/generate": {
        **PROMPT,
        "stream": False,
        "format": {"type": "object"},
        "options": {"num_ctx": 2048, "temperature": 0.5, "stop": ["x"], "seed": 1, "num_predict": 5},
        "keep_alive": "5m",
        "logprobs": True,
        "top_logprobs": 2,
        "images": [],
        "context": [],
        "think": False,
    },
    "/api/chat": {
        "model": "tiny",
        "messages": [TALK | {"thinking": ""}],
        "stream": False,
        "options": {"num_predict": 5},
        "think": None,
    },
    "/api/embed": {"model": "tiny", "input": [MARK], "dimensions": 4, "truncate": True},
    "/api/embeddings": {"model": "tiny", "prompt": MARK},
    "/api/show": {"model": "tiny", "verbose": True},
    "/api/pull": {"model": MARK, "stream": False, "insecure": False},
    "/api/create": {"model": "made", "from": "tiny", "system": MARK, "parameters": {"top_k": 3}},
    "/api/copy": {"source": "tiny", "destination": "made"},
    "/api/delete": {"model": MARK},
    "/v1/systemone": {
        "model": "tiny",
        "state": {MARK: 1},
        "questions": {"a": {"type": "choice", "instructions": "?", "criteria": {"x": "y", "z": None}}},
    },
    "/v1/chat/completions": {
        "model": "tiny",
        "messages": [TALK],
        "max_tokens": 5,
        "n": 2,
        "stop": ["x"],
        "response_format": {"type": "json_object"},
        "stream_options": {"include_usage": True},
        "stream": True,
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "none",
        "chat_template_kwargs": {"enable_thinking": False},
    },
    "/v1/completions": {"model": "tiny", "prompt": [MARK], "max_tokens": 5, "logprobs": 1, "echo": True},
    "/v1/embeddings": {"model": "tiny", "input": [MARK], "encoding_format": "base64", "dimensions": 4},
    "/api/review": {"file_path": "a.py", "code": f"{MARK} = 1\n", "settings": {"effort": "quick"}},
    protocol.PATH: BUNDLE,
    f"{protocol.PATH}/size": BUNDLE,
}
VALUES: tuple[Any, ...] = (None, -1, 10**30, "\0", [[MARK]], {MARK: [1, {}]})
RAW = (
    b"",
    b"\0",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"{" * 5000,
    b'{"model":' * 3000,
    b'{"model": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"model": "\\ud800"}',
    b'{"model": "\\u0000"}',
    b'{"model": 1' + b"0" * 4000 + b"}",
    b'{"model": -Infinity}',
    b'{"model": 1e999}',
    b'{"": 0, "model": "tiny", "model": "tiny"}',
)


def changed(value: Any) -> Iterator[Any]:
    """Put each hostile value into each place of a body, one at a time; and leave each place out."""
    if isinstance(value, dict):
        for key, part in value.items():
            for other in changed(part):
                yield {**value, key: other}
            yield {k: v for k, v in value.items() if k != key}
        yield {**value, "\0": 1}
    elif isinstance(value, list):
        for number, part in enumerate(value):
            for other in changed(part):
                yield [*value[:number], other, *value[number + 1 :]]
    yield from VALUES


@pytest.mark.parametrize("path", GOOD)
def test_no_body_is_a_fault(path: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = models_in(tmp_path, Loads())
    server = Server(Settings(model="tiny"), models, Environment({}, tmp_path, lambda sentence: None))
    method = "DELETE" if path == "/api/delete" else "POST"

    async def ask() -> list[tuple[bytes, int, str]]:
        transport = httpx.ASGITransport(make_app(server), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            bodies = [json.dumps(GOOD[path]).encode(), *RAW]
            if not path.endswith("/size"):  # which reads the same body as the one before it
                bodies += [json.dumps(each).encode() for each in changed(GOOD[path])]
            told = []
            for body in bodies:
                answer = await client.request(method, path, content=body)
                told.append((body, answer.status_code, answer.text))
            return told

    with caplog.at_level(logging.DEBUG):
        told = asyncio.run(ask())
    models.close()
    assert told[0][1] in (200, 404, 501)
    assert not [
        (body[:200], status, text[:300]) for body, status, text in told if status >= 500 and status != 501
    ]
    assert not [text[:300] for _, _, text in told if "internal" in text or "its log says" in text]
    assert MARK not in caplog.text
