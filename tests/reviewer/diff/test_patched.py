"""A patch and a text: does it hold, and what comes after."""

from __future__ import annotations

import difflib

from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.apply import apply, is_applied
from hunkwise.reviewer.diff.parse import parse_diff

TEXTS = st.builds(
    lambda lines, final: "\n".join(lines) + "\n" * final,
    st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=12),
    st.booleans(),
)


def diff(old: str, new: str, context: int) -> bytes:
    """A unified diff with the no-newline marker that difflib leaves out."""
    before, after = (text.split("\n") for text in (old, new))
    for side in (before, after):
        side[:] = [f"{line}\n" for line in side[:-1]] + [side[-1]] * bool(side[-1])
    lines = difflib.unified_diff(before, after, "a/x", "b/x", n=context)
    marker = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + marker for line in lines).encode()


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0, 1, 3]))
def test_a_patch_applied_gives_the_new_text(old: str, new: str, context: int) -> None:
    """What a diff of two texts says of the old one makes the new one, and holds there."""
    for file in parse_diff(diff(old, new, context)).files:
        after = apply(old, file)
        assert after is None or after == new
        if any(line.old_no for hunk in file.hunks for line in hunk.lines):
            assert after == new
        if any(line.new_no for hunk in file.hunks for line in hunk.lines):
            assert is_applied(new, file)


def test_lines_elsewhere_prove_nothing() -> None:
    """A line that differs, or stands at another number, is refused."""
    (file,) = parse_diff(b"--- a/x\n+++ b/x\n@@ -2 +2 @@\n-b\n+c\n").files

    assert apply("a\nb\n", file) == "a\nc\n"
    assert apply("b\na\n", file) is None
    (first,) = parse_diff(b"--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-a\n").files
    assert apply("a\nb\n", first) == "b\n"
    assert apply("a", file) is None
    assert not is_applied("a\nb\n", file)


def test_additions_alone_apply_nowhere() -> None:
    """Without an old line there is no proof that this is the file."""
    (file,) = parse_diff(b"--- a/x\n+++ b/x\n@@ -1,0 +2 @@\n+c\n").files

    assert apply("a\n", file) is None
    assert is_applied("a\nc\n", file)
