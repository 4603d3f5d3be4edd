"""A diff that was cut off anywhere is never taken for a whole one."""

from __future__ import annotations

import re

import pytest

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import DiffError

GIT = b"""\
diff --git a/a.py b/a.py
index de98044..7be73ce 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,3 @@
 a
-b
+B
 c
diff --git a/d.py b/d.py
deleted file mode 100644
index 286c5f5..0000000
--- a/d.py
+++ /dev/null
@@ -1 +0,0 @@
-gone
diff --git a/n.py b/n.py
new file mode 100644
index 0000000..07f33c4
--- /dev/null
+++ b/n.py
@@ -0,0 +1,2 @@
+new
+file
diff --git a/r.py b/s.py
similarity index 98%
rename from r.py
rename to s.py
index e29b1db..036db16 100644
--- a/r.py
+++ b/s.py
@@ -1,4 +1,3 @@
-0
 1
 2
 3
diff --git a/t.py b/t.py
old mode 100644
new mode 100755
index c49c556..b096216
--- a/t.py
+++ b/t.py
@@ -1 +1,2 @@
 tt
+uu
"""
PLAIN = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n--- a/y.py\n+++ b/y.py\n@@ -1 +1 @@\n-a\n+b\n"
MODES = b"new mode 100755\n"  # up to here it is a whole diff, of a file whose mode alone changed


def is_whole(patch: bytes) -> bool:
    """Whether nothing of a patch is said to be unread."""
    try:
        return not any(skip.fault for skip in parse_diff(patch).skipped)
    except DiffError:
        return False


@pytest.mark.parametrize(("patch", "starts"), [(GIT, rb"^diff --git"), (PLAIN, rb"^--- ")])
def test_a_diff_cut_anywhere_is_incomplete(patch: bytes, starts: bytes) -> None:
    """Only between files, where nobody can tell, and within the last word of a hunk a cut is not seen."""
    ends = [*[found.start() for found in re.finditer(starts, patch, re.MULTILINE)][1:], len(patch)]
    ends += [match.end() for match in re.finditer(MODES, patch)]
    for at in range(1, len(patch)):
        if is_whole(patch[:at]) and not patch[:at].endswith(b"\n--"):  # that is how mails are signed
            end = min(end for end in ends if end >= at)
            assert b"\n" not in patch[at : end - 1], patch[:at].decode()


@pytest.mark.parametrize(
    "before",
    [
        b"# HG changeset patch\n# User u\n",
        b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/a b/a\nnew file mode 100644\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+b\n",
    ],
)
@pytest.mark.parametrize("verb", ["new", "deleted"])
def test_mercurials_empty_files(before: bytes, verb: str) -> None:
    """Mercurial says the mode of an empty file and no more; within the mode, and in git's, that is a cut."""
    empty = f"diff --git a/e b/e\n{verb} file mode 100644\n".encode()
    assert is_whole(before + empty)
    assert not is_whole(before + empty[:-3])
    gits = b"diff --git a/a b/a\nindex de98044..7be73ce 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n"
    assert not is_whole(gits + empty)


@pytest.mark.parametrize(
    "whole",
    [
        b"diff --git a/m b/m\nold mode 100644\nnew mode 100755\n",
        b"diff --git a/m b/n\nsimilarity index 100%\nrename from m\nrename to n\n",
        b"diff --git a/m b/n\nrename from m\nrename to n\n",
        b"diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n",
        b"diff --git a/b b/b\nindex 1111111..2222222 100644\nBinary files a/b and b/b differ\n",
    ],
)
def test_a_file_without_text_is_whole(whole: bytes) -> None:
    """Modes, renames, empty and binary files need no hunk."""
    assert is_whole(whole)
    assert is_whole(whole + b"\n")
    assert is_whole(whole.replace(b"\n", b"\r\n"))
