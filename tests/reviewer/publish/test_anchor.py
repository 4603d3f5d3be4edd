"""Anchors: every comment sits where a forge takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.reviews import PATCH, finding, suggested
from fakes.server import numbered
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.publish.anchor import Anchored, Unanchored, anchor
from hunkwise.reviewer.types import Suggestion

FILES = {file.path: file for file in parse_diff(PATCH.encode()).files}
SHOWN = {
    path: {line.new: line.hunk for line in lines if line.mark != "-"}
    for path, lines in numbered(PATCH).items()
}


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 30), st.integers(0, 30))
def test_an_anchor_is_always_in_one_hunk_of_the_diff(start: int, more: int) -> None:
    """Both ends are lines the diff shows on its new side, in one hunk, the start strictly above the end."""
    spot = anchor(suggested(finding("a.py", start, start + more), "x"), FILES["a.py"])
    shown = SHOWN["a.py"]
    inside = [line for line in range(start, start + more + 1) if line in shown]
    assert isinstance(spot, Anchored) == bool(inside)
    if isinstance(spot, Anchored):
        first = spot.start_line or spot.line
        assert shown[first] == shown[spot.line]
        assert start <= first <= spot.line <= start + more
        assert spot.start_line is None or spot.start_line < spot.line
        assert spot.suggestion is None


GIVEN_BACK = [(2, 3, "x = 1"), (22, 22, "    return 1")]


@pytest.mark.parametrize(("start", "end", "text"), GIVEN_BACK)
def test_what_the_forges_diff_removed_is_offered(start: int, end: int, text: str) -> None:
    """A suggestion gives the removed lines back, whichever line ends it was read with."""
    for replacement in (text, text + "\r"):
        spot = anchor(suggested(finding("a.py", start, end), replacement), FILES["a.py"])
        assert isinstance(spot, Anchored)
        assert spot.suggestion is not None


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 25),
    st.integers(0, 5),
    st.sampled_from(
        ["x = 1", "    return 1", "    return 2", "", "x = 1\nimport os", "import os; os.system('id')"]
    )
    | st.text(max_size=20),
)
def test_nothing_else_is_offered(start: int, more: int, text: str) -> None:
    """Whoever wrote the report: a click puts in what the forge's own diff took out there, and no other text."""
    spot = anchor(suggested(finding("a.py", start, start + more), text), FILES["a.py"])
    if isinstance(spot, Anchored) and spot.suggestion is not None:
        assert (start, start + more, text.rstrip("\r")) in GIVEN_BACK


def test_a_removed_line_comes_back_beside_one_that_stayed() -> None:
    """Where lines were only removed, the suggestion holds the line that it is put beside."""
    patch = b"--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n a\n-b\n c\n"
    (file,) = parse_diff(patch).files
    for text, kept in [("b\nc", True), ("b\nevil", False), ("b", False), ("evil\nc", False)]:
        spot = anchor(suggested(finding("x", 2), text), file)
        assert isinstance(spot, Anchored)
        assert (spot.suggestion is not None) == kept


def test_a_suggestion_for_other_lines_is_left_out() -> None:
    """GitHub replaces the commented lines; a suggestion for others would replace the wrong ones."""
    one = replace(finding("a.py", 2, 3), suggestion=Suggestion(2, 2, "x", verified=True))
    spot = anchor(one, FILES["a.py"])
    assert isinstance(spot, Anchored)
    assert spot.suggestion is None


def test_why_there_is_no_anchor() -> None:
    """A file without the line can carry the remark as a whole; a file that is not in the diff can't."""
    deleted = parse_diff(
        b"diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    assert anchor(finding("far.py", 1), None) == Unanchored("the file is not in the forge's diff")
    assert anchor(finding("a.py", 12), FILES["a.py"]) == Unanchored(
        "the lines are not in the forge's diff", FILES["a.py"]
    )
    assert anchor(finding("x", 1), deleted.files[0]) == Unanchored("the file was deleted", deleted.files[0])
    assert isinstance(anchor(finding("image.png", 1), FILES["image.png"]), Unanchored)
