"""The lines a hunk is read with."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.asked.typed import seen
from hunkwise.reviewer.judge.context import ABOVE, BELOW, surroundings, with_context
from hunkwise.reviewer.judge.hunk import HunkTask, read_with_context
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.types import Change, HunkContext

FILE = "".join(f"line {number}\n" for number in range(1, 61))


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
    return [number for number, _ in (*context.before, *context.after)]


def test_the_lines_next_to_a_hunk() -> None:
    """With room enough the nearest lines are there, in order, with their numbers, up to the ends of the file."""
    found = context(edit(FILE, 40))

    assert numbers(found) == [*range(40 - ABOVE, 40), *range(41, 41 + BELOW)]
    assert dict(found.after)[41] == "line 41"
    assert numbers(context(edit(FILE, 2))) == [1, *range(3, 3 + BELOW)]


def test_the_farthest_lines_are_cut_first() -> None:
    """Inside the budget, a line above before one below."""
    size = words(surroundings(context(edit(FILE, 40)))) // (ABOVE + BELOW)

    assert numbers(context(edit(FILE, 40), 3 * size)) == [38, 39, 41]
    assert numbers(context(edit(FILE, 40), 3 * size - 1)) == [39, 41]


def test_a_hunks_own_lines_count() -> None:
    """Unchanged lines of the hunk, before its first change and after its last one, are context already."""
    lines = [f" line {n}\n" for n in range(1, 61)]
    patch = "--- a/x.py\n+++ b/x.py\n@@ -30,21 +30,21 @@\n" + "".join(
        [*lines[29:39], "-old\n+line 40\n", *lines[40:50]]
    )
    found = context(replace(parse_diff(patch.encode()), new_texts={"x.py": FILE}))

    assert numbers(found) == [*range(40 - ABOVE, 30)]


def test_without_the_file_other_hunks_give_context() -> None:
    """A patch alone still shows what its other hunks know of the file."""
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n import os\n-a\n+b\n"
    patch += b"@@ -9,2 +9,2 @@\n def f():\n-    a\n+    b\n"
    change = parse_diff(patch)
    picked, _ = select(change)
    found = with_context(change, picked[1], words, 100)

    assert found.before == ((1, "import os"), (2, "b"))


def test_a_text_that_does_not_fit_is_not_believed() -> None:
    """A whole text in which the hunk does not hold gives no lines."""
    change = edit(FILE, 17)
    wrong = replace(change, new_texts={"x.py": FILE.replace("line 17", "line")})

    assert numbers(context(wrong)) == []


def test_pieces_see_the_rest_of_their_hunk() -> None:
    """A piece of a large new file has the lines before and after it as context."""
    body = "".join(f"+    line{number}\n" for number in range(2, 31))
    change = parse_diff(f"--- /dev/null\n+++ b/x.py\n@@ -0,0 +1,30 @@\n+def f():\n{body}".encode())
    picked, _ = select(change, most_lines=10)
    found = with_context(change, picked[1], words, 1000)

    assert numbers(found) == [*range(1, 11), *range(21, 21 + BELOW)]


def test_a_pure_removal_has_its_neighbours() -> None:
    """Around removed lines the lines before and after are shown, none twice."""
    change = parse_diff(b"--- a/x.py\n+++ b/x.py\n@@ -3 +2,0 @@\n-gone\n")
    found = context(replace(change, new_texts={"x.py": "a\nb\nc\nd\n"}))

    assert (found.before, found.after) == (((1, "a"), (2, "b")), ((3, "c"), (4, "d")))


def test_no_budget_is_no_context() -> None:
    """With nothing to spend the hunk stands alone, and nothing is measured."""
    change = edit(FILE, 17)
    (picked,), _ = select(change)

    assert with_context(change, picked, lambda text: 1 // 0, 0).before == ()


def test_an_engine_counts_the_budget() -> None:
    """What `context_tokens` allows is counted in the engine's own tokens, for the evidence and for questions."""
    change = edit("".join(f"line {number}\n" * 9 for number in range(1, 61)), 40)
    (picked,), _ = select(change)
    engine, narrow = ScriptedEngine(), JudgeSettings(context_tokens=9)
    read = read_with_context(picked, HunkTask(change, narrow, engine))

    assert 0 < len(numbers(read)) <= 3
    assert 0 < len(numbers(seen(picked, change, engine, narrow))) <= 3


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

    assert len(calls) <= 5
    assert not numbers(found) or count(surroundings(found)) <= budget
    assert all(rows[number - 1] == text for number, text in (*found.before, *found.after))
    assert numbers(found) == sorted(set(numbers(found)))


def test_a_line_number_beyond_all_files_costs_nothing() -> None:
    """A patch may claim line nine billion: no number between the known ones is walked over."""
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n import os\n-a\n+b\n"
    patch += b"@@ -9999999990,3 +9999999990,2 @@\n def f():\n-    a\n-    c\n+    b\n"
    change = parse_diff(patch)
    picked, _ = select(change)

    assert with_context(change, picked[1], words, 100).before == ()
