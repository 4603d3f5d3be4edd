"""The function around a change, told by indentation, which holds in nearly every language that is formatted."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hunkwise.reviewer.diff.hunks import span
from hunkwise.reviewer.types import Hunk

_LONGEST_LINE = 400  # characters that are looked at
_DEFINITION = re.compile(
    r"\s*(?:@|[\w<>\[\],.:&*?~ \t]*?\b)"
    r"(?:def|class|func|function|fn|fun|sub|proc|impl|struct|enum|interface|trait|module|method)\b"
    r"|\s*[\w<>\[\],.:&*?~ \t]+\([^;]*$"  # C, Java: a name, a bracket, no semicolon
)
_CONTROL = re.compile(
    r"\s*(?:\}\s*)?(?:if|elif|else|for|foreach|while|switch|match|case|try|catch|except|finally|with|do|when|loop"
    r"|select|return|unless|until|begin|rescue|ensure)\b"
)
_NO_BLOCK = re.compile(
    r"\s*(?:#\s*(?:if|ifdef|ifndef|else|elif|endif|define|undef|pragma)\b|\w+:\s*$|//|\*|/\*)"
)
_ONLY_CLOSING = re.compile(r"\s*(?:[\])}]+[;,)]*|end\b.*)\s*$")
_ONLY_OPENING = re.compile(r"\s*\{\s*$")


def enclosing(lines: Mapping[int, str], hunk: Hunk) -> range | None:
    """Number the lines of the definition around a hunk's first change; None where it stands in none.

    `lines` are those of the whole file. The innermost definition that holds the hunk's start is taken.
    """
    first, last = span(hunk)
    openers = _openers(lines, hunk, first)
    start = _function(lines, openers)
    at, _ = _anchor(hunk, first)
    if start is None and _is(_DEFINITION, lines.get(at, "")) and _block_end(lines, at, at) > at:
        start = at  # the change is in the line that names the function
    return None if start is None else range(start, _block_end(lines, start, max(start, last)) + 1)


def _openers(lines: Mapping[int, str], hunk: Hunk, first: int) -> list[int]:
    """Lines that open the blocks around the hunk's first change, the innermost first."""
    at, indent = _anchor(hunk, first)
    openers: list[int] = []
    for number in range(at - 1, 0, -1):
        text = lines.get(number)
        if not indent or text is None:  # a gap between hunks: what is beyond may be another block
            break
        if not text.strip() or _indent(text) >= indent or _is(_NO_BLOCK, text) or _is(_ONLY_CLOSING, text):
            continue
        indent = _indent(text)
        openers.append(number)
        if _is(_ONLY_OPENING, text) and number - 1 in lines:
            openers.append(number - 1)  # the function's name stands above its brace
    return openers


def _anchor(hunk: Hunk, first: int) -> tuple[int, int]:
    """New-side number and indentation of the first added line with text, else of the first removed one."""
    at, removed = first, None
    for line in hunk.lines:
        if line.kind == "added" and line.text.strip():
            assert line.new_no is not None
            return line.new_no, _indent(line.text)
        if line.kind == "removed" and line.text.strip() and removed is None:
            removed = at, _indent(line.text)
        at = line.new_no + 1 if line.new_no is not None else at
    return removed or (first, 0)


def _function(lines: Mapping[int, str], openers: list[int]) -> int | None:
    """The innermost opener that defines something, else the outermost."""
    for number in openers:
        text = lines[number]
        if _is(_DEFINITION, text) and not _is(_CONTROL, text):
            return number
    return openers[-1] if openers else None


def _block_end(lines: Mapping[int, str], start: int, last: int) -> int:
    """Last line of the block that line `start` opens, at least `last`."""
    indent = _indent(lines[start])
    number = last
    while (text := lines.get(number + 1)) is not None:
        if text.strip() and _indent(text) <= indent and not _is(_NO_BLOCK, text):
            return number + 1 if _is(_ONLY_CLOSING, text) else number
        number += 1
    return number


def _is(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.match(text[:_LONGEST_LINE]) is not None


def _indent(text: str) -> int:
    """Columns before the text, a tab being four."""
    return len((text[: len(text) - len(text.lstrip())]).expandtabs(4))
