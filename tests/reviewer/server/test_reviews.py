"""Reviews over HTTP: what may be asked, how it is told, and what becomes of those nobody waits for."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import listening, make_server

from hunkwise.engine import Answer, Bundle, Question, ScriptedEngine
from hunkwise.reviewer.app.cache import caches_for_strangers
from hunkwise.reviewer.report import FORMATS
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.guard.tokens import new_token, write_tokens
from hunkwise.reviewer.server.reviews.answering import TYPES
from hunkwise.reviewer.server.reviews.asking import ALLOWED
from hunkwise.reviewer.types import Category

GO = "package main\n\nfunc main() {\n\tvar ch chan int\n\tclose(ch)\n}\n"
PYTHON = 'import os\n\n\ndef run(name):\n    os.system("ls " + name)\n'
DIFF = """\
diff --git a/sum.py b/sum.py
--- a/sum.py
+++ b/sum.py
@@ -1,4 +1,4 @@
 def total(values):
     result = 0
-    for value in values: result += value
+    for value in values: result -= value
     return result
"""
ASKED = {"file_path": "main.go", "code": GO}


class Held(ScriptedEngine):
    """An engine that waits when it is asked, until it may go on."""

    def __init__(self) -> None:
        super().__init__(self.script)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def script(self, _: Bundle, question: Question) -> Answer | None:
        self.asked.set()
        assert self.go_on.wait(60)
        return None


@contextmanager
def serving(engine: ScriptedEngine | None = None, **settings: Any) -> Iterator[httpx.Client]:
    with listening(make_app(make_server(engine, model="scripted", **settings))) as client:
        client.timeout = httpx.Timeout(60)
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving() as client:
        yield client


def test_the_form_of_the_requirement(client: httpx.Client) -> None:
    """A file's code gives findings by dimension: level, description, advice, an example, and the time."""
    answer = client.post("/api/review", json=ASKED)

    assert answer.status_code == 200
    review = answer.json()
    assert review["status"] == "done"
    assert review["complete"] is True
    assert set(review["dimensions"]) == set(Category)
    found = next(each for each in review["findings"] if each["line"] == 5)
    assert (found["path"], found["dimension"]) == ("main.go", "concurrency")
    assert found["level"] in ("critical", "high", "medium")
    assert found["description"]
    assert found["advice"]
    assert found["example"]
    assert review["dimensions"]["concurrency"] >= 1
    assert review["seconds"] > 0


def test_a_diff_is_put_to_the_model(tmp_path: Path) -> None:
    """A changed line is judged by the model of the server, under the review's name."""
    engine = ScriptedEngine()
    with serving(engine) as client:
        answer = client.post("/api/review", json={"diff": DIFF}).json()
    assert answer["status"] == "done"
    assert answer["model"] == "scripted"
    assert {bundle.caller for bundle in engine.bundles} == {answer["id"]}


def test_what_was_answered_is_not_asked_again_unless_by_another(tmp_path: Path) -> None:
    """By token, and over a restart: what one sent is not there for another, nor for trusted runs."""
    environ, file = {"HUNKWISE_CACHE": str(tmp_path / "cache")}, tmp_path / "tokens.json"
    (ann, first), (bob, second) = new_token("ann", ("review",)), new_token("bob", ("review",))
    write_tokens(file, (first, second))
    engine = ScriptedEngine()

    @contextmanager
    def remembering() -> Iterator[httpx.Client]:
        with caches_for_strangers(environ, lambda _: None) as caches:
            server = make_server(engine, model="scripted", tokens=file)
            server.caches = caches
            with listening(make_app(server)) as client:
                yield client

    def asked(of: httpx.Client, token: str) -> int:
        before, headers = len(engine.bundles), {"authorization": f"Bearer {token}"}
        answer = of.post("/api/review", json={"diff": DIFF}, headers=headers).json()
        assert answer["complete"] is True
        return len(engine.bundles) - before

    def counted(of: httpx.Client) -> dict[str, float]:
        text = of.get("/metrics", headers={"authorization": f"Bearer {ann}"}).text
        found = re.findall(r'answer_cache_requests_total\{result="(\w+)"\} (\S+)', text)
        return {name: float(number) for name, number in found}

    with remembering() as client:
        assert asked(client, ann) > 0
        missed = counted(client)["miss"]
        assert asked(client, ann) == 0
        assert counted(client) == {"memory": missed, "disk": 0, "redis": 0, "miss": missed}
        assert asked(client, bob) > 0
    with remembering() as client:
        assert asked(client, bob) == 0
        assert counted(client) == {"memory": 0, "disk": missed, "redis": 0, "miss": 0}
    assert not (tmp_path / "cache" / "answers-trusted.sqlite3").exists()


