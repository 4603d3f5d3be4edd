"""Rules over a change: what is said of it, and of what not."""

from __future__ import annotations

import difflib
from dataclasses import replace

import pytest

from hunkwise.reviewer.checks import run
from hunkwise.reviewer.checks.pack import own_rules
from hunkwise.reviewer.checks.run import RuleSet, inspect
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.findings.ranking import Bar, rank_and_filter
from hunkwise.reviewer.languages.parser import LIVES, Child
from hunkwise.reviewer.types import Category, Change, Finding, Severity, Skipped

OWN = """\
id: ours-load
languages: [python]
dimension: security
severity: high
title: load($WHAT) believes what it reads
message: It builds what `$WHAT` says.
advice: Use safe_load($WHAT).
fix: safe_load($WHAT)
rule: {pattern: load($WHAT)}
bad: ["load(x)"]
good: ["safe_load(x)"]
"""
OPENED = """\
id: ours-opened
languages: [python]
dimension: correctness
severity: high
title: $F is not closed
message: It stays open.
advice: Use with.
flow:
  kind: obligation
  open: [{pattern: open($$$)}]
  close: [{pattern: $X.close()}]
bad: ["f = open(x)"]
good: ["with open(x) as f: pass"]
"""
RULES = RuleSet(own=own_rules([("a.yml", OWN), ("b.yml", OPENED)]), off=("python-*",))


def changed(old: str, new: str, path: str = "a.py", *, whole: bool = True) -> Change:
    """A change of one file, with its whole texts or as a patch alone."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}", n=1
    )
    change = parse_diff("".join(lines).encode())
    return replace(change, new_texts={path: new}, old_texts={path: old}) if whole else change


def said(change: Change, rules: RuleSet = RULES) -> tuple[list[Finding], Skipped | None]:
    """What rules say of the first file."""
    found, missed = inspect(change.files[0], change, rules)
    return list(found), missed


def test_only_lines_of_the_change_are_remarked_on() -> None:
    """What stood there before is not the change's fault."""
    old = "load(a)\n\n\nx = 1\n"
    found, missed = said(changed(old, old + "load(b)\n"))

    assert missed is None
    assert [(one.start_line, one.title, one.category) for one in found] == [
        (5, "load(b) believes what it reads", Category.SECURITY)
    ]
    assert found[0].message == "It builds what `b` says."
    assert found[0].code == ("load(b)",)


def test_a_fix_is_a_suggestion_of_whole_lines() -> None:
    """It replaces the match and keeps what stands beside it."""
    (found,), _ = said(changed("x = 1\n", "x = 1\nreturned = 1 + load(b) * 2\n"))

    assert found.suggestion is not None
    assert found.suggestion.replacement == "returned = 1 + safe_load(b) * 2"
    assert (found.suggestion.start_line, found.suggestion.end_line) == (2, 2)
    assert found.suggestion.verified


def test_what_a_removal_brings_is_said_though_its_line_is_old() -> None:
    """Where close() goes, the open() above it is a leak that was none before."""
    old = "def f():\n    h = open(x)\n    go(h.read())\n    h.close()\n"
    found, _ = said(changed(old, old.replace("    h.close()\n", "")))

    assert [one.start_line for one in found] == [2]
    assert said(changed(old + "y = 1\n", old + "y = 2\n"))[0] == []


def test_an_old_leak_is_not_said_of_a_change_beside_it() -> None:
    """The same was there before."""
    old = "def f():\n    h = open(x)\n    go(h.read())\n"

    assert said(changed(old, old.replace("go(h.read())", "run(h.read())")))[0] == []


def test_a_patch_alone_is_read_as_far_as_it_shows() -> None:
    """Line numbers are those of the file."""
    old = "".join(f"x{n} = {n}\n" for n in range(30))
    found, _ = said(changed(old, old.replace("x20 = 20\n", "x20 = load(z)\n"), whole=False))

    assert [(one.start_line, one.code) for one in found] == [(21, ("x20 = load(z)",))]
    assert found[0].suggestion is not None
    assert not found[0].suggestion.verified


def test_of_a_patch_alone_nothing_is_said_that_needs_the_file() -> None:
    """The name may be given its value where nobody sees it."""
    old = "".join(f"x{n} = {n}\n" for n in range(30))
    old = f"import os\n{old}"
    new = old.replace("x20 = 20\n", "x20 = unknown\n")
    rules = RuleSet()

    assert [one.source.rule for one in said(changed(old, new), rules)[0]] == ["python-name-undefined"]
    assert said(changed(old, new, whole=False), rules)[0] == []


def test_a_new_file_is_whole_without_a_repository() -> None:
    """Its diff holds all of it."""
    change = parse_diff(b"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+def f():\n+    h = open(x)\n")

    assert [one.start_line for one in said(change)[0]] == [2]


def test_a_category_that_is_not_looked_for_is_not_said() -> None:
    """--categories holds for rules too."""
    found, _ = said(changed("", "load(a)\n"), replace(RULES, categories=(Category.PERFORMANCE,)))

    assert found == []


def test_other_languages_have_no_rules() -> None:
    """Nothing is started for them."""
    assert said(changed("a\n", "b\n", "a.txt")) == ([], None)


def test_secrets_are_not_shown() -> None:
    """Neither in a title that names code nor in the lines."""
    key = "AKIA" + "QWERTYUIOPASDFGH"
    (found,), _ = said(changed("", f"load('{key}')\n"))

    assert key not in f"{found.title}{found.message}{found.code}{found.suggestion}"


def test_a_text_that_ends_the_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was not read; the next ones are read by another process, a few times."""
    child = Child("import sys\nfor line in sys.stdin: sys.exit(1)")
    monkeypatch.setattr(run, "parser", lambda: child)
    for _ in range(LIVES + 1):
        found, missed = said(changed("", "load(a)\n"))
        assert found == []
        assert missed is not None
        assert missed.fault
        assert missed.reason == run.UNREAD
    child.close()


def test_a_long_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read, and said so."""
    monkeypatch.setattr(run, "LONGEST_TEXT", 10)
    _, missed = said(changed("", "load(a)  # long\n"))

    assert missed is not None
    assert "at most 10 characters" in missed.reason


def test_one_rule_speaks_of_a_kind_of_defect_on_a_line() -> None:
    """Where two of ours see the same, the severer is said and the other counted."""
    found = said(changed("", "load(load(a))\n"))[0]
    other = replace(found[0], source=replace(found[0].source, rule="ours-other"), fingerprint="0" * 32)
    kept, rejected = rank_and_filter([found[0], other], Bar(Severity.LOW, 0.5, 10))

    assert len(kept) == 1
    assert [drop.reason for drop in rejected] == [f"{kept[0].source.rule} says it of the same line"]
    assert (
        len(
            rank_and_filter(
                [found[0], replace(other, category=Category.PERFORMANCE)], Bar(Severity.LOW, 0.5, 10)
            )[0]
        )
        == 2
    )
