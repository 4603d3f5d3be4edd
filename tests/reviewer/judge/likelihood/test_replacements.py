"""A find-and-replace is told from a slip: the same words for the same words, at several places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.likelihood.replacements import repeated, replacement
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.types import Line

HUNK = "@@ -{0} +{0} @@\n-{1}\n+{2}\n"


def _diff(*changes: tuple[str, str]) -> bytes:
    hunks = (HUNK.format(10 * number, old, new) for number, (old, new) in enumerate(changes, 1))
    return f"--- a/a.py\n+++ b/a.py\n{''.join(hunks)}".encode()


def test_what_is_replaced_twice_is_no_evidence() -> None:
    """Another change of the same file is read all the same; each line is accounted for."""
    diff = _diff(("x = denied(1)", "x = blocked(1)"), ("f(denied, 2)", "f(blocked, 2)"), ("a < b", "a <= b"))
    engine = ScriptedEngine()
    made = review(parse_diff(diff), Config(), engine)

    (asked,) = engine.bundles
    assert [question.text for question in asked.questions if hasattr(question, "text")] == [
        "a <= b\n",
        "a < b\n",
    ]
    assert [(skip.hunk, skip.lines) for skip in made.skipped] == [(0, 2), (1, 2)]
    assert all("the same replacement at several places" in skip.reason for skip in made.skipped)


def test_one_place_is_no_pattern() -> None:
    """Nor are two that put other words in, or only add."""
    for diff in (
        _diff(("a", "b")),
        _diff(("a", "b"), ("a", "c")),
        b"--- a/a\n+++ b/a\n@@ -1 +1,3 @@\n+a\n b\n+a\n",
    ):
        assert repeated(parse_diff(diff).files) == frozenset()


@given(st.lists(st.tuples(st.sampled_from(["added", "removed"]), st.text(max_size=50)), max_size=8))
def test_any_lines_can_be_compared(rows: list[tuple[str, str]]) -> None:
    """Whatever stands in them; a block that only adds, or only removes, replaces nothing."""
    lines = [
        Line("added", text, None, 1) if kind == "added" else Line("removed", text, 1, None)
        for kind, text in rows
    ]
    found = replacement(lines)

    assert found is None or {line.kind for line in lines} == {"added", "removed"}