@pytest.mark.parametrize("name", list(TYPES))
def test_every_format_by_its_type(client: httpx.Client, name: str) -> None:
    """Each report format is given by its media type, and by its name."""
    by_type = client.post("/api/review", json=ASKED, headers={"accept": TYPES[name]})
    by_name = client.post(f"/api/review?format={name}", json=ASKED)
    for answer in (by_type, by_name):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(TYPES[name])
        assert "main.go" in answer.text
    assert name in FORMATS


def test_a_type_that_is_not_there(client: httpx.Client) -> None:
    """A type that no format has is refused with those that there are; weights are heeded."""
    assert client.post("/api/review", json=ASKED, headers={"accept": "image/png"}).status_code == 406
    mixed = client.post("/api/review", json=ASKED, headers={"accept": "text/html;q=0.1, text/markdown"})
    assert mixed.headers["content-type"].startswith("text/markdown")
    assert client.post("/api/review?format=papyrus", json=ASKED).status_code == 400


@pytest.mark.parametrize("media", ["application/x-ndjson", "text/event-stream"])
def test_findings_are_streamed(client: httpx.Client, media: str) -> None:
    """Findings come one by one, and the review at last."""
    with client.stream("POST", "/api/review", json=ASKED, headers={"accept": media}) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line and line[0] != ":"]
    *findings, last = map(json.loads, lines)
    assert any(each["finding"]["line"] == 5 for each in findings)
    assert last["review"]["status"] == "done"


def test_a_job(client: httpx.Client) -> None:
    """Who does not wait gets an address; there the review is told in every form, until it is dropped."""
    begun = client.post("/api/review", json={**ASKED, "wait": False})
    assert begun.status_code == 202
    place = begun.headers["location"]
    while client.get(place).json()["status"] in ("queued", "running"):
        threading.Event().wait(0.05)
    assert client.get(place).json()["findings"]
    assert "main.go" in client.get(place, headers={"accept": "text/markdown"}).text
    assert place.rsplit("/", 1)[1] in [each["id"] for each in client.get("/api/review").json()["reviews"]]
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_key_begins_a_review_once(client: httpx.Client) -> None:
    """The same key gives the same review; with another body it is refused."""
    headers = {"idempotency-key": "k1"}
    first, again = (client.post("/api/review", json=ASKED, headers=headers).json() for _ in range(2))
    assert first == again
    other = client.post("/api/review", json={**ASKED, "code": PYTHON}, headers=headers)
    assert other.status_code == 422
    assert client.post("/api/review", json=ASKED).json()["id"] != first["id"]


def test_equal_posts_at_once_are_one_review() -> None:
    """By their key; who of them goes takes it from nobody who still waits."""
    engine = Held()
    server = make_server(engine, model="scripted")
    headers = {"idempotency-key": "k1"}
    with listening(make_app(server)) as client, ThreadPoolExecutor(4) as threads:

        def ask(timeout: httpx.Timeout) -> httpx.Response:
            return client.post("/api/review", json={"diff": DIFF}, headers=headers, timeout=timeout)

        asked = [threads.submit(ask, httpx.Timeout(60)) for _ in range(3)]
        assert engine.asked.wait(60)
        while len(server.lives) != 3:
            threading.Event().wait(0.02)
        with pytest.raises(httpx.ReadTimeout):
            ask(httpx.Timeout(60, read=0.5))
        while len(server.lives) != 3:
            threading.Event().wait(0.02)
        engine.go_on.set()
        answers = [each.result() for each in asked]
        assert [answer.status_code for answer in answers] == [200] * 3
        (listed,) = client.get("/api/review").json()["reviews"]
        assert {answer.json()["id"] for answer in answers} == {listed["id"]}


def test_who_goes_away_takes_it_back() -> None:
    """A review that nobody waits for stops, and gives the model back."""
    engine = Held()
    server = make_server(engine, model="scripted")
    with listening(make_app(server)) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/api/review", json={"diff": DIFF}, timeout=httpx.Timeout(60, read=2))
        assert engine.asked.wait(60)
        engine.go_on.set()
        while client.get("/api/review").json()["reviews"] or server.models.users:  # type: ignore[attr-defined]
            threading.Event().wait(0.05)


