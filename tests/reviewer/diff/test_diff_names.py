"""Headers that name different files, or say what the hunks do not, are refused: tools would not agree on them."""

from __future__ import annotations

import pytest

from hunkwise.reviewer.diff.parse import parse_diff

HUNK = "@@ -1 +1 @@\n-a\n+b\n"
OTHER = f"--- a/other.py\n+++ b/other.py\n{HUNK}"
INDEX = "index 7898192..6178079 100644\n"
GIT = "diff --git a/README.md b/README.md\n"
AUTH = "--- a/src/auth.py\n"

REFUSED = {
    "one name of three": f"{GIT}{INDEX}{AUTH}+++ b/README.md\n{HUNK}",
    "the new name": f"{GIT}{INDEX}--- a/README.md\n+++ b/src/auth.py\n{HUNK}",
    "both names": f"{GIT}{INDEX}{AUTH}+++ b/src/auth.py\n{HUNK}",
    "a name that ends alike": f"diff --git a/auth.py b/auth.py\n{INDEX}{AUTH}+++ b/src/auth.py\n{HUNK}",
    "renamed from elsewhere": f"diff --git a/x b/y\nrename from x\nrename to y\n{AUTH}+++ b/y\n{HUNK}",
    "renamed to elsewhere": f"diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/src/auth.py\n{HUNK}",
    "deleted, with text left": f"{GIT}deleted file mode 100644\n--- a/README.md\n+++ b/README.md\n{HUNK}",
    "deleted elsewhere": f"{GIT}deleted file mode 100644\n{AUTH}+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
    "new, over an old text": f"{GIT}new file mode 100644\n--- /dev/null\n+++ b/README.md\n{HUNK}",
}
READ = {
    "no prefix, in a folder a": f"diff --git a/x.py a/x.py\n--- a/x.py\n+++ a/x.py\n{HUNK}",
    "a rename without prefixes": f"diff --git a/x b/y\nrename from a/x\nrename to b/y\n--- a/x\n+++ b/y\n{HUNK}",
    "a rename, prefixed": f"diff --git o/a/x n/b/y\nrename from a/x\nrename to b/y\n--- o/a/x\n+++ n/b/y\n{HUNK}",
    "two files that are compared": f"diff --git a/x.py b/y.py\n--- a/x.py\n+++ b/y.py\n{HUNK}",
    "a copy that was kept": f"--- x.py.orig\n+++ x.py\n{HUNK}",
    "a copy of an old name": f"--- x.bak\t2020-01-01\n+++ x.py\t2020-01-01\n{HUNK}",
    "svn's new file": f"{GIT}new file mode 100644\n--- a/README.md\t(nonexistent)\n+++ b/README.md\t(revision 2)\n"
    "@@ -0,0 +1 @@\n+b\n",
    "Perforce": f"--- //depot/main/x.py\t2020-01-01\n+++ /home/me/ws/main/x.py\t2020-01-01\n{HUNK}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_headers_that_disagree_are_refused(name: str) -> None:
    """The file is a fault without a name to excuse it, its neighbour is read."""
    change = parse_diff((REFUSED[name] + OTHER).encode())

    assert [file.path for file in change.files] == ["other.py"]
    assert [(skip.path, skip.fault) for skip in change.skipped] == [("(no file name)", True)]


@pytest.mark.parametrize("name", READ)
def test_names_that_agree_are_read(name: str) -> None:
    """What tools print for one file is read, whatever stands before its names."""
    change = parse_diff(READ[name].encode())

    assert len(change.files[0].hunks) == 1
    assert not change.skipped


def test_plain_names_of_different_kinds_are_refused() -> None:
    """`git apply` takes the second name, `patch` the shorter one: who is to know which one is reviewed."""
    change = parse_diff(f"{AUTH}+++ b/README.md\n{HUNK}{OTHER}".encode())

    assert [file.path for file in change.files] == ["other.py"]
    assert "'a/src/auth.py', 'b/README.md'" in change.skipped[0].reason
