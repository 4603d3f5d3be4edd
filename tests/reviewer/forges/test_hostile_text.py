"""What a model or an attacker wrote stays text, wherever it is posted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.clients import post
from fakes.reviews import PATCH, finding, review, suggested
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hunkwise.reviewer.types import Skipped

TEXTS: list[str] = json.loads(
    (Path(__file__).parents[2] / "cases" / "posting" / "hostile_texts.json").read_text("utf-8")
)
OURS = re.compile(
    r"<!-- hunkwise:v1 (fp=[0-9a-f]{32}|summary) run=[0-9a-f]{7} -->"
    r"|<details>\n<summary>(Silenced by people|Not reviewed) \(\d+\)</summary>|</details>"
)


def tokens(items: list[Token] | None) -> Iterator[Token]:
    for token in items or []:
        yield token
        yield from tokens(token.children)


def bodies(forge: Any) -> list[str]:
    if hasattr(forge, "discussions"):
        return [note["body"] for thread in forge.discussions for note in thread["notes"]]
    notes = [*forge.review_comments, *forge.issue_comments, *forge.reviews]
    return [note["body"] for note in notes]


@pytest.mark.parametrize("name", ["github", "gitlab"])
@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_is_only_text(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """No image, link, HTML, mention, quick action, fence, marker or control character of theirs gets through."""
    start: Callable[..., Any] = request.getfixturevalue(name)
    forge = start(patch=PATCH, check=False)
    hostile = [
        replace(suggested(finding("a.py", 2), text), title=text, message=text),
        replace(finding("far.py", 1), title=text, message=text),
    ]
    post(review(*hostile, skipped=(Skipped("b.py", text, fault=True),)), forge)
    for body in bodies(forge):
        check(body)
    assert getattr(forge, "executed", []) == []


def check(body: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", body)
    parsed = list(tokens(MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)))
    kinds = {token.type for token in parsed}
    assert not kinds & {"image", "link_open", "heading_open", "table_open"} - {"heading_open"}
    for token in parsed:
        if token.type in ("html_block", "html_inline"):
            assert OURS.fullmatch(token.content.strip()), token.content
        if token.type == "text":
            assert not re.search(r"@\w|https?://|www\.|#\d|\bGH-\d", token.content), token.content
        if token.type == "fence":
            assert token.info.startswith("suggestion")
    assert sum(token.type == "fence" for token in parsed) <= 1
    assert sum(token.type == "html_block" and "hunkwise:v1" in token.content for token in parsed) <= 1
