"""Real `git diff` output of generated trees says the same as the trees."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from gittrees import Tree, git, trees, write
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.types import FileDiff, FileStatus


def lines_of(content: bytes) -> list[str]:
    """Lines of a file as a diff counts them."""
    lines = decode(content).split("\n")
    return lines[:-1] if not lines[-1] else lines


def check_lines(file: FileDiff, old: bytes, new: bytes) -> None:
    """Numbers and texts equal the files', and what is between the hunks is the same on both sides."""
    old_lines, new_lines = lines_of(old), lines_of(new)
    rebuilt: list[str] = []
    taken = 0
    for hunk in file.hunks:
        start = hunk.old_start - 1 if hunk.old_length else hunk.old_start
        rebuilt += old_lines[taken:start]
        taken = start + hunk.old_length
        for line in hunk.lines:
            if line.old_no is not None:
                assert old_lines[line.old_no - 1] == line.text
            if line.new_no is not None:
                assert new_lines[line.new_no - 1] == line.text
                assert line.no_newline == (line.new_no == len(new_lines) and not new.endswith(b"\n"))
                rebuilt.append(line.text)
                assert len(rebuilt) == line.new_no
    assert new_lines == rebuilt + old_lines[taken:]


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    trees(),
    st.sampled_from(["-U0", "-U3", "-U10"]),
    st.sampled_from([[], ["--no-prefix"], ["--src-prefix=old/", "--dst-prefix=new/"]]),
)
def test_git_diffs_round_trip(pair: tuple[Tree, Tree], context: str, prefix: list[str]) -> None:
    """Every file, line and number of a git diff is that of the trees it was made from."""
    old, new = pair
    with tempfile.TemporaryDirectory() as root:
        git(root, "init", "-q")
        ids = []
        for tree in (old, new):
            for path in Path(root).iterdir():
                if path.name != ".git":
                    subprocess.run(["rm", "-rf", "--", str(path)], check=True)
            write(Path(root), tree)
            git(root, "add", "-A")
            ids.append(git(root, "write-tree").decode().strip())
        patch = git(root, "diff-tree", "-r", "-p", "-M", "-C", "--full-index", context, *prefix, *ids)

    change = parse_diff(patch)

    assert not change.skipped
    seen_old, seen_new = set(), set()
    for file in change.files:
        before = old[os.fsencode(file.old_path)] if file.old_path is not None else (b"", False)
        after = new[os.fsencode(file.new_path)] if file.new_path is not None else (b"", False)
        if file.binary:
            assert b"\0" in before[0] + after[0]
        else:
            check_lines(file, before[0], after[0])
        if file.new_mode:
            assert after[1] == (file.new_mode == "100755")
        if file.status is not FileStatus.COPIED:
            seen_old.add(file.old_path)
        seen_new.add(file.new_path)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert {os.fsdecode(name) for name in changed if name in old} == seen_old - {None}
    assert {os.fsdecode(name) for name in changed if name in new} == seen_new - {None}
