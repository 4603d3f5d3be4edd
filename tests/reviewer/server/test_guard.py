"""Who comes in: tokens and scopes, hosts and pages, sizes, rates and room; what is counted and logged of it."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from serving import Speaker, listening, make_server

from hunkwise.engine import Bundle, Engine, Generate, ScriptedEngine, Segment, protocol
from hunkwise.reviewer.commands.setup.token import command
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.errors import BUSY
from hunkwise.reviewer.server.guard.gate import check_start
from hunkwise.reviewer.server.guard.origins import host_is_ours, origin_is_allowed
from hunkwise.reviewer.server.guard.tokens import Tokens, new_token, read_tokens, write_tokens

CODE = {"file_path": "a.py", "code": "secret_word = 1\n"}


@contextmanager
def serving(engine: Engine | None = None, **settings: Any) -> Iterator[httpx.Client]:
    with listening(make_app(make_server(engine, model="scripted", **settings))) as client:
        client.timeout = httpx.Timeout(60)
        yield client


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def made(file: Path, name: str, *scopes: str) -> str:
    text, token = new_token(name, scopes)
    write_tokens(file, (*read_tokens(file), token))
    return text


def test_tokens_and_scopes(file: Path) -> None:
    """Without a token nothing but probes and the page; with one what it is for, and its own reviews alone."""
    review, infer, admin = (made(file, name, name) for name in ("review", "infer", "admin"))
    with serving(tokens=file) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/api/tags", "/metrics", "/api/review", "/v1/models"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert client.get("/api/review", headers=bearer("hw_wrong")).status_code == 401
        begun = client.post("/api/review", json=CODE, headers=bearer(review))
        assert begun.status_code == 200
        for text, path, status in (
            (infer, "/api/review", 403),
            (review, "/api/generate", 403),
            (review, "/api/pull", 403),
            (infer, "/api/delete", 403),
        ):
            method = "DELETE" if path == "/api/delete" else "POST"
            assert client.request(method, path, json={}, headers=bearer(text)).status_code == status, path
        assert client.request("DELETE", "/api/delete", json={}, headers=bearer(admin)).status_code != 403
        other = made(file, "other", "review")
        place = begun.headers["location"]
        assert client.get(place, headers=bearer(review)).status_code == 200
        assert client.get(place, headers=bearer(other)).status_code == 404


def test_who_is_revoked_is_out_at_once(file: Path) -> None:
    """The file is read again when it changes; the last one that goes leaves nobody, on loopback."""
    one, two = made(file, "one", "review"), made(file, "two", "review")
    with serving(tokens=file) as client:
        assert client.get("/api/review", headers=bearer(one)).status_code == 200
        write_tokens(file, tuple(token for token in read_tokens(file) if token.name != "one"))
        assert client.get("/api/review", headers=bearer(one)).status_code == 401
        assert client.get("/api/review", headers=bearer(two)).status_code == 200


def test_the_file_holds_no_token(file: Path) -> None:
    """Only digests are kept, for the user alone; a file that is none is a sentence."""
    text = made(file, "one", "review")
    assert text not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    for broken in ("{", "[]", '{"tokens": 1}', '{"tokens": [{"name": "x", "sha256": "y", "scopes": []}]}'):
        file.write_text(broken)
        with pytest.raises(ConfigError):
            Tokens(file).find(text)


def test_the_verb(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is made, told once, listed and taken back."""
    monkeypatch.setenv("HUNKWISE_TOKENS", str(file))

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command, arguments)

    text = run("add", "ci", "--scope", "review").output.strip()
    found = Tokens(file).find(text)
    assert found is not None
    assert (found.name, found.scopes) == ("ci", ("review",))
    assert run("list").output == "ci\treview\n"
    assert run("add", "ci").exit_code != 0
    assert run("revoke", "ci").exit_code == 0
    assert run("list").output == ""
    assert run("revoke", "ci").exit_code != 0


def test_nobody_listens_openly_without_tokens(file: Path) -> None:
    """Other addresses than loopback want a token first."""
    assert "make a token first" in check_start("0.0.0.0", Tokens(file))
    assert check_start("127.0.0.1", Tokens(file)) == ""
    made(file, "one", "review")
    assert check_start("0.0.0.0", Tokens(file)) == ""


@pytest.mark.parametrize(
    ("header", "listening_on", "allowed", "ours"),
    [
        ("localhost:11435", "127.0.0.1", (), True),
        ("127.0.0.1", "127.0.0.1", (), True),
        ("[::1]:11435", "::1", (), True),
        ("app.localhost:1", "127.0.0.1", (), True),
        ("evil.example", "127.0.0.1", (), False),
        ("evil.example:11435", "127.0.0.1", (), False),
        ("localhost.evil.example", "127.0.0.1", (), False),
        ("", "127.0.0.1", (), False),
        ("reviews.example.org", "127.0.0.1", ("reviews.example.org",), True),
        ("gpu-machine:11435", "0.0.0.0", (), True),
        ("other.example", "0.0.0.0", ("reviews.example.org",), False),
    ],
)
def test_hosts(header: str, listening_on: str, allowed: tuple[str, ...], ours: bool) -> None:
    """On loopback a foreign Host is a page that lies about where it leads (DNS rebinding)."""
    assert host_is_ours(header, listening_on, allowed) is ours


