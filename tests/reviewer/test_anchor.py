"""Anchors: every comment sits where a forge takes it."""

from __future__ import annotations

from dataclasses import replace

from fakes.reviews import PATCH, finding, suggested
from fakes.server import numbered
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.anchor import Anchored, Unanchored, anchor
from hunkwise.reviewer.diff import parse_diff
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
        assert (spot.suggestion is not None) == ((first, spot.line) == (start, start + more))


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
