"""A patch that is put together from a forge's pieces is read as the forge meant it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.forges.patch import Piece, patch_text

HUNKS = "@@ -1,2 +1,2 @@ def f():\n x = 1\n-y = 1\n+y = 2\n\\ No newline at end of file"
part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
paths = st.lists(part.map(lambda name: f"pp{name}p"), min_size=1, max_size=3).map("/".join)


@settings(max_examples=150, deadline=None)
@given(paths, paths, st.sampled_from(["modified", "added", "deleted", "renamed"]))
def test_paths_survive(old: str, new: str, status: str) -> None:
    """Quotes, spaces, tabs, line ends and letters of all scripts in a path come out as they went in."""
    piece = {
        "modified": Piece(new, new, HUNKS),
        "added": Piece(None, new, "@@ -0,0 +1 @@\n+x"),
        "deleted": Piece(old, None, "@@ -1 +0,0 @@\n-x"),
        "renamed": Piece(old, new, HUNKS),
    }[status]
    (file,) = parse_diff(patch_text(piece).encode("utf-8", "surrogateescape")).files
    assert (file.old_path, file.new_path) == (piece.old_path, piece.new_path)
    assert len(file.hunks) == 1


def test_a_file_without_hunks_is_still_there() -> None:
    """Binary and large files have no hunks, and can carry a remark on the whole file."""
    pieces = [Piece("a.png", "a.png", ""), Piece(None, "b.png", ""), Piece("c", "d", "")]
    change = parse_diff("".join(map(patch_text, pieces)).encode())
    assert [(file.path, file.hunks) for file in change.files] == [("a.png", ()), ("b.png", ()), ("d", ())]
