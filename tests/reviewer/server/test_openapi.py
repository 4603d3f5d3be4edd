"""The published description of our own endpoints is sound, and the server keeps to it, whatever it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from serving import listening, make_server

from hunkwise.engine import Bundle, Choose, Segment, protocol
from hunkwise.reviewer.server.asgi import make_app
from hunkwise.reviewer.server.reviews.answering import STREAMS, TYPES
from hunkwise.reviewer.server.reviews.asking import ALLOWED

SPEC: dict[str, Any] = json.loads(files("hunkwise.reviewer.server").joinpath("openapi.json").read_bytes())
OURS = ("/api/review", "/api/ask", "/api/bundle", "/healthz", "/readyz", "/openapi.json")
GOOD = {"file_path": "main.go", "code": "package main\n\nfunc main() {\n\tvar ch chan int\n\tclose(ch)\n}\n"}
BUNDLE = protocol.write_bundle(
    Bundle((Segment("x"),), (Choose("c", (Segment("?"),), ("a", "b")),)), "scripted"
)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with listening(make_app(make_server(model="scripted"))) as client:
        client.timeout = httpx.Timeout(60)
        yield client


def told(answer: httpx.Response, path: str) -> None:
    """Hold an answer to the description."""
    described = SPEC["paths"][path][answer.request.method.lower()]["responses"]
    assert str(answer.status_code) in described, (answer.status_code, answer.text)
    content = described[str(answer.status_code)].get("content", {})
    media = answer.headers.get("content-type", "").partition(";")[0]
    assert (media in content) if content else not answer.content
    schema = content.get(media, {}).get("schema", {})
    if media == "application/json":
        jsonschema.validate(answer.json(), {**schema, "components": SPEC["components"]})


def test_the_description_is_sound_and_served(client: httpx.Client) -> None:
    """It is OpenAPI 3.1, lies at /openapi.json, and names all endpoints of ours and no other."""
    validate(SPEC)
    assert client.get("/openapi.json").json() == SPEC
    routes = {route.path for route in make_app(make_server()).routes if route.path.startswith(OURS)}  # type: ignore[attr-defined]
    assert routes - {"/openapi.json"} == set(SPEC["paths"])


def test_settings_and_types_are_those_of_the_code() -> None:
    """What a client may say, and the forms that it may get."""
    assert set(SPEC["components"]["schemas"]["Asked"]["properties"]["settings"]["properties"]) == set(ALLOWED)
    content = SPEC["paths"]["/api/review"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", *TYPES.values(), *STREAMS}


def test_what_is_right(client: httpx.Client) -> None:
    """Every endpoint keeps to it where all goes well."""
    told(client.post("/api/review", json=GOOD), "/api/review")
    begun = client.post("/api/review", json={**GOOD, "wait": False})
    told(begun, "/api/review")
    told(client.get("/api/review"), "/api/review")
    told(client.get(begun.headers["location"]), "/api/review/{id}")
    told(client.delete(begun.headers["location"]), "/api/review/{id}")
    told(client.get(begun.headers["location"]), "/api/review/{id}")
    told(client.get("/api/bundle?model=scripted"), "/api/bundle")
    told(client.get("/api/bundle?model=other"), "/api/bundle")
    told(client.post("/api/bundle", json=BUNDLE), "/api/bundle")
    told(client.post("/api/bundle/size", json=BUNDLE), "/api/bundle/size")
    for path in ("/healthz", "/readyz"):
        told(client.get(path), path)


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
ANY = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
NAMES = st.sampled_from(
    [
        "file_path",
        "code",
        "diff",
        "repository",
        "from",
        "to",
        "model",
        "settings",
        "wait",
        "bundle",
        "question",
        "x",
    ]
)
LIKELY = st.sampled_from(
    [
        "a.py",
        "../x",
        "def f():\n    return 1\n",
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n",
        "HEAD",
        True,
        {},
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(NAMES, LIKELY | ANY, max_size=4),
    path=st.sampled_from(["/api/review", "/api/ask", "/api/bundle", "/api/bundle/size"]),
)
def test_whatever_is_sent(client: httpx.Client, body: dict[str, Any], path: str) -> None:
    """Any object gets an answer of the description, and never a 500."""
    told(client.post(path, json=body), path)
