"""The text of comments: golden files, and what holds for any text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.reviews import COVERAGE, HEAD, finding, review, suggested
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hunkwise.reviewer.publish.comment import (
    GITHUB,
    GITLAB,
    comment_body,
    cut,
    outdated_body,
    suggestion_block,
)
from hunkwise.reviewer.publish.marker import Marker, is_summary, read_marker
from hunkwise.reviewer.publish.summary import Told, Where, summary_body
from hunkwise.reviewer.types import Skipped, Suggestion

CASES = Path(__file__).parents[2] / "cases" / "posting"
RANGE = suggested(
    finding("src/a.py", 2, 3, title="Off by one", message="The last page is lost."), "x = 5\ny = 6"
)
SUMMARY = summary_body(
    review(
        skipped=(Skipped("big.py", "over the limit", fault=True), Skipped("uv.lock", "a lock file")),
        coverage=replace(COVERAGE, hunks_reviewed=2),
    ),
    [
        Told(RANGE, Where.INLINE),
        Told(finding("far.py", 9), Where.SUMMARY, "the lines are not in the forge's diff"),
        Told(finding("b.py", 1), Where.FAILED, "the forge refused the line"),
        Told(finding("c.py", 1), Where.SILENCED, "ignored by @maintainer"),
    ],
    HEAD,
    GITHUB,
)[0]
BODIES = {
    "comment_github": comment_body(RANGE, RANGE.suggestion, HEAD, GITHUB),
    "comment_gitlab": comment_body(RANGE, RANGE.suggestion, HEAD, GITLAB),
    "comment_on_file": comment_body(RANGE, None, HEAD, GITHUB, on_file=True),
    "comment_outdated": outdated_body(comment_body(RANGE, None, HEAD, GITHUB), "d" * 40, GITHUB),
    "summary": SUMMARY,
}


@pytest.mark.parametrize("name", BODIES)
def test_posted_bodies(name: str) -> None:
    """Each kind of comment reads as its golden file in tests/cases/posting."""
    assert BODIES[name] + "\n" == (CASES / f"{name}.md").read_text("utf-8")


def test_markers_are_read_from_the_last_line_only() -> None:
    """A marker elsewhere, or with anything beside it, is text."""
    marker = str(Marker("0" * 32, "aaaaaaa"))
    assert read_marker(f"text\n\n{marker}\n") == Marker("0" * 32, "aaaaaaa")
    for body in ("", marker + " x", f"{marker}\ntext", f"> {marker}", marker.replace("fp=", "fp= ")):
        assert read_marker(body) is None
    assert read_marker(BODIES["comment_outdated"]) == Marker(RANGE.fingerprint, "aaaaaaa", "ddddddd")
    assert is_summary(SUMMARY)
    assert not is_summary(BODIES["comment_github"])


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("x = 1", "```suggestion\nx = 1\n```"),
        ("", "```suggestion\n```"),
        ("\tx\n\n  y", "```suggestion\n\tx\n\n  y\n```"),
        ("```\ncode\n```", "````suggestion\n```\ncode\n```\n````"),
        ("a ````` b", "``````suggestion\na ````` b\n``````"),
        ("~~~", "```suggestion\n~~~\n```"),
        ("x = 1 \\", "```suggestion\nx = 1 \\\n```"),
        ("a\r\nb", "```suggestion\na\nb\n```"),
        ("a\u202eb", None),
        ("a\x1bb", None),
        ("a\rb", None),
        ("x" * 50_000, None),
    ],
)
def test_suggestions(text: str, block: str | None) -> None:
    """The fence is longer than any in the text; what nobody can see is not offered for committing."""
    assert suggestion_block(Suggestion(1, 1, text, verified=True), GITHUB) == block


def test_gitlab_replaces_a_hundred_lines_above_at_most() -> None:
    """A longer suggestion is left out."""
    assert suggestion_block(Suggestion(1, 101, "x", verified=True), GITLAB) == "```suggestion:-100+0\nx\n```"
    assert suggestion_block(Suggestion(1, 102, "x", verified=True), GITLAB) is None


lines = st.sampled_from(
    ["text", "", "```python", "```", "`````", "~~~", "<details>", "</details>", "- item", "    code"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, max_size=40), st.integers(90, 300))
def test_cut_text_keeps_whole_lines_and_closes_what_is_open(given_lines: list[str], limit: int) -> None:
    """The result fits, holds only whole lines, and a paragraph below it is outside of any fence."""
    text = "\n".join(given_lines)
    short = cut(text, limit)
    assert len(short) <= limit
    if short == text:
        return
    assert short.endswith("_Cut here: the forge takes no longer comment._")
    after = MarkdownIt("commonmark", {"html": False}).parse(f"{short}\n\nBELOW")
    assert [token.content for token in after if token.type == "inline"][-1] == "BELOW"
    whole = [line for line in re.split(r"\n", short)[:-1] if line]
    assert all(line in {*given_lines, "</details>", "```", "`````", "~~~"} for line in whole)
