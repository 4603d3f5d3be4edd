"""Suggestions proven to apply: made from lines, tried on the text, parsed where a parser is at hand."""

from __future__ import annotations

import ast
import warnings

from hunkwise.reviewer.types import FileDiff, Hunk, Line, Suggestion


def restore(hunk: Hunk, line: int) -> tuple[int, int, str] | None:
    """Give the old text of the change around new-side `line`: (start_line, end_line, replacement).

    A replaced block gets its removed lines back. Where lines were only removed, `line` itself comes back with
    them before or after it. None if nothing was removed there.
    """
    for added, removed, before, after in _blocks(hunk):
        old = [gone.text for gone in removed]
        if added and removed and added[0] <= line <= added[-1]:
            return added[0], added[-1], "\n".join(old)
        if not added and removed:
            if after is not None and after.new_no == line:
                return line, line, "\n".join([*old, after.text])
            if after is None and before is not None and before.new_no == line:
                return line, line, "\n".join([before.text, *old])
    return None


def replaced(hunk: Hunk, line: int) -> tuple[str, ...]:
    """Give the removed lines that new-side `line` came in for, or that went beside it."""
    for added, removed, before, after in _blocks(hunk):
        beside = {context.new_no for context in (before, after) if context is not None}
        if (added and added[0] <= line <= added[-1]) or line in beside:
            return tuple(gone.text for gone in removed)
    return ()


def _blocks(hunk: Hunk) -> list[tuple[list[int], list[Line], Line | None, Line | None]]:
    """Cut a hunk into its runs of changed lines, each with the context lines that touch it."""
    blocks: list[tuple[list[int], list[Line], Line | None, Line | None]] = []
    added: list[int] = []
    removed: list[Line] = []
    before: Line | None = None
    for line in hunk.lines:
        if line.kind == "context":
            if added or removed:
                blocks.append((added, removed, before, line))
                added, removed = [], []
            before = line
        elif line.kind == "added":
            assert line.new_no is not None
            added.append(line.new_no)
        else:
            removed.append(line)
    if added or removed:
        blocks.append((added, removed, before, None))
    return blocks


def offer(
    file: FileDiff, hunk: Hunk, text: str | None, start: int, end: int, replacement: str
) -> Suggestion | None:
    """Try a replacement of new-side lines; None if it changes nothing, does not apply, or breaks the syntax.

    `text` is the whole new file where it is known; without it a suggestion is offered unverified.
    """
    standing = {line.new_no: line.text for line in hunk.lines if line.new_no is not None}
    if not all(number in standing for number in range(start, end + 1)):
        return None
    if "\r" in replacement or "\ufffd" in replacement:  # a byte that was no UTF-8 can't be given back
        return None
    if replacement == "\n".join(standing[number] for number in range(start, end + 1)):
        return None
    if text is None:
        return Suggestion(start, end, replacement, verified=False)
    lines = text.split("\n")
    if [line.rstrip("\r") for line in lines[start - 1 : end]] != [
        standing[number].rstrip("\r") for number in range(start, end + 1)
    ]:
        return None
    changed = "\n".join([*lines[: start - 1], *replacement.split("\n"), *lines[end:]])
    if not parses(file.path, changed):
        return None
    return Suggestion(start, end, replacement, verified=True)


def parses(path: str, text: str) -> bool:
    """Tell whether a whole file still parses; True for languages without a parser here."""
    if not path.endswith((".py", ".pyi")):
        return True
    try:
        with warnings.catch_warnings():  # an invalid escape in the reviewed file is not our warning
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
