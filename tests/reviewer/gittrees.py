"""Trees of files with odd names and contents, and a git that nothing configures."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hypothesis import strategies as st

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


def commit(root: str, tree: Tree, message: str = "m") -> None:
    """Make a tree the next commit of a repository."""
    for path in Path(root).iterdir():
        if path.name != ".git":
            subprocess.run(["rm", "-rf", "--", str(path)], check=True)
    write(Path(root), tree)
    git(root, "add", "-A")
    who = ("-c", "user.name=n é", "-c", "user.email=a@b")
    git(root, *who, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message)