def test_a_job_is_dropped_while_it_runs() -> None:
    """DELETE ends a running review at the next question."""
    engine = Held()
    with serving(engine) as client:
        place = client.post("/api/review", json={"diff": DIFF, "wait": False}).headers["location"]
        assert engine.asked.wait(60)
        assert client.delete(place).status_code == 204
        engine.go_on.set()
        assert client.get(place).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "x"},
        {"file_path": "a.py"},
        {"file_path": "a.py", "code": "x", "diff": DIFF},
        {"file_path": "../a.py", "code": "x"},
        {"file_path": "/etc/passwd", "code": "x"},
        {"file_path": "a/../../b", "code": "x"},
        {"file_path": ".git/config", "code": "[core]\n\tfsmonitor = touch /tmp/x\n"},
        {"file_path": "a/.GIT/config", "code": "x"},
        {"file_path": "-x", "code": "x"},
        {"file_path": "a\x00b", "code": "x"},
        {"file_path": "a" * 300, "code": "x"},
        {"diff": 7},
        {"diff": DIFF, "settings": {"engine": ["http://elsewhere"]}},
        {"diff": DIFF, "settings": {"offline": False}},
        {"diff": DIFF, "settings": {"min_confidence": "high"}},
        {"diff": DIFF, "settings": []},
        {"diff": DIFF, "unknown": 1},
        {"repository": "project"},
        {"diff": "no diff at all"},
    ],
)
def test_what_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    """What is no review is a 400 with one sentence."""
    answer = client.post("/api/review", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_settings_of_a_review(client: httpx.Client) -> None:
    """A client may say how its review is to be; how the machine is used it may not."""
    few = client.post("/api/review", json={**ASKED, "settings": {"disabled_rules": ["go-*"]}}).json()
    assert not few["findings"]
    assert not {"engine", "writer", "model", "max_time", "offline", "isolate", "analyzers"} & set(ALLOWED)


def test_what_a_file_brings_is_not_believed(client: httpx.Client) -> None:
    """A file that would be our configuration is code like any other."""
    sent = {"file_path": ".hunkwise.toml", "code": 'disabled_rules = ["go-*"]\n'}
    assert client.post("/api/review", json=sent).status_code == 200


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a change that brings a bug in."""
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "run.py").write_text("import os\n")
    for text in ("import os\n", PYTHON):
        (tmp_path / "run.py").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "m"], check=True)
    return tmp_path


def test_a_repository_of_the_operators(repository: Path) -> None:
    """Commits of a listed repository are reviewed; another is not there, whatever its path."""
    with serving(repositories={"project": repository}) as client:
        asked = {"repository": "project", "from": "HEAD~1"}
        found = client.post("/api/review", json=asked).json()["findings"]
        assert [(each["path"], each["line"]) for each in found] == [("run.py", 5)]
        for name in ("other", str(repository), "../project"):
            assert client.post("/api/review", json={**asked, "repository": name}).status_code == 404
        for revision in ("--upload-pack=x", "nothing-of-that-name", "a\nb"):
            answer = client.post("/api/review", json={**asked, "from": revision})
            assert answer.status_code == 400
            assert str(repository) not in answer.text


def test_a_model_that_is_not_there(client: httpx.Client) -> None:
    """What needs no model is checked all the same, and the answer says that the model was not asked."""
    answer = client.post("/api/review", json={"diff": DIFF, "model": "other"}).json()
    assert answer["status"] == "done"
    assert answer["complete"] is False
    assert "other" in answer["warning"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old reviews go where many large ones are kept, and none waits that is larger than all may be."""
    monkeypatch.setattr("hunkwise.reviewer.server.reviews.jobs.MOST_TEXT", 2500)
    with serving() as client:
        sent = [{"file_path": f"{n}.py", "code": "# x\n" * 250} for n in range(5)]
        ids = [client.post("/api/review", json=each).json()["id"] for each in sent]
        assert [each["id"] for each in client.get("/api/review").json()["reviews"]] == [ids[4], ids[3]]
        assert (
            client.post("/api/review", json={"file_path": "a.py", "code": "# x\n" * 800}).status_code == 503
        )
