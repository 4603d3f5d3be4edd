"""Real `git diff` output of generated trees says the same as the trees."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff import decode, parse_diff
from hunkwise.reviewer.types import FileDiff, FileStatus

PARTS = st.sampled_from(
    [b"a", b"b", b"src", b"a b", b" lead", b"caf\xc3\xa9", b"lat\xe9", b'quo"te', b"tab\there", b"new\nline",
     b"back\\slash", b"@@ -1 +1 @@", b"dev", b"null", b"x.py", b"and", b"i", b"w", b"\xe4\xb8\xad.go",
     b"cr\rx"]
)  # fmt: skip
NAMES = st.lists(PARTS, min_size=1, max_size=3).map(b"/".join)
LINES = st.sampled_from(
    [b"", b"a", b"b", b"c", b"d", b"-- a", b"++ b", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"\\ No newline",
     b"caf\xc3\xa9", b"\xff\xfe", b"\x0c", b"\xe2\x80\xa8x", b"\x85", b"x\r", b"tab\t", b"  indented"]
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, end, final: end.join(lines) + end * final,
    st.lists(LINES, max_size=14),
    st.sampled_from([b"\n", b"\n", b"\r\n"]),
    st.booleans(),
)
CONTENT = st.one_of(TEXTS, TEXTS, TEXTS, st.sampled_from([b"\0binary", b"\0other\n", b""]))
PREFIXES: list[list[str]] = [[], ["--no-prefix"], ["--src-prefix=old/", "--dst-prefix=new/"]]
Tree = dict[bytes, tuple[bytes, bool]]  # name -> content, executable


@st.composite
def trees(draw: st.DrawFn) -> tuple[Tree, Tree]:
    """Two trees that share most names and some contents under other names."""
    old = draw(st.dictionaries(NAMES, st.tuples(CONTENT, st.booleans()), max_size=5))
    new = dict(old)
    for name in draw(st.lists(st.sampled_from(sorted(old)), max_size=3)) if old else []:
        new.pop(name, None)
    for name in draw(st.lists(st.sampled_from(sorted(old)), max_size=2)) if old else []:
        new[draw(NAMES)] = old[name]
    new.update(
        draw(
            st.dictionaries(
                st.one_of(NAMES, *map(st.just, old)), st.tuples(CONTENT, st.booleans()), max_size=3
            )
        )
    )
    return without_clashes(old), without_clashes(new)


def without_clashes(tree: Tree) -> Tree:
    """A tree in which no file is also a folder."""
    folders = {name[: at + 1] for name in tree for at, byte in enumerate(name) if byte == ord("/")}
    return {name: entry for name, entry in tree.items() if name + b"/" not in folders}


def write(root: Path, tree: Tree) -> None:
    """Write a tree into an empty folder."""
    for name, (content, executable) in tree.items():
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)


def git(root: str, *arguments: str) -> bytes:
    """Run git with no configuration but the repository's own."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    command = ["git", "-C", root, "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, env=settings, check=True, capture_output=True).stdout


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
