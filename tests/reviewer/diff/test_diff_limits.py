"""What is over a limit is skipped and said; nothing grows faster than its input."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import DiffError


def patch(name: str, *hunks: int) -> bytes:
    """A plain patch of one file that adds so many lines in each hunk."""
    text, at = f"--- a/{name}\n+++ b/{name}\n", 1
    for size in hunks:
        text += f"@@ -{at},0 +{at},{size} @@\n" + "+line\n" * size
        at += size + 10
    return text.encode()


def test_files_over_the_limit_are_named() -> None:
    """Each file over the limit is a fault of its own."""
    change = parse_diff(patch("a", 1) + patch("b", 1) + patch("c", 1), Limits(files=2))

    assert [file.path for file in change.files] == ["a", "b"]
    assert [(skip.path, skip.fault) for skip in change.skipped] == [("c", True)]
    assert "limit of 2 files" in change.skipped[0].reason


@pytest.mark.parametrize("limits", [Limits(hunks=2), Limits(lines=5)])
def test_hunks_over_a_limit_are_left_off_the_end(limits: Limits) -> None:
    """The hunks that are read keep their index; the rest is one fault."""
    change = parse_diff(patch("a", 2, 3, 4, 5), limits)

    assert [hunk.new_length for hunk in change.files[0].hunks] == [2, 3]
    assert [(skip.fault, skip.hunk) for skip in change.skipped] == [(True, None)]
    assert "2 of 4 hunks" in change.skipped[0].reason


def test_a_hunk_with_an_endless_line_is_skipped_alone() -> None:
    """A line over the limit marks its hunk and no other."""
    data = patch("a", 1, 1).replace(b"+line\n@@", b"+" + b"x" * 101 + b"\n@@")
    change = parse_diff(data, Limits(line_length=100))

    assert [(skip.hunk, skip.fault) for skip in change.skipped] == [(0, True)]
    assert len(change.files[0].hunks) == 2


def test_bytes_over_the_limit_make_the_review_partial() -> None:
    """What is whole within the limit is read; the file that is cut and the rest are faults."""
    data = patch("a", 1) + patch("b", 100)
    change = parse_diff(data, Limits(bytes=len(patch("a", 1)) + 60))

    assert [file.path for file in change.files] == ["a"]
    assert [skip.path for skip in change.skipped] == ["b", "(the rest of the diff)"]
    assert all(skip.fault for skip in change.skipped)


def test_bytes_limit_below_the_first_file_is_no_crash() -> None:
    """Nothing readable within the limit is still a partial review, not a wrong diff."""
    change = parse_diff(patch("a", 100), Limits(bytes=30))

    assert not change.files
    assert change.skipped[-1].fault


def test_time_and_memory_of_a_bomb_are_linear() -> None:
    """200,000 lines are read within 700 MB of address space and in seconds."""
    code = (
        "from hunkwise.reviewer.diff.parse import parse_diff\n"
        "head = b'--- a/x\\n+++ b/x\\n@@ -0,0 +1,200000 @@\\n'\n"
        "change = parse_diff(head + b'+some words of code, forty bytes in it\\n' * 200000)\n"
        "assert change.files[0].hunks[0].lines[-1].new_no == 200000\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (700 * 2**20, 700 * 2**20))

    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, preexec_fn=limit)
    assert time.monotonic() - started < 30


BOMBS = {
    "git line of blanks": b"diff --git " + b"a " * 20_000 + b"\n",
    "stamp of blanks": b"--- " + b" " * 40_000 + b"x\n+++ x\n",
    "open quote": b'diff --git "' + b"\\" * 40_000 + b"\n",
    "binary and and": b"Binary files " + b" and " * 8_000 + b" differ\n",
    "broken hunks": b"--- a\n+++ b\n@@ -1,9999999999 +1,9999999999 @@\n" * 20_000,
    "hunks without a file": b"@@ -1 +1 @@\n" * 50_000,
    "headers only": b"--- a\n+++ b\n" * 50_000,
    "two files with and": b"Files " + b" and " * 8_000 + b" differ\n",
    "while file": b"File x is a" + b" while file x is a" * 2_000 + b"\n",
    "only in": b"Only in " + b": " * 20_000 + b"\n" * 1000,
    "submodules": (b"Submodule " + b"abcdef0 " * 5_000 + b"\n") * 100,
    "words of a command": b"diff -r" + b' "' * 20_000 + b"\nx\n",
    "word marks": b"--- a\n+++ b\n" + (b"@@ -1,2 +1,2 @@\n" + b" [-x\n" + b"y\n") * 20_000,
    "one long line": b"--- a\n+++ b\n@@ -1 +1 @@\n-" + b"[-" * 5_000_000 + b"\n+" + b"{+" * 5_000_000 + b"\n",
    "long line of no diff": b"1: " * 3_000_000 + b"|" * 3_000_000 + b" | " * 1_000_000,
    "blanks of no diff": b" " * 10_000_000 + b"diff --git ",
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 100_000,
    "parts in parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(20_000)
    ),
    "quotes of a boundary": b'Content-Type: text/plain; a="' + b';"' * 20_000 + b"\n\nx\n",
    "many mails": b"From a\nContent-Transfer-Encoding: base64\n\n" * 50_000,
    "long base64": b"From: a\nContent-Transfer-Encoding: base64\n\n" + b"A" * 10_000_000,
    "soft breaks": b"From: a\nContent-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * 2_000_000,
    "blank lines": b"--- a\n+++ b\n@@ -1,999999 +1,999999 @@\n" + b"\n" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_headers_cost_no_time(name: str) -> None:
    """No header makes the search for files slower than linear."""
    started = time.monotonic()
    with contextlib.suppress(DiffError):
        parse_diff(BOMBS[name])
    assert time.monotonic() - started < 20


PIECES = st.sampled_from(
    [
        b"--- a/x\n",
        b"+++ b/x\n",
        b"@@ -1 +1 @@\n",
        b"@@ -0,0 +1,2 @@ f\n",
        b"-a\n",
        b"+b\n",
        b" c\n",
        b"\n",
        b"\\ No newline at end of file\n",
        b"diff --git a/x b/x\n",
        b"rename from x\n",
        b"rename to y\n",
        b"\r\n",
        b"new file mode 100644\n",
        b"deleted file mode 1\n",
        b"index 1..2 160000\n",
        b"Index: x\n",
        b"-- \n",
        b"GIT binary patch\n",
        b"Binary files x and y differ\n",
        b'+++ "b/\\303\n',
        b"--- /dev/null\n",
        b"\xff\x00",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_any_mixture_is_read_or_refused(data: bytes) -> None:
    """Pieces of patches in any order give a change or a DiffError, and numbers that count up."""
    try:
        change = parse_diff(data)
    except DiffError:
        return
    for file in change.files:
        assert file.path
        for hunk in file.hunks:
            old = [line.old_no for line in hunk.lines if line.old_no is not None]
            new = [line.new_no for line in hunk.lines if line.new_no is not None]
            assert old == list(range(hunk.old_start, hunk.old_start + hunk.old_length))
            assert new == list(range(hunk.new_start, hunk.new_start + hunk.new_length))