@pytest.mark.parametrize(
    ("origin", "allowed", "yes"),
    [
        ("http://127.0.0.1:11435", (), True),
        ("http://localhost:3000", (), True),
        ("https://reviews.example.org", ("https://reviews.example.org",), True),
        ("https://x.example.org", ("https://*.example.org",), True),
        ("vscode-webview://abc", (), True),
        ("https://evil.example", (), False),
        ("http://localhost.evil.example", (), False),
        ("null", (), False),
        ("https://evil.example#http://localhost", (), False),
    ],
)
def test_pages(origin: str, allowed: tuple[str, ...], yes: bool) -> None:
    """Pages of this machine, and those that the operator lists."""
    assert origin_is_allowed(origin, "127.0.0.1:11435", allowed) is yes


def test_pages_over_http() -> None:
    """A foreign page can neither call nor read; an own one gets its headers, and an answer to its preflight."""
    with serving() as client:
        assert client.get("/api/review", headers={"host": "evil.example"}).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert client.post("/api/review", json=CODE, headers=evil).status_code == 403
        assert "access-control-allow-origin" not in client.get("/api/review", headers=evil).headers
        own = {"origin": "http://localhost:3000"}
        assert client.get("/api/review", headers=own).headers["access-control-allow-origin"] == own["origin"]
        wish = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "Authorization, X-Odd",
        }
        asked = client.options("/api/review", headers={**own, **wish})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-headers"] == "authorization"


def test_sizes() -> None:
    """What is too large is refused by its length, and in chunks as soon as it is."""
    with serving(max_body=1000) as client:
        big = b'{"file_path": "a.py", "code": "' + b"x" * 2000 + b'"}'
        assert client.post("/api/review", content=big).status_code == 413
        assert client.post("/api/review", content=iter([big[:900], big[900:]])).status_code == 413
        assert client.post("/api/review", json=CODE).status_code == 200


def test_rates(file: Path) -> None:
    """So many requests a token, so many an address; then 429 with the time to wait."""
    one, two = made(file, "one", "review"), made(file, "two", "review")
    with serving(tokens=file, rate="2/hour") as client:
        assert [client.get("/api/review", headers=bearer(one)).status_code for _ in range(3)] == [
            200,
            200,
            429,
        ]
        assert client.get("/api/review", headers=bearer(two)).status_code == 200
        late = client.get("/api/review", headers=bearer(one))
        assert int(late.headers["retry-after"]) > 1
    with serving(address_rate="1/hour") as client:
        assert [client.get("/api/review").status_code for _ in range(2)] == [200, 429]
        assert client.get("/healthz").status_code == 200


def test_room() -> None:
    """A full queue says so in Ollama's words, or in OpenAI's form; room comes back with the end of a request."""
    speaker = Speaker(first="x")
    with serving(speaker, max_queue=1) as client:
        body = {"model": "scripted", "prompt": "x"}
        bundle = protocol.write_bundle(
            Bundle((Segment("x"),), (Generate("g", (Segment("?"),), 9),)), "scripted"
        )
        with client.stream("POST", protocol.PATH, json=bundle) as running:
            lines = running.iter_lines()
            assert '"x"' in next(lines)
            full = client.post("/api/generate", json=body)
            assert (full.status_code, full.json()["error"]) == (503, BUSY)
            assert full.headers["retry-after"]
            openai = client.post("/v1/chat/completions", json=body)
            assert openai.status_code == 503
            assert openai.headers["x-should-retry"] == "true"
            speaker.finish()
            assert list(lines)
        assert client.post("/api/review", json=CODE).status_code == 200


def test_a_server_that_drains_takes_nothing_new() -> None:
    """Probes and lists answer on; work is sent elsewhere."""
    server = make_server(model="scripted")
    with listening(make_app(server)) as client:
        server.drain()
        assert client.post("/api/review", json=CODE).status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


