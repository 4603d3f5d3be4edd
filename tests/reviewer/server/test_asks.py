"""Questions over HTTP: answers, streams, passages alone, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from answerer import answerer
from browser import CHROMIUM, Browser
from serving import FakeModels, listening

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.telling.index import index
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server

HOSTILE = "<img src=x onerror=alert(1)>"
ASKED = "Which port does the server listen on?"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server with two folders of documents, one of which is indexed."""
    base = tmp_path_factory.mktemp("asks")
    docs, other = base / "docs", base / "other"
    docs.mkdir()
    other.mkdir()
    (docs / "port.md").write_text("# Ports\n\nThe server listens on port 11435.\n")
    (docs / "fish.md").write_text(
        "# Whales\n\nThe whale listens to the server of the sea.\n\n" + HOSTILE + " a port"
    )
    variables = {"HUNKWISE_CACHE": str(base / "cache")}
    environment = Environment(variables, docs, lambda sentence: None)
    index([], environment)
    settings = Settings(model="scripted", repositories={"docs": docs, "other": other})
    with listening(make_app(Server(settings, FakeModels(answerer()), environment))) as client:
        yield client


def test_what_the_model_takes_is_counted(client: httpx.Client) -> None:
    asked(client)
    told = client.get("/metrics").text
    assert 'hunkwise_tokens_total{kind="sampled",model="scripted:latest"}' in told
    assert 'hunkwise_queue_wait_seconds_count{queue="model"}' in told


def test_where_nobody_names_a_model_the_setting_does(tmp_path: Path) -> None:
    """As for a review; the fake has no model of that name, and says so."""
    (tmp_path / "port.md").write_text("The server listens on port 11435.\n")
    environment = Environment({"HUNKWISE_CACHE": str(tmp_path / "cache")}, tmp_path, lambda sentence: None)
    index([], environment)
    settings = Settings(repositories={"docs": tmp_path})
    with listening(make_app(Server(settings, FakeModels(answerer()), environment))) as client:
        reply = client.post("/api/ask", json={"question": ASKED})
    assert reply.status_code == 404
    assert Config().model in reply.json()["error"]


def asked(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/api/ask", json={"question": ASKED, "repository": "docs", **body})


def test_an_answer_has_its_words_and_their_place(client: httpx.Client) -> None:
    reply = asked(client)
    told = reply.json()
    jsonschema.validate(told, {"$ref": "#/components/schemas/Answer", "components": spec()["components"]})
    assert (reply.status_code, told["verdict"]) == (200, "answered")
    (sentence,) = told["answer"]
    assert sentence == {
        "text": "It listens on port 11435.",
        "quote": "The server listens on port 11435.",
        "path": "port.md",
        "line": 3,
        "end_line": 3,
    }
    assert told["passages"][0]["path"] == "port.md"


def spec() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(
        files("hunkwise.reviewer.server").joinpath("openapi.json").read_bytes()
    )
    return described


@pytest.mark.parametrize("media", ["application/x-ndjson", "text/event-stream"])
def test_a_stream_gives_passages_sentences_and_the_answer(client: httpx.Client, media: str) -> None:
    reply = client.post("/api/ask", json={"question": ASKED, "repository": "docs"}, headers={"accept": media})
    assert reply.headers["content-type"].startswith(media)
    lines = [line.removeprefix("data: ") for line in reply.text.splitlines() if line and line[0] in "{d"]
    assert [next(iter(json.loads(line))) for line in lines] == ["passages", "sentence", "answer"]


def test_passages_alone_ask_no_model(client: httpx.Client) -> None:
    told = asked(
        client,
        passages_only=True,
        model="there is none",
        paths=["fish.*"],
        written_in=["markdown"],
        since="9d",
    ).json()
    assert (told["verdict"], [each["path"] for each in told["passages"]]) == ("passages only", ["fish.md"])


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"question": " "}, 400, "ask a question"),
        ({"question": "x" * 2000}, 400, "1000 are read"),
        ({"repository": "/etc"}, 404, "not one of this server's"),
        ({"repository": ""}, 400, "name the repository; one of docs, other"),
        ({"repository": "other"}, 400, "nothing is indexed of other;"),
        ({"passages": 0}, 400, "between 1 and 50"),
        ({"language": "\n"}, 400, "language"),
        ({"since": "yesterday"}, 400, "2026-03-31"),
        ({"since": "2026-13-01"}, 400, "2026-03-31"),
        ({"written_in": ["klingon"]}, 400, "written in klingon: markdown"),
        ({"model": "nobody"}, 404, "not found"),
        ({"index": "/etc/passwd"}, 400, "index"),
    ],
)
def test_what_is_refused(client: httpx.Client, body: dict[str, Any], status: int, why: str) -> None:
    reply = asked(client, **body)
    assert (reply.status_code, why in reply.json()["error"]) == (status, True), reply.text


def test_what_can_be_asked_about_is_listed(client: httpx.Client) -> None:
    told = client.get("/api/ask").json()["repositories"]
    assert told == [{"name": "docs", "indexed": True}, {"name": "other", "indexed": False}]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: the page is not looked at")
def test_the_page_asks_and_what_documents_hold_stays_text(
    client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    try:
        browser.open(str(client.base_url), 900, "light")
        browser.until("document.querySelector('#repository option') !== null")
        browser.tell(f"document.getElementById('question').value = {json.dumps(ASKED)}")
        browser.tell("document.getElementById('inquiry').requestSubmit()")
        browser.until("document.querySelector('#verdict').textContent === 'Answer'")
        assert "port.md:3" in browser.tell("document.querySelector('#sentences').innerText")
        assert HOSTILE in browser.tell("document.querySelector('#passages').textContent")
        assert browser.tell("document.querySelectorAll('#passages img').length") == 0
        assert browser.tell("document.activeElement.id") == "verdict"
        if folder := os.environ.get("HUNKWISE_PICTURES"):
            browser.picture(Path(folder, "page-ask.png"))
    finally:
        browser.close()
