"""Text of a model stays text in Markdown, as CommonMark and the forges read it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hunkwise.reviewer.text.markdown import code_span, escape, fence

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALLOWED = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak", "code_inline"}
LIVE = re.compile(r"(?<![\w`])@\w|https?://|www\.|(?<!\w)#\d", re.IGNORECASE)
WORDS = """
@bob #12 !3 http://x.y www.x.y ![a](b) [a](b) <img src=x> </details> ` `` \\ /close ~~~ *** === - + 1. # > |a|b|
<!--x--> &#64;a a b_c_d $x$ ~~s~~ \u202e ] ( GH-1 a@b.c
"""
ATTACKS = st.sampled_from([*WORDS.split(), "\n", " ", "    ", "\t", "\n|-|-|\n", "<!-- hunkwise:v1 -->"])


def tokens(markdown: str) -> list[tuple[str, str]]:
    """List type and content of every token, those inside paragraphs included."""
    top = PARSER.parse(markdown)
    return [(t.type, t.content) for token in top for t in [token, *(token.children or [])]]


@settings(deadline=None, max_examples=400)
@given(st.lists(ATTACKS | st.text(max_size=4), max_size=14).map("".join))
def test_prose_renders_as_text_and_code_spans_alone(text: str) -> None:
    """Whatever goes in, no link, image, HTML, list, heading, table, mention or reference comes out."""
    escaped = escape(text)
    for kind, content in tokens(escaped):
        assert kind in ALLOWED, (kind, escaped)
        assert kind != "text" or not LIVE.search(content), (content, escaped)
    assert "<!--" not in escaped
    assert not any(line.startswith("/") for line in escaped.split("\n"))


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab *_[]()<>#-+.!`\\~|&\n", max_size=40))
def test_escaped_prose_reads_as_it_was_written(text: str) -> None:
    """Rendered, the words are those that went in; only code spans lose their backticks."""
    rendered = "".join(
        "\n" if kind == "softbreak" else content
        for kind, content in tokens(escape(text))
        if kind in {"text", "code_inline", "softbreak"}
    )

    def bare(words: str) -> str:
        return re.sub(r"[\s`]", "", words)

    assert bare(rendered) == bare(text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("off-by-one in foo.bar(x)", "off-by-one in foo.bar(x)"),
        ("use `a[0]` here", "use `a[0]` here"),
        ("see #12 and @bob", "see `#12` and `@bob`"),
        ("/close", "`/close`"),
        ("`x`@foo", "`x` `@foo`"),
        ("a_b *c*", "a\\_b `*c*`"),
    ],
)
def test_ordinary_prose_stays_readable(text: str, escaped: str) -> None:
    """Escaping touches no more than it must."""
    assert escape(text) == escaped


def test_long_prose_is_cut() -> None:
    """A model that talks without end fills no page."""
    assert len(escape("a" * 10_000, 100)) == 100
    assert escape("a" * 101, 100).endswith("…")


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="`~ ab\\\n", max_size=30))
def test_code_can_not_leave_its_fence(code: str) -> None:
    """A fenced block and a code span hold what was put in, whatever backticks it has."""
    blocks = tokens(f"{fence(code, 'suggestion')}\n\nafter")
    assert blocks[0] == ("fence", f"{code}\n")
    assert ("text", "after") in blocks
    line = code.replace("\n", " ")
    kinds = [kind for kind, _ in tokens(f"x {code_span(line)} y")]
    assert kinds.count("code_inline") == 1
