"""What real tools print is read whole: as many lines of each file as git counts, or as the trees have."""

from __future__ import annotations

import base64
import os
import quopri
import subprocess
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

from gittrees import Tree, commit, git, trees, write
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.types import Change

Counts = Counter[tuple[str, str]]
SETTINGS = settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
OPTIONS = [
    ["-U0"], ["-U10"], ["-W"], ["--no-prefix"], ["--src-prefix=old/", "--dst-prefix=new/"], ["-M"], ["-B"],
    ["--src-prefix=src://", "--dst-prefix=dst://"], ["-C", "--find-copies-harder"], ["-R"], ["-w"], ["--binary"],
    ["--stat"], ["--summary"], ["--raw"], ["--compact-summary"], ["--no-renames"], ["--inter-hunk-context=2"],
    ["--full-index"], ["--patience"],
]  # fmt: skip
COUNTED = ["--no-renames", "-M", "-B", "-C", "--find-copies-harder", "-R", "-w", "--patience"]
# What people write in messages, and `git am` takes for no change
WORDS = [
    "diff --cc x", "@@@ -1,2 -1,2 +1,2 @@@", "Only in a: b", "Binary files a/x and b/x differ", "@@ -1,2 +1,3 @@",
    "--- a/old\n+++ b/old\nbla", "diff --git a/x b/x", "Index: x\nmore", "Submodule l contains modified content",
    "diff -ru a/x b/x\nbla", "*** a\nx", "Common subdirectories: x and y",
    "diff --git a/x b/x\n--- a/x\n+++ b/x",
]  # fmt: skip


def counts(change: Change) -> Counts:
    """Added and removed lines of each file."""
    found: Counts = Counter()
    for file in change.files:
        for hunk in file.hunks:
            found[file.path, "+"] += len(hunk.added)
            found[file.path, "-"] += len(hunk.removed)
    return +found


def numstat(output: bytes) -> Counts:
    """The same, as `git diff --numstat -z` says it."""
    found: Counts = Counter()
    fields = iter(output.split(b"\0"))
    for field in fields:
        if not field:
            continue
        added, removed, name = field.split(b"\t", 2)
        if not name:  # renamed: two more fields
            next(fields)
            name = next(fields)
        if added != b"-":
            found[os.fsdecode(name), "+"] += int(added)
            found[os.fsdecode(name), "-"] += int(removed)
    return +found


def encoded(mail: bytes, encoding: str) -> bytes:
    """A mail as a server passes it on that takes short lines of ASCII alone."""
    header, _, body = mail.partition(b"\n\n")
    kept = [line for line in header.split(b"\n") if not line.lower().startswith((b"content-", b"mime-"))]
    kept += [b"MIME-Version: 1.0", b"Content-Type: text/plain;\n charset=UTF-8"]
    kept.append(b"Content-Transfer-Encoding: " + encoding.encode())
    code = quopri.encodestring if encoding == "quoted-printable" else base64.encodebytes
    return b"\n".join(kept) + b"\n\n" + code(body)


def read_whole(patch: bytes, expected: Counts) -> None:
    """Read a patch without a fault, and with the lines that are expected."""
    try:
        change = parse_diff(patch)
    except DiffError:
        assert not expected
        raise
    assert not [skip for skip in change.skipped if skip.fault]
    assert counts(change) == expected


@SETTINGS
@given(
    trees(),
    st.lists(st.sampled_from(OPTIONS), max_size=3).map(lambda options: list(chain(*options))),
    st.sampled_from(["diff", "show", "log", "mail", "attached", "quoted-printable", "base64"]),
    st.sampled_from(["core.quotePath=false", "diff.mnemonicPrefix=true", "diff.noprefix=true"]),
    # a whole header with a hunk below it is a change for git too
    st.lists(st.sampled_from(WORDS), max_size=3)
    .map("\n".join)
    .filter(lambda words: "+++ b/x\n@@" not in words),
)
def test_git_prints_nothing_that_is_not_read(
    pair: tuple[Tree, Tree], options: list[str], form: str, setting: str, words: str
) -> None:
    """Whatever git is asked for, and whatever the message says."""
    if form not in ("diff", "show", "log"):
        options = [option for option in options if option != "-R"]
    with tempfile.TemporaryDirectory() as root:
        git(root, "init", "-q")
        for tree in pair:
            commit(root, tree, f"subject\n\n{words}")
        counted = [option for option in options if option in COUNTED]
        expected = numstat(git(root, "diff", "--numstat", "-z", *counted, "HEAD~1", "HEAD"))
        command = {
            "diff": ["diff", "-p", *options, "HEAD~1", "HEAD"],
            "show": ["show", "-p", *options],
            "log": ["log", "-1", "-p", *options],
            "attached": ["format-patch", "--stdout", "-1", "-p", "--attach", *options],
        }.get(form, ["format-patch", "--stdout", "-1", "-p", *options])
        patch = git(root, "-c", setting, *command)
    if form in ("quoted-printable", "base64") and patch:
        patch = encoded(patch, form)

    if patch and expected:
        read_whole(patch, expected)


@SETTINGS
@given(trees(), st.sampled_from(["-ru", "-ruN", "-rU0", "-ruaN"]))
def test_diff_prints_nothing_that_is_not_read_or_named(pair: tuple[Tree, Tree], options: str) -> None:
    """Each file of two folders is read, or named with the reason why not."""
    old, new = ({name: entry for name, entry in tree.items() if b"\n" not in name} for tree in pair)
    with tempfile.TemporaryDirectory() as root:
        for folder, tree in (("old", old), ("new", new)):
            Path(root, folder).mkdir()
            write(Path(root, folder), tree)
        patch = subprocess.run(
            ["diff", options, "old", "new"], cwd=root, capture_output=True, check=False
        ).stdout
    differ = {name for name in old.keys() | new.keys() if _text(old, name) != _text(new, name)}
    folders = {
        name[:at] for name in old.keys() | new.keys() for at in range(len(name)) if name[at] == ord("/")
    }
    try:
        change = parse_diff(patch)
    except DiffError:
        assert "N" not in options  # all files stand on one side alone
        return
    told = {
        os.fsencode(path) for path in (*(f.path for f in change.files), *(s.path for s in change.skipped))
    }
    assert told >= {name for name in differ if name in old and name in new}
    if "N" in options and not folders & (old.keys() | new.keys()):
        assert told == differ
        assert not change.skipped


def _text(tree: Tree, name: bytes) -> bytes:
    return tree[name][0] if name in tree else b""
