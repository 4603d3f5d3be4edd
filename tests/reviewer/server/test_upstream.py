"""A server without a model: reviews are made there, and bundles handed on to the servers that have one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from serving import listening, make_server

from hunkwise.engine import Bundle, Choose, ScriptedEngine, Segment, connect
from hunkwise.engine.errors import ModelNotFound, Unreachable
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.upstream import upstream

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


def front(*urls: str) -> Server:
    settings = Settings(engine=urls, model="scripted")
    environment = Environment({}, Path("/nonexistent"), lambda sentence: None)
    return Server(settings, upstream(settings, environment), environment)


@pytest.fixture
def served() -> Iterator[tuple[httpx.Client, ScriptedEngine]]:
    engine = ScriptedEngine()
    with ExitStack() as stack:
        behind = stack.enter_context(listening(make_app(make_server(engine, model="scripted"))))
        server = front(str(behind.base_url))
        stack.callback(server.models.close)
        yield stack.enter_context(listening(make_app(server))), engine


def test_a_review_is_judged_behind(served: tuple[httpx.Client, ScriptedEngine]) -> None:
    """The front makes the review; the engine behind it is asked."""
    client, engine = served
    review = client.post("/api/review", json={"diff": DIFF}, timeout=60).json()
    assert (review["status"], review["complete"], review["model"]) == ("done", True, "scripted")
    assert {bundle.caller for bundle in engine.bundles} == {review["id"]}


def test_bundles_are_handed_on(served: tuple[httpx.Client, ScriptedEngine]) -> None:
    """A front is an engine too; other names are not there, and what concerns files is refused."""
    client, _ = served
    through = connect(str(client.base_url))
    assert through.ask(Bundle((Segment("x"),), (Choose("c", (Segment("?"),), ("a", "b")),)))
    through.close()
    with pytest.raises(ModelNotFound):
        connect(f"hunkwise+{client.base_url}", "other")
    assert client.post("/api/show", json={"model": "scripted"}).status_code == 404


def test_nobody_behind() -> None:
    """Rules and checks are made without an engine, and the review says what is missing; it is tried again."""
    server = front("http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        server.models.resolve("")
    with listening(make_app(server)) as client:
        review = client.post("/api/review", json={"diff": DIFF}, timeout=60).json()
    assert review["complete"] is False
    assert "can't be reached" in review["warning"]
