"""Titles from what is certain: what an author wrote, what lines do, what sections and keys come and go."""

from __future__ import annotations

import pytest
from edits import edit

from hunkwise.reviewer.describing.clues.log import sentence
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.describing.titles.agreeing import agrees
from hunkwise.reviewer.describing.titles.candidates import candidates, title
from hunkwise.reviewer.types import Change

CALL = ("def f(x):\n    a(x)\n    return x\n", "def f(x):\n    b(x)\n    c(x)\n    return x\n")


def together(*changes: Change) -> Change:
    """Make one change of several."""
    texts = {path: text for change in changes for path, text in change.new_texts.items()}
    return Change(tuple(file for change in changes for file in change.files), new_texts=texts)


def says(*changes: Change) -> str:
    return title(gather(together(*changes)))


@pytest.mark.parametrize(
    ("old", "new", "path", "expected"),
    [
        (
            "def f(x):\n    return g(x)\n",
            "def f(x):\n    if x is None:\n        raise ValueError(x)\n    return g(x)\n",
            "a.py",
            "Raise `ValueError` if `x is None` in `f`",
        ),
        (
            "int f(int x) {\n  g(x);\n}\n",
            "int f(int x) {\n  if (x > 0) {\n    g(x);\n  }\n}\n",
            "a.c",
            "Check `x > 0` in `f`",
        ),
        (
            "def f(x):\n    a(x)\n    b(x)\n",
            "def f(x):\n    for y in x:\n        a(y)\n    if not x:\n        raise Gone('no rows to read')\n",
            "a.py",
            "Raise `no rows to read` in `f`",
        ),
        (
            "def f(a, b):\n    return a\n",
            "def f(a, b, *, c=None, d=0):\n    say(c)\n    return a or d\n",
            "a.py",
            "Add parameters `c=None` and `d=0` to `f`",
        ),
        (
            "def f(a, b):\n    one(a)\n    return b\n",
            "def f(a):\n    two(a)\n    return 0\n",
            "a.py",
            "Remove parameter `b` from `f`",
        ),
        (
            "# A\n\nText.\n",
            "# A\n\nText.\n\n## How to leave\n\nBy the door.\n",
            "r.md",
            "Add section `How to leave` to `r.md`",
        ),
        (
            "# A\n\nOne.\n",
            "# A\n\nOne.\n\nThe second one is new.\n",
            "r.md",
            "Add `The second one is new.` to `r.md`",
        ),
        (
            "# A\n\nSee http://a.org/x.\n",
            "# A\n\nSee https://b.org/y.\n",
            "r.md",
            "Change `http://a.org/x` to `https://b.org/y` in `r.md`",
        ),
        ("a: 1\n", "a: 1\nextra:\n  b: 2\n  c: 3\n", "m.yml", "Add `extra` to `m.yml`"),
        ("a: 1\nb: 2\nc: 3\n", "c: 3\na: 1\nb: 2\n", "m.yml", "Move `c: 3` in `m.yml`"),
        (
            "# teh end\n# and the beginnning\n",
            "# the end\n# and the beginning\n",
            "a.py",
            "Change comments in `a.py`",
        ),
        ("f(a,\n  b);\n", "f(\n  a,\n  b\n);\n", "a.js", "Reformat `a.js`"),
    ],
)
def test_a_title_tells_what_is_certain(old: str, new: str, path: str, expected: str) -> None:
    """A check, an error, a parameter, a section, a sentence, a key, a move."""
    assert says(edit(old, new, path)) == expected


def test_what_is_still_there_is_not_said_to_be_gone() -> None:
    """A key that only is written in another way now."""
    changed = edit("found=yes\nother=no\n", "[found=yes\nlevel=on],\nother=no\n", "configure.ac")

    assert not any("found" in one for one in candidates(gather(changed)) if one.startswith(("Add", "Remove")))


def test_an_author_says_it_best() -> None:
    """One new entry of a change log is the title; two are none, nor one that only has another wording."""
    code = edit(*CALL)
    log = "# Log\n\n## Unreleased\n\n- Old thing.\n"
    one = edit(log, log + "- Rows are kept for a day ([#7](https://x/7)) by @me.\n", "CHANGELOG.md")
    two = edit(log, log + "- Rows are kept for a day.\n- Carts are kept for ever.\n", "CHANGELOG.md")
    reworded = edit(log, log.replace("Old thing", "An old thing"), "CHANGELOG.md")

    assert says(code, one) == "Rows are kept for a day"
    assert says(code, two) == says(code, reworded) == says(code)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("Fixed a leak -- by :user:`me`.", "Fixed a leak"),
        ("**cli**: show `--help` [#1](http://x/1). More of it.", "Cli: show `--help`"),
        ("``x`` is :meth:`a.b` now, see v1.2 (:issue:`4`)", "`x` is `a.b` now, see v1.2"),
        ("fix(core): keep rows", "Keep rows"),
    ],
)
def test_entries_lose_credits_and_markup(entry: str, expected: str) -> None:
    """What is for the web page of the log alone is no part of a title."""
    assert sentence(entry) == expected


def test_new_tests_tell_what_code_is_for() -> None:
    """The name of a test is a sentence; a test that was renamed is not new."""
    code = edit(*CALL)
    new = edit("", "def test_rows_are_kept_for_a_day():\n    assert f(1)\n", "tests/test_a.py")
    script = edit("", "it('keeps rows for a day', () => {\n  f(1)\n})\n", "test/a.test.js")

    assert says(code, new) == "Change `f`; test: rows are kept for a day"
    assert says(code, script) == "Change `f`; test: keeps rows for a day"
    assert says(script) == "Test: keeps rows for a day"


@pytest.mark.parametrize("size", [1, 60, 800])
def test_candidates_fit_and_differ(size: int) -> None:
    """Of any change there are titles, each short enough and said once."""
    new = "".join(
        f"def f{n}(x):\n    if x < {n}:\n        return g{n}(x)\n    # say what is wrong with {n}\n"
        for n in range(size)
    )
    titles = list(candidates(gather(edit("def f0(x):\n    pass\n", new))))

    assert titles
    assert all(len(one) <= 72 for one in titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("words", "true"),
    [
        ("Call `b` and `c` in `f`", True),
        ("Add `b` to `f`", True),
        ("Add `a` to `f`", False),
        ("Remove `a` from `f`", True),
        ("Remove `b` from `f`", False),
        ("Rename `a` to `b`", True),
        ("Rename `b` to `a`", False),
        ("Release `1.2`", False),
        ("Revert the change of `f`", False),
    ],
)
def test_words_agree_with_the_lines(words: str, true: bool) -> None:
    """What is said to be added is in the added lines, and so on."""
    assert agrees(words, gather(edit(*CALL))) is true
