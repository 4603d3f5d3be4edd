"""Whether a patch holds for a text, and the text after it."""

from __future__ import annotations

from collections.abc import Iterable

from hunkwise.reviewer.types import FileDiff, Hunk, Line


def is_applied(text: str, file: FileDiff) -> bool:
    """Whether every new-side line of the file's hunks stands in `text` at its number.

    A carriage return at the end of a line makes no difference: patches lose and win them on their way.
    """
    return _holds(text.split("\n"), [(line.new_no, line.text) for line in _lines(file) if line.new_no])


def apply(text: str, file: FileDiff) -> str | None:
    """`text` with the file's hunks applied; None unless every old-side line stands at its number.

    Hunks without old-side lines could apply anywhere, so they alone prove nothing.
    """
    lines = text.split("\n")
    if not _holds(lines, [(line.old_no, line.text) for line in _lines(file) if line.old_no]):
        return None
    new: list[str] = []
    taken = 0  # old lines
    for hunk in file.hunks:
        start = hunk.old_start - 1 if hunk.old_length else hunk.old_start
        if start < taken:
            return None
        new += lines[taken:start]
        new += _new_side(hunk, lines)
        taken = start + hunk.old_length
    rest = _rest(lines[taken:], file.hunks[-1])
    return "\n".join(new + rest) if new or rest != [""] else ""


def _new_side(hunk: Hunk, old: list[str]) -> Iterable[str]:
    for line in hunk.lines:
        if line.kind == "added":
            yield line.text
        elif line.kind == "context":
            assert line.old_no is not None
            yield old[line.old_no - 1]


def _rest(rest: list[str], last: Hunk) -> list[str]:
    """Lines after the last hunk. If it reaches the end, the patch decides whether a newline ends the text."""
    if rest not in ([], [""]):
        return rest
    unended = any(line.no_newline for line in last.lines if line.new_no)
    return [] if unended else [""]


def _lines(file: FileDiff) -> list[Line]:
    return [line for hunk in file.hunks for line in hunk.lines]


def _holds(lines: list[str], claims: list[tuple[int, str]]) -> bool:
    return bool(claims) and all(
        number <= len(lines) and lines[number - 1].removesuffix("\r") == text.removesuffix("\r")
        for number, text in claims
    )
