"""The edits of a tool's fix, applied to the lines that a diff shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hunkwise.reviewer.linters.reported import Edit

_MOST_EDITS = 20
_MOST_LINES = 40


def applied(edits: Sequence[Edit], shown: Mapping[int, str]) -> tuple[int, int, str] | None:
    """Give the whole lines that change, first and last, and what comes in for them.

    None where there is nothing to do, where it reaches beyond what is shown, or where it can't be told what is
    meant: edits over one another, columns past an end, columns in a line that is not ASCII, which tools count in
    bytes, in characters, or in halves of them.
    """
    if not edits or len(edits) > _MOST_EDITS:
        return None
    first = min(edit.start_line for edit in edits)
    last = max(_last_line(edit) for edit in edits)
    if last - first >= _MOST_LINES or not all(number in shown for number in range(first, last + 1)):
        return None
    lines = [shown[number].removesuffix("\r") for number in range(first, last + 1)]
    text = "".join(f"{line}\n" for line in lines)
    spans = []
    for edit in edits:
        start = _offset(lines, edit.start_line - first, edit.start_column)
        end = _offset(lines, edit.end_line - first, edit.end_column or _END)
        if start is None or end is None or end < start:
            return None
        spans.append((start, end, edit.text.replace("\r\n", "\n")))
    spans.sort(key=lambda span: span[:2])
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        return None
    for start, end, put in reversed(spans):
        text = text[:start] + put + text[end:]
    if text and not text.endswith("\n"):
        return None
    return _narrowed(first, lines, text)


_END = 0


def _last_line(edit: Edit) -> int:
    """Give the last line of which an edit needs the text: one that ends before a line does not need it."""
    return edit.end_line - 1 if edit.end_column == 1 and edit.end_line > edit.start_line else edit.end_line


def _offset(lines: Sequence[str], row: int, column: int) -> int | None:
    """Give the place of a line and a column in the joined text; None where there is no such place."""
    before = sum(len(line) + 1 for line in lines[:row])
    if row == len(lines) and column == 1:
        return before
    if not 0 <= row < len(lines):
        return None
    if column == _END:
        return before + len(lines[row])
    if not lines[row].isascii() and column > 1:
        return None
    return before + column - 1 if column - 1 <= len(lines[row]) else None


def _narrowed(first: int, old: Sequence[str], text: str) -> tuple[int, int, str] | None:
    """Leave out the lines at both ends that stay as they are."""
    new = text.split("\n")[:-1]
    if new == list(old):
        return None
    head = 0
    while head < min(len(old), len(new)) - 1 and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head - 1 and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return first + head, first + len(old) - 1 - tail, "\n".join(new[head : len(new) - tail])
