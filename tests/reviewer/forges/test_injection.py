"""Instructions planted in a change, and a model that obeys them: what can it do? Word a remark, no more."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes.clients import TOKEN, post, written
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.models import disliking
from markdown_it import MarkdownIt

from hunkwise.engine import Bundle, Choose, Generate, ScriptedEngine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.findings.suppressions import Suppressions
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.report.interchange.json import load
from hunkwise.reviewer.types import Category, Change, Severity

PLANTED: list[str] = json.loads((Path(__file__).parents[2] / "cases" / "injections.json").read_text("utf-8"))
STRANGER = Suppressions(today=date(2026, 1, 1), trusted=False)
MAY = re.compile(  # all that a poster ever asks of a forge in writing
    r"POST .*/pulls/7/(reviews|comments)|POST .*/issues/7/comments"
    r"|POST .*/merge_requests/7/(discussions|notes|draft_notes(/bulk_publish)?)"
)
planted = pytest.mark.parametrize("text", PLANTED, ids=range(len(PLANTED)))
Start = Callable[..., Any]


def patch(text: str, name: str = "sums.py") -> str:
    """A change with a text in a comment and in a string, beside a line that is wrong."""
    own = [f"# {line}" for line in text.splitlines()] + [f"NOTE = {text!r}", "total = first - second"]
    added = "".join(f"+{line}\n" for line in own)
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return (
        f"{head}@@ -1,3 +1,{len(own) + 2} @@\n check(first)\n-total = first + second\n{added} show(total)\n"
    )


def change(text: str) -> Change:
    return replace(parse_diff(patch(text).encode("utf-8", "surrogatepass")), head="a" * 40)


def obedient(text: str) -> ScriptedEngine:
    """A model that does what it is told as far as the grammar lets it: it repeats the text as its remark."""

    def words(schema: Mapping[str, Any]) -> Mapping[str, Any]:
        fields = schema["properties"]
        said = {"line": fields["line"]["enum"][-1], "severity": fields["severity"]["enum"][-1]}
        return {**said, "title": text[:80], "message": text[:360]}

    return ScriptedEngine(disliking(words))


def schemas(bundles: list[Bundle]) -> Iterator[Mapping[str, Any]]:
    for bundle in bundles:
        for question in bundle.questions:
            if isinstance(question, Generate):
                assert question.schema is not None
                yield question.schema


def prompts(bundles: list[Bundle]) -> str:
    return "".join(
        segment.text
        for bundle in bundles
        for segment in (*bundle.shared, *(part for question in bundle.questions for part in question.prompt))
    )


@planted
def test_there_is_nothing_to_say_but_a_remark(text: str) -> None:
    """Whatever is planted, an answer names a changed line and a severity above info, a category, or Yes or No."""
    engine = obedient(text)
    made = review(change(text), Config(), engine, silence=STRANGER)

    lines = {line.new_no for line in change(text).files[0].hunks[0].added}
    assert list(schemas(engine.bundles))
    for schema in schemas(engine.bundles):
        assert set(schema["properties"]) == {"line", "severity", "title", "message"}
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]["line"]["enum"]) <= lines
        assert set(schema["properties"]["severity"]["enum"]) <= set(Severity) - {Severity.INFO}
    asked = [question for bundle in engine.bundles for question in bundle.questions]
    options = {question.options for question in asked if isinstance(question, Choose)}
    assert options == {("Yes", "No"), tuple(category.value for category in Category)}
    assert len(made.findings) + len(made.rejected) >= 1, "a remark that is not made is counted with a reason"


@planted
def test_the_model_reads_the_change_and_nothing_else(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the environment and no file of the machine is ever part of a prompt."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    engine = obedient(text)
    review(change(text), Config(), engine, silence=STRANGER)

    read = prompts(engine.bundles)
    assert "total = first - second" in read
    assert TOKEN not in read
    assert "root:" not in read
    assert os.environ["PATH"] not in read


@planted
@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_an_obedient_model_moves_no_forge(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """From the first stage's file to the forge: comments alone, no approval, no command, no link, no token."""
    start: Start = request.getfixturevalue(name)
    made = review(change(text), Config(min_severity=Severity.INFO), obedient(text), silence=STRANGER)
    forge: FakeGitHub | FakeGitLab = start(patch=patch(text), title=text, check=False)
    post(load(renderer("json")(made, View()).encode()), forge)

    assert written(forge)
    assert all(MAY.fullmatch(one) for one in written(forge)), written(forge)
    sent = [one.body for one in forge.requests if one.method == "POST" and isinstance(one.body, dict)]
    assert {body["event"] for body in sent if "event" in body} <= {"COMMENT"}
    assert getattr(forge, "executed", []) == []
    for body in (str(body["body"]) for body in sent if "body" in body):
        assert TOKEN not in body
        tokens = MarkdownIt("commonmark", {"html": True}).parse(body)
        kinds = {child.type for token in tokens for child in token.children or []}
        assert not kinds & {"image", "link_open"}
        assert not re.search(r"^/\w", body, re.MULTILINE)
