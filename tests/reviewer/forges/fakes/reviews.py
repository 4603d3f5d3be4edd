"""Reviews to post, and the patch they were made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.types import (
    Category,
    Coverage,
    Finding,
    Manifest,
    Review,
    Severity,
    Suggestion,
)

HEAD = "a" * 40
COVERAGE = Coverage(files=2, files_reviewed=2, hunks=3, hunks_reviewed=3, lines=6, lines_reviewed=6)
MANIFEST = Manifest("0.1.0", "scripted", "0" * 64, "1" * 64, "none", "scripted", {})

PATCH = """\
diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,5 +1,6 @@
 import os
-x = 1
+x = 2
+y = 3
 def f():
     return x

@@ -20,4 +21,4 @@ def g():
 def g():
-    return 1
+    return 2

 # end
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1,3 @@
+def h():
+    return 3
+# done
diff --git a/image.png b/image.png
Binary files a/image.png and b/image.png differ
"""


def finding(path: str, start: int, end: int | None = None, **changes: Any) -> Finding:
    """A finding whose fingerprint depends on its place and its title."""
    title = changes.get("title", "Wrong value")
    name = fingerprint(path, [str(start), title], "", "test")
    words = ("Wrong value", "It breaks.")
    base = Finding(path, start, end or start, Severity.HIGH, Category.CORRECTNESS, *words, 0.8, True, name)
    return replace(base, **changes)


def suggested(one: Finding, text: str) -> Finding:
    """The finding with a suggestion for exactly its lines."""
    return replace(one, suggestion=Suggestion(one.start_line, one.end_line, text, verified=True))


def review(*findings: Finding, **changes: Any) -> Review:
    base = Review(findings, (), (), COVERAGE, MANIFEST, base="b" * 40, head=HEAD)
    return replace(base, **changes)


def long_patch(lines: int, path: str = "long.py") -> str:
    """A new file of so many lines."""
    body = "".join(f"+line {number}\n" for number in range(1, lines + 1))
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{lines} @@\n{body}"
