"""Qdrant over HTTP: the requests that are sent, what goes wrong on the way, and what is said of it."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client")

from qdrantserver import TOKEN, QdrantServer, qdrant_server

from hunkwise.engine import Bundle, Embedding, Question, ScriptedEngine
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge.vectors import remote
from hunkwise.reviewer.knowledge.vectors.port import Key, Vector
from hunkwise.reviewer.knowledge.vectors.remote import QdrantVectors

KEYS = [bytes([number]) * 16 for number in range(5)]
ALL: list[tuple[Key, Vector]] = [(key, [number / 4, 1 - number / 4]) for number, key in enumerate(KEYS)]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with qdrant_server() as one:
        yield one


def _opened(server: QdrantServer) -> QdrantVectors:
    return QdrantVectors(server.url, "letters", token=TOKEN)


def test_each_request_is_one_that_qdrant_knows(server: QdrantServer) -> None:
    with warnings.catch_warnings(record=True) as heard:
        vectors = _opened(server)
        vectors.put(ALL)
    assert heard == []
    assert vectors.known([*KEYS, b"n" * 16]) == set(KEYS)
    assert vectors.nearest([1.0, 0.0], [KEYS[:2], KEYS[2:]], 2) == [KEYS[4], KEYS[3]]
    assert server.asked == ["GET /exists", "PUT ", "PUT /points", "POST /points", "POST /points/query"]
    again = _opened(server)
    again.put(ALL[:1])
    assert server.asked[5:] == ["GET /exists", "PUT /points"]


def test_who_is_second_to_make_a_collection_uses_it(server: QdrantServer) -> None:
    one, other = _opened(server), _opened(server)
    one.put(ALL[:2])
    other.put(ALL[2:])
    assert other.known(KEYS) == set(KEYS)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_token_that_is_refused_is_not_repeated(server: QdrantServer, token: str) -> None:
    with pytest.raises(KnowledgeError, match=r"refuses the token \(401\); set HUNKWISE_QDRANT_TOKEN$"):
        QdrantVectors(server.url, "letters", token=token)


def test_what_would_stand_in_a_message_is_refused(server: QdrantServer) -> None:
    for address, token in ((server.url, "se cret"), (server.url.replace("//", "//me:secret@"), "")):
        with pytest.raises(UsageError) as told:
            QdrantVectors(address, "letters", token=token)
        assert "cret" not in str(told.value).replace("HUNKWISE_QDRANT_TOKEN", "")
    assert server.asked == []


_ASKS: list[tuple[str, Callable[[QdrantVectors], object]]] = [
    ("PUT /points", lambda vectors: vectors.put(ALL)),
    ("POST /points", lambda vectors: vectors.known(KEYS)),
    ("POST /points/query", lambda vectors: vectors.nearest([1.0, 0.0], [KEYS], 2)),
]


@pytest.mark.parametrize(("route", "ask"), _ASKS, ids=[route for route, _ in _ASKS])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (500, "answers 500: Service internal error: a fault"),
        (302, "answers 302: Service internal error: a fault"),
        (1.5, "does not answer: timed out"),
        ("<html>\x1b[31m</html>", "does not answer: "),
        ('{"result": {"points": 3}, "status": 7}', "does not answer: "),
        ('{"result": [{"id": "x\\u001b[31m"}], "status": "ok"}', "does not answer: "),
        ("[" * 100_000, "does not answer: "),
    ],
    ids=["500", "302", "timeout", "html", "shape", "id", "deep"],
)
def test_a_fault_is_one_line_and_the_next_try_goes_on(
    server: QdrantServer,
    monkeypatch: pytest.MonkeyPatch,
    route: str,
    ask: Callable[[QdrantVectors], object],
    fault: float | str,
    said: str,
) -> None:
    monkeypatch.setattr(remote, "_SECONDS", 1)
    vectors = _opened(server)
    vectors.put(ALL)
    server.faults[route] = fault

    with pytest.raises(KnowledgeError) as told:
        ask(vectors)

    assert str(told.value).startswith(f"Qdrant at {server.url} {said}")
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 300
    ask(vectors)
    assert vectors.known(KEYS) == set(KEYS)


def test_a_collection_that_is_gone_and_a_server_that_is_gone_are_said() -> None:
    with qdrant_server() as server:
        vectors = _opened(server)
        vectors.put(ALL)
        (collection,) = server.client.get_collections().collections
        server.client.delete_collection(collection.name)
        with pytest.raises(KnowledgeError, match="answers 404: Not found: Collection `hunkwise-"):
            vectors.known(KEYS)
        _opened(server).put(ALL)
    with pytest.raises(KnowledgeError, match=r"does not answer: .*refused"):
        vectors.known(KEYS)
    with pytest.raises(KnowledgeError, match=r"does not answer: .*refused"):
        _opened(server)


def test_ask_finds_by_vectors_over_http(
    server: QdrantServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What fails ends the command with one line and code 2; what was embedded before is not embedded again."""

    def near(_: Bundle, question: Question) -> Embedding:
        return Embedding(question.id, (1.0, 0.0) if "whale" in getattr(question, "text", "") else (0.0, 1.0))

    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.md").write_text(
            f"# Note {number}\n\nOf {'whales' if number == 7 else 'ships'}.\n"
        )
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)
    for name, value in (
        ("CACHE", str(tmp_path / "cache")),
        ("QDRANT_URL", server.url),
        ("QDRANT_TOKEN", TOKEN),
    ):
        monkeypatch.setenv(f"HUNKWISE_{name}", value)
    assert run(hunkwise, ["index"]) == 0
    capsys.readouterr()

    def ask() -> tuple[int, str, str]:
        arguments = ["ask", "Which whale?", "--no-model", "--embed", "any", "--format", "json"]
        code = run(hunkwise, arguments, lambda *_: ScriptedEngine(near))
        return (code, *capsys.readouterr())

    server.faults["PUT /points"] = 500
    code, out, err = ask()
    assert (code, out) == (2, "")
    assert err == f"hunkwise: Qdrant at {server.url} answers 500: Service internal error: a fault\n"
    code, out, err = ask()
    assert (code, err) == (0, "hunkwise: 20 passages were embedded\n")
    assert json.loads(out)["passages"][0]["path"] == "7.md"
    assert ask()[2] == ""
