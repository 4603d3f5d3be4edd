"""Where hunks end: only the counts of the @@ line decide, so that content may look like a header.

Line indices are 0-based; a Problem's line is 1-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hunkwise.reviewer.diff.parts import Problem, Refused, shown, starts

HUNK_HEADER = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@")
_PROPERTY_HEADER = re.compile(rb"## -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? ##")
_MOST_FOLLOWING = 30
_WORD_MARKS = ((b"[-", b"-]"), (b"{+", b"+}"))


def hunks_after_names(lines: list[bytes], at: int) -> tuple[tuple[range, ...], int, Problem | None]:
    """The whole hunks after the `---` line at `at`, where to go on, and what is wrong with the rest."""
    if not starts(lines, at + 1, b"+++ "):
        return (), at + 1, Problem(at + 1, "a --- line without its +++ line")
    hunks: list[range] = []
    at += 2
    while starts(lines, at, b"@@ -"):
        end, problem = _hunk_end(lines, at, HUNK_HEADER)
        if problem:
            return tuple(hunks), at + 1, problem  # the next file may begin within
        if problem := _leftover(lines, at, end) or _without_change(lines, at, end):
            return tuple(hunks), end, problem
        hunks.append(range(at, end))
        at = end
    if not hunks and not changes_properties(lines, at):
        return (), at, Problem(at, "no hunk (@@ -1,2 +1,2 @@) after the --- and +++ lines")
    return tuple(hunks), at, None


def check_sides(
    lines: list[bytes], hunks: tuple[range, ...], old_path: str | None, new_path: str | None
) -> None:
    """Raise Refused where a new file has old lines, or a deleted one new lines, as `git apply` does."""
    for span in hunks:
        header = HUNK_HEADER.match(lines[span.start])
        old, new = _counts(header) if header else (0, 0)
        if old_path is None and old:
            raise Refused(span.start + 1, "the file is new, but this hunk has lines of an old one")
        if new_path is None and new:
            raise Refused(span.start + 1, "the file is deleted, but this hunk leaves lines in it")


def changes_properties(lines: list[bytes], at: int) -> bool:
    """Whether svn tells of changed properties instead of text."""
    return any(line.startswith(b"Property changes on: ") for line in lines[at : at + 3])


def is_hunk(lines: list[bytes], at: int) -> bool:
    """Whether a whole hunk begins at `at`."""
    return _hunk_end(lines, at, HUNK_HEADER)[1] is None


def property_end(lines: list[bytes], at: int) -> int:
    """Index after svn's account of a property's value, which may look like anything."""
    end, problem = _hunk_end(lines, at, _PROPERTY_HEADER)
    return at + 1 if problem else end


def _counts(header: re.Match[bytes]) -> tuple[int, int]:
    old, new = header.group(2, 4)
    return 1 if old is None else int(old), 1 if new is None else int(new)


def _hunk_end(lines: list[bytes], start: int, form: re.Pattern[bytes]) -> tuple[int, Problem | None]:
    """Index after the last line of the hunk whose @@ line is at `start`."""
    header = form.match(lines[start])
    if not header:
        return start, Problem(start + 1, f"not a hunk header: {shown(lines[start])}")
    old, new = _counts(header)
    if not old + new or (old and not int(header[1])) or (new and not int(header[3])):
        return start, Problem(start + 1, f"impossible numbers in the hunk header: {shown(lines[start])}")
    at = start + 1
    while old or new:
        kind = lines[at][:1] if at < len(lines) else None
        if kind == b"+":
            new -= 1
        elif kind == b"-":
            old -= 1
        elif kind == b" " or lines[at : at + 1] in ([b""], [b"\r"]):  # mailers strip the blank of blank lines
            old, new = old - 1, new - 1
        elif kind != b"\\" or at == start + 1:
            return at, _short_hunk(lines, start, at, old, new)
        if old < 0 or new < 0:
            return at, _broken(
                lines, start, at, f"the hunk of line {start + 1} is longer than its @@ line says"
            )
        at += 1
    return at + starts(lines, at, b"\\"), None


def _short_hunk(lines: list[bytes], start: int, at: int, old: int, new: int) -> Problem:
    missing = f"the hunk of line {start + 1} still lacks {old} old and {new} new lines"
    if at >= len(lines):
        return Problem(at, f"the diff ends too early: {missing}", range(start, at))
    return _broken(lines, start, at, f"{missing}, but here stands {shown(lines[at])}")


def _leftover(lines: list[bytes], start: int, at: int) -> Problem | None:
    """Lines right after a hunk that look like hunk lines: its @@ line counted too few of them.

    Not so the header of the next plain file and the mail signature "-- ".
    """
    if at >= len(lines) or lines[at][:1] not in (b"+", b"-", b" ", b"\\"):
        return None
    if lines[at].rstrip() == b"--" or (lines[at].startswith(b"--- ") and starts(lines, at + 1, b"+++ ")):
        return None
    return _broken(lines, start, at, "the hunk above is longer than its @@ line says")


def _without_change(lines: list[bytes], start: int, end: int) -> Problem | None:
    """No tool prints a hunk in which nothing changes: the changes stand there in some other form."""
    if any(lines[at][:1] in (b"+", b"-") for at in range(start + 1, end)):
        return None
    return _broken(lines, start, end - 1, f"the hunk of line {start + 1} changes no line")


def _following(lines: list[bytes], at: int) -> Iterator[bytes]:
    """Some lines after a broken one that may be of the same hunk."""
    for line in lines[at : at + _MOST_FOLLOWING]:
        if line.startswith((b"@@ -", b"diff ")):
            return
        yield line


def _broken(lines: list[bytes], start: int, at: int, message: str) -> Problem:
    """Say what is wrong with a hunk that shows it at the index `at`, and what form it may be of instead."""
    lost = range(start, at + 1)
    marked = any(
        opening in line and closing in line
        for line in (*lines[start + 1 : at + 1], *_following(lines, at + 1))
        for opening, closing in _WORD_MARKS
    )
    if marked or lines[at].rstrip(b"\r") == b"~":
        message += "; it looks like a word diff, so make it without --word-diff"
    return Problem(at + 1, message, lost)