def test_what_is_counted() -> None:
    """Requests by route and status, refusals by reason, reviews and findings; a client's words are no labels."""
    with serving(ScriptedEngine(), max_body=5000) as client:
        client.post(
            "/api/review",
            json={
                "file_path": "a.go",
                "code": "package main\n\nfunc main() {\n\tvar c chan int\n\tclose(c)\n}\n",
            },
        )
        client.post("/api/review", content=b"x" * 6000)
        client.get("/nobody/is/here")
        client.get("/api/review/unknown")
        text = client.get("/metrics").text
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["hunkwise_requests_total", ("code", "200"), ("endpoint", "/api/review")] == 1
    assert found["hunkwise_requests_total", ("code", "404"), ("endpoint", "/api/review/{id}")] == 1
    assert found["hunkwise_requests_total", ("code", "404"), ("endpoint", "other")] == 1
    assert found["hunkwise_rejected_total", ("reason", "body")] == 1
    assert found["hunkwise_reviews_total", ("outcome", "done")] == 1
    assert found["hunkwise_remarks_total", ("severity", "high")] >= 1
    assert found["hunkwise_queue_depth", ("queue", "requests")] >= 1
    assert found["hunkwise_queue_depth", ("queue", "reviews")] == 0
    assert found["hunkwise_queue_wait_seconds_count", ("queue", "reviews")] == 1
    assert "nobody" not in text
    assert "unknown" not in text


def test_the_log_holds_no_code(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A line a request, with its id, which the client gets too; no code, no token, no query."""
    text = made(file, "one", "review")
    with caplog.at_level(logging.INFO, "hunkwise.server"), serving(tokens=file) as client:
        answer = client.post("/api/review?format=json", json=CODE, headers=bearer(text))
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "hunkwise.server"]
    assert line["id"] == answer.headers["x-request-id"]
    assert (line["method"], line["endpoint"], line["status"], line["caller"]) == (
        "POST",
        "/api/review",
        200,
        "one",
    )
    everything = "\n".join(record.getMessage() for record in caplog.records)
    assert not [word for word in (text, "secret_word", "format=json") if word in everything]


def test_the_dashboard_asks_for_what_there_is() -> None:
    """Each metric and label in the dashboard's queries is one of the server's."""
    dashboard = json.loads((Path(__file__).parents[3] / "deploy" / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    with serving() as client:
        client.post("/api/review", json=CODE)
        text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    names = {sample.name for family in families for sample in family.samples}
    names |= {
        family.name for family in families if family.type == "gauge"
    }  # without a model in memory there is none
    names |= {f"{family.name}_total" for family in families if family.type == "counter"}
    names |= {f"{family.name}_bucket" for family in families if family.type == "histogram"}
    labels = {"code", "endpoint", "outcome", "severity", "reason", "queue", "device", "kind", "le"}
    assert queries
    for query in queries:
        assert set(re.findall(r"hunkwise_\w+", query)) <= names, query
        assert {
            each.strip() for group in re.findall(r"by \(([^)]*)\)", query) for each in group.split(",")
        } <= labels


def test_the_last_token_that_is_revoked_lets_nobody_in(file: Path) -> None:
    """Where other machines reach the server, no tokens means no entry, not entry for all."""
    text = made(file, "one", "review")
    with serving(tokens=file, host="0.0.0.0") as client:
        assert client.get("/api/review", headers=bearer(text)).status_code == 200
        write_tokens(file, ())
        for headers in ({}, bearer(text)):
            assert client.get("/api/review", headers=headers).status_code == 401


def test_rates_in_redis_and_without_it(file: Path) -> None:
    """Rates are counted over Redis' protocol; while it does not answer, each process counts for itself."""
    with serving(address_rate="1/hour", redis_url="redis://127.0.0.1:9/0") as client:
        assert [client.get("/api/review").status_code for _ in range(2)] == [200, 429]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and says nothing
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with serving(address_rate="1/hour", redis_url=url) as client:
            assert [client.get("/api/review").status_code for _ in range(2)] == [200, 429]


def test_who_stops_in_the_middle_of_a_body() -> None:
    """A half-sent body is given up after a while, and its place is free again."""
    with serving(send_timeout=0.3, max_queue=1) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        with socket.create_connection(address) as half:
            head = b"POST /api/review HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
            half.sendall(head)
            assert half.recv(100).startswith(b"HTTP/1.1 408")
        assert client.post("/api/review", json=CODE).status_code == 200


def test_room_by_tokens() -> None:
    """One large request is let in alone, in chunks too; a second one beside it has to wait."""
    speaker = Speaker(first="x")
    with serving(speaker, max_queue_tokens=10) as client:
        body = json.dumps(CODE).encode()
        assert client.post("/api/review", content=body).status_code == 200
        assert client.post("/api/review", content=iter([body[:9], body[9:]])).status_code == 200
        bundle = protocol.write_bundle(
            Bundle((Segment("x"),), (Generate("g", (Segment("?"),), 9),)), "scripted"
        )
        with client.stream("POST", protocol.PATH, json=bundle) as running:
            lines = running.iter_lines()
            assert '"x"' in next(lines)
            assert client.post("/api/review", content=body).status_code == 503
            speaker.finish()
            assert list(lines)
        assert client.post("/api/review", content=body).status_code == 200
