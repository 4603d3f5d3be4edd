"""Fingerprints: the same remark keeps its name, different remarks have different ones."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.findings.fingerprint import distinguish, fingerprint
from hunkwise.reviewer.types import Category, Finding, Severity

BUG = Category.CORRECTNESS


def finding(line: int, name: str) -> Finding:
    return Finding("a.py", line, line, Severity.HIGH, BUG, "t", "m", 0.5, False, name)


def test_indentation_and_blank_lines_do_not_count() -> None:
    """Moving a block one level deeper keeps the names of its remarks."""
    flat = fingerprint("a.py", ["if x:", "  return 1"], "f", "off-by-one")
    deep = fingerprint("a.py", ["    if x:", "", "\t  return   1  "], "f", "off-by-one")
    assert flat == deep
    assert re.fullmatch(r"[0-9a-f]{32}", flat)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), min_size=5, max_size=5))
def test_every_part_counts(parts: list[str]) -> None:
    """Path, code, symbol and kind each change the name, whatever text they hold."""
    path, code, symbol, kind, other = parts
    name = fingerprint(path, [code], symbol, kind)
    assert name != fingerprint(path + "x", [code], symbol, kind)
    assert name != fingerprint(path, [code + "x"], symbol, kind)
    assert name != fingerprint(path, [code], symbol + other + "x", kind)
    assert name != fingerprint(path, [code], symbol, kind + other + "x")


def test_equal_findings_get_ordinals_from_the_top() -> None:
    """Of two equal remarks the upper one keeps its name, in whatever order they come."""
    low, high = finding(9, "a" * 32), finding(3, "a" * 32)
    first, second = distinguish([low, high])
    assert second == high
    assert first.fingerprint not in ("a" * 32, "")
    assert distinguish([high, low]) == (second, first)


def test_a_lone_finding_keeps_its_name() -> None:
    """Different names are left as they are."""
    findings = (finding(1, "a" * 32), replace(finding(1, "b" * 32), path="b.py"))
    assert distinguish(findings) == findings


def test_what_is_said_twice_in_one_place_has_one_name() -> None:
    """Twins on the same lines are the same remark; a third further down is counted as the second place."""
    twin, below = finding(3, "a" * 32), finding(9, "a" * 32)
    first, second, third = distinguish([twin, twin, below])
    assert first == second == twin
    assert third == distinguish([twin, below])[1]
