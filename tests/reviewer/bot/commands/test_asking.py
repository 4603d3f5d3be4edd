"""`/ask`: what of a change is read, and what becomes of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import Engine, ScriptedEngine
from hunkwise.reviewer.answering.types import Answer, Quote, Sentence
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.bot import asking
from hunkwise.reviewer.bot.asking import Asking, found
from hunkwise.reviewer.commands.serving.bot import _talking
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.knowledge.port import Hit
from hunkwise.reviewer.types import Change

DIFF = """\
diff --git a/pool.py b/pool.py
--- a/pool.py
+++ b/pool.py
@@ -9,3 +9,3 @@ class Pool:
 def lease(self):
-    wait = 3
+    wait_seconds = 30
     return wait
diff --git a/readme.txt b/readme.txt
--- a/readme.txt
+++ b/readme.txt
@@ -1 +1 @@
-Old
+New
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""
CHANGE = parse_diff(DIFF.encode())
EMPTY = Change(())


def test_hunks_are_passages_with_true_lines() -> None:
    """The one that shares words with the question comes first; removed lines are in none."""
    best, other = (hit.passage for hit in found(CHANGE, "How many seconds does lease wait?"))

    assert (best.path, best.start, best.end) == ("pool.py", 9, 11)
    assert best.text == "def lease(self):\n    wait_seconds = 30\n    return wait"
    assert other.path == "readme.txt"


def test_a_long_hunk_comes_in_parts() -> None:
    """Each part knows its own lines, and there are not too many."""
    body = "".join(f"+line {number}\n" for number in range(1, 1001))
    head = (
        "diff --git a/l.txt b/l.txt\nnew file mode 100644\n--- /dev/null\n+++ b/l.txt\n@@ -0,0 +1,1000 @@\n"
    )
    hits = found(parse_diff((head + body).encode()), "What is on line 990?")

    assert len(hits) == 8
    assert all(hit.passage.text.split("\n")[0] == f"line {hit.passage.start}" for hit in hits)
    assert hits[0].passage.start <= 990 <= hits[0].passage.end


def scripted(monkeypatch: pytest.MonkeyPatch, *sentences: Sentence) -> Asking:
    def answer(question: str, hits: Sequence[Hit], engine: Engine, *, heard: Any) -> Answer:
        for sentence in sentences:
            heard(sentence)
        return Answer(question, "answered" if sentences else "not in the documents", (), sentences, model="m")

    monkeypatch.setattr(asking, "answer", answer)
    return Asking(ScriptedEngine)


def test_an_answer_grows_by_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told as it is checked, and the sources are the lines of their quotes."""
    quote, told = Quote("pool.py", 10, 10, "wait_seconds = 30"), list[str]()
    made = scripted(monkeypatch, Sentence("It waits.", quote), Sentence("30 seconds.", quote))(
        CHANGE, "How long?", told.append
    )

    assert told == ["It waits.", "It waits. 30 seconds."]
    assert (made.text, made.sources, made.model) == ("It waits. 30 seconds.", ("pool.py:10",), "m")


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is an answer; a question without a word is none."""
    one = scripted(monkeypatch)

    assert one(CHANGE, "Why?", lambda text: None).text.startswith("The change doesn't say")
    assert "no text" in one(EMPTY, "Why?", lambda text: None).text
    with pytest.raises(UsageError):
        one(CHANGE, "?!", lambda text: None)


def test_a_worker_without_a_server_takes_no_questions(tmp_path: Path) -> None:
    """It holds tokens, so it loads no model itself; all other commands are answered."""
    environment = Environment(
        {"HOME": str(tmp_path), "HUNKWISE_BOT_NAME": "@rev"}, tmp_path, lambda said: None
    )

    assert _talking(environment, (), None).asking is None
    assert _talking(environment, (), None).name == "rev"
    assert _talking(environment, ("http://localhost:1",), None).asking is not None
