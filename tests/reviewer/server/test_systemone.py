"""Typed questions about one state: their forms, their answers and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
from modelled import Loads, modelled

from hunkwise.engine import Choice, Choose, ScriptedEngine, Usage
from hunkwise.reviewer.server.ollama.systemone import confidence

IN_Q = "questions['q']."
QUESTIONS: dict[str, Any] = {
    "label": {
        "type": "choice",
        "instructions": "Which?",
        "criteria": {"bug": "Software errors", "billing": None},
    },
    "urgent": {
        "type": "noul",
        "instructions": "Is it urgent?",
        "criteria": {"true": "today", "false": "later"},
    },
    "anger": {"type": "score", "instructions": {"how": "angry"}, "criteria": ["calm", "annoyed", "angry"]},
}
SHARES = {"label": (0.25, 0.75), "urgent": (0.1, 0.9), "anger": (0.5, 0.25, 0.25)}


def choosing(spec: Any, context: int) -> ScriptedEngine:
    def script(bundle: Any, question: Any) -> Choice:
        shares = SHARES[question.id]
        return Choice(question.id, shares, tuple(-1.0 for _ in shares), Usage(prefilled=10))

    return ScriptedEngine(script, context=context, model=spec.name)


@pytest.fixture
def loads() -> Loads:
    return Loads(choosing)


@pytest.fixture
def http(tmp_path: Path, loads: Loads) -> Iterator[httpx.Client]:
    with modelled(tmp_path, loads) as (_, client):
        yield client


def test_questions_share_one_reading_of_the_state(http: httpx.Client, loads: Loads) -> None:
    body = {"model": "tiny", "state": {"ticket": "500 errors"}, "questions": QUESTIONS}
    done = http.post("/v1/systemone", json=body).json()
    answers = done["answers"]
    assert answers["label"]["choice"] == "billing"
    assert answers["label"]["probabilities"] == {"bug": 0.25, "billing": 0.75}
    assert answers["urgent"] == {"type": "noul", "noul": 0.9}
    assert answers["anger"]["score"] == 0.75
    assert answers["anger"]["legend"] == {"0": "calm", "1": "annoyed", "2": "angry"}
    assert done["usage"] == {"input_tokens": 30, "output_tokens": 3}
    (bundle,) = loads.engines[0].bundles
    assert bundle.shared[-1].text == 'State:\n{"ticket": "500 errors"}\n\n'
    label, urgent, anger = bundle.questions
    assert isinstance(label, Choose)
    assert (label.options, urgent.options, anger.options) == (("A", "B"), ("No", "Yes"), ("0", "1", "2"))
    assert label.prompt[0].text == (
        "Question: Which?\nA: bug: Software errors\nB: billing\nAnswer with one label."
    )


def test_ollamas_client(http: httpx.Client) -> None:
    with ollama.Client(host=str(http.base_url)) as client:
        done = client.systemone("tiny", "500 errors", QUESTIONS, keep_alive="1m")
    assert done.answers["label"]["choice"] == "billing"
    assert done.usage.input_tokens == 30


def test_confidence_is_how_far_from_even_the_probabilities_are() -> None:
    assert confidence((0.0125, 0.9781, 0.0093)) == pytest.approx(0.8906, abs=1e-3)
    assert confidence((0.5, 0.5)) == pytest.approx(0)
    assert confidence((1.0, 0.0)) == 1


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"state": "x" * 70_000}, 400, "the request is larger than 64 KiB"),
        ({"questions": {}}, 400, "questions must hold between 1 and 256"),
        ({"questions": {"q": {"type": "text"}}}, 400, f"{IN_Q}type must be choice"),
        (
            {"questions": {"q": {"type": "choice", "criteria": ["a"]}}},
            400,
            f"{IN_Q}criteria must be an object",
        ),
        (
            {"questions": {"q": {"type": "choice", "criteria": {"a": None}}}},
            400,
            f"{IN_Q}criteria must hold",
        ),
        (
            {"questions": {"q": {"type": "noul", "criteria": {"maybe": "x"}}}},
            400,
            f"{IN_Q}criteria must be",
        ),
        (
            {"questions": {"q": {"type": "score", "criteria": [1]}}},
            400,
            f"{IN_Q}criteria must be a list",
        ),
        ({"model": "none"}, 404, "model 'none' not found"),
        ({"stream": True}, 400, "systemone answers whole"),
    ],
)
def test_what_is_refused(http: httpx.Client, changed: Any, status: int, error: str) -> None:
    body = {"model": "tiny", "state": "x", "questions": QUESTIONS, **changed}
    response = http.post("/v1/systemone", json=body)
    assert response.status_code == status, response.text
    assert response.json()["error"].startswith(error)
