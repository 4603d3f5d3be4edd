"""The lines a hunk is read with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.context import surroundings, with_context
from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.selection import select
from hunkwise.reviewer.types import Change, HunkContext

PYTHON = """\
import os
from typing import (
    Any,
    List,
)

LIMIT = 3


class Box:
    size = 1

    def open(self, key):
        a = 1
        b = 2
        if key:
            c = 3
            d = 4
        e = 5
        return a

    def close(self):
        f = 6


def other():
    return 7
"""
GO = """\
package main

import (
	"fmt"
	"os"
)

// open opens.
func open(key string) error
{
	a := 1
	if key != "" {
		b := 2
	}
	return nil
}

func other() {
	fmt.Println(os.Args)
}
"""
C = """\
#include <stdio.h>

static int
open_it(struct box *b,
        int key)
{
    int a = 1;
#ifdef DEBUG
    puts("x");
#endif
    for (;;) {
        a++;
    }
out:
    return a;
}
"""


def words(text: str) -> int:
    """A tokenizer: words and line ends."""
    return len(text.split()) + text.count("\n")


def edit(text: str, line: int, path: str = "x.py") -> Change:
    """A change, without context, of one line that turned into what stands in `text`."""
    new = text.split("\n")[line - 1]
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -{line} +{line} @@\n-old\n+{new}\n".encode()
    return replace(parse_diff(patch), new_texts={path: text})


def context(change: Change, budget: int = 1000) -> HunkContext:
    """The context of a change's only hunk."""
    (picked,), _ = select(change)
    return with_context(change, picked, words, budget)


def numbers(context: HunkContext) -> list[int]:
    """All line numbers around the hunk."""
    return [number for number, _ in (*context.imports, *context.before, *context.after)]


def test_all_of_a_small_file_is_shown() -> None:
    """With room enough each line of the file is there once, in order, with its number."""
    found = context(edit(PYTHON, 17))

    assert numbers(found) == [*range(1, 17), *range(18, 28)]
    assert dict(found.after)[18] == "            d = 4"
    assert found.tokens == words(surroundings(found))


@pytest.mark.parametrize(
    ("text", "path", "line", "budget", "expected"),
    [
        (PYTHON, "x.py", 17, 13, [10, 13, 16]),
        (PYTHON, "x.py", 17, 62, [10, 13, 14, 15, 16, 18, 19, 20, 21]),
        (PYTHON, "x.py", 17, 82, [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21]),
        (GO, "x.go", 13, 16, [9, 10, 12]),
        (C, "x.c", 12, 20, [5, 6, 11]),
    ],
)
def test_the_enclosing_blocks_come_first(
    text: str, path: str, line: int, budget: int, expected: list[int]
) -> None:
    """Openers of the blocks around the change, then its function, then imports."""
    found = context(edit(text, line, path), budget)

    assert set(expected) <= set(numbers(found))
    assert found.tokens <= budget


def test_imports_stand_apart() -> None:
    """Import lines far above the hunk are imports; those that touch it are lines before it."""
    found = context(edit(PYTHON, 17), 75)
    assert [text for _, text in found.imports][:2] == ["import os", "from typing import ("]
    near = context(edit(PYTHON, 6), 30)
    assert near.imports == ()
    assert near.before[0] == (1, "import os")


def test_without_the_file_other_hunks_give_context() -> None:
    """A patch alone still shows what its other hunks know of the file."""
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n import os\n-a\n+b\n"
    patch += b"@@ -9,2 +9,2 @@\n def f():\n-    a\n+    b\n"
    change = parse_diff(patch)
    picked, _ = select(change)
    found = with_context(change, picked[1], words, 100)

    assert found.imports == ((1, "import os"),)
    assert found.before == ((2, "b"),)


def test_a_text_that_does_not_fit_is_not_believed() -> None:
    """A whole text in which the hunk does not hold gives no lines."""
    change = edit(PYTHON, 17)
    wrong = replace(change, new_texts={"x.py": PYTHON.replace("c = 3", "c = 4")})

    assert numbers(context(wrong)) == []


def test_pieces_see_the_rest_of_their_hunk() -> None:
    """A piece of a large new file has the lines before and after it as context."""
    body = "".join(f"+    line{number}\n" for number in range(2, 31))
    change = parse_diff(f"--- /dev/null\n+++ b/x.py\n@@ -0,0 +1,30 @@\n+def f():\n{body}".encode())
    picked, _ = select(change, most_lines=10)
    found = with_context(change, picked[1], words, 1000)

    assert numbers(found) == [*range(1, 11), *range(21, 31)]


def test_a_pure_removal_has_its_neighbours() -> None:
    """Around removed lines the lines before and after are shown, none twice."""
    change = parse_diff(b"--- a/x.py\n+++ b/x.py\n@@ -3 +2,0 @@\n-gone\n")
    found = context(replace(change, new_texts={"x.py": "a\nb\nc\nd\n"}))

    assert (found.before, found.after) == (((1, "a"), (2, "b")), ((3, "c"), (4, "d")))


def test_no_budget_is_no_context() -> None:
    """With nothing to spend the hunk stands alone, and nothing is measured."""
    change = edit(PYTHON, 17)
    (picked,), _ = select(change)

    assert with_context(change, picked, lambda text: 1 // 0, 0).before == ()


LINES = st.sampled_from(
    ["", "import a", "def f():", "    x = 1", "    if y:", "        z()", "}", "{", "\tw", "a" * 500]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=80), st.integers(0, 79), st.integers(0, 120))
def test_the_budget_is_exact_and_seldom_measured(rows: list[str], at: int, budget: int) -> None:
    """Never over the budget, by the caller's own measure, with few calls; lines are the file's own."""
    calls: list[str] = []

    def count(text: str) -> int:
        calls.append(text)
        return len(text) // 3 + 1

    change = edit("\n".join(rows), min(at, len(rows) - 1) + 1)
    (picked,), _ = select(change)
    found = with_context(change, picked, count, budget)

    assert len(calls) <= 6
    assert not numbers(found) or count(surroundings(found)) == found.tokens <= budget
    assert all(rows[number - 1] == text for number, text in (*found.imports, *found.before, *found.after))
    assert numbers(found) == sorted(set(numbers(found)))


def test_a_line_number_beyond_all_files_costs_nothing() -> None:
    """A patch may claim line nine billion: no number between the known ones is walked over."""
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n import os\n-a\n+b\n"
    patch += b"@@ -9999999990,3 +9999999990,2 @@\n def f():\n-    a\n-    c\n+    b\n"
    change = parse_diff(patch)
    picked, _ = select(change)

    assert with_context(change, picked[1], words, 100).imports == ((1, "import os"),)
