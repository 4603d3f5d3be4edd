"""Checks that need no model and don't guess: secrets, conflict markers, characters that deceive, idle comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.findings.suppressions import idle
from hunkwise.reviewer.languages.prose import is_prose
from hunkwise.reviewer.text.lookalikes import false_blanks, lookalikes
from hunkwise.reviewer.text.redaction import PRIVATE_KEY, keyed_hash, redact, secrets
from hunkwise.reviewer.text.unseen import hidden, name
from hunkwise.reviewer.types import Category, FileDiff, Finding, Hunk, Line, Severity

# The three markers git writes; "=======" alone is also a heading underline, so it does not count by itself.
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}) \S")

_KEY_BEGINS, _KEY_ENDS = "-----BEGIN", "-----END"
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{16,}")

# Files whose words are no names, and those in which blanks are set as in print; prose is both
_TEXTS = (".txt", ".tex", ".po", ".pot", ".csv", ".tsv", ".srt", ".vtt")
_PRINT = (*_TEXTS, ".svg", ".html", ".htm", ".xml", ".ipynb")
_MOST_KINDS, _MOST_COLUMNS = 20, 8  # named in one remark; of the others the number


@dataclass(frozen=True, slots=True)
class _Remark:
    """What a check says. What is about a secret is known again by its hash, `secret`, all else by its line."""

    severity: Severity
    category: Category
    title: str
    message: str
    secret: str = ""


def checks(
    file: FileDiff, hunk: Hunk, rules: Callable[[], Collection[str]] = frozenset
) -> tuple[Finding, ...]:
    """Check the added lines of a whole hunk and, with a file's first one, its name if that is new.

    `rules` gives the ids of the rules that there are, which comments may name.
    """
    lines = [line for line in hunk.lines if line.new_no is not None]
    if not lines:
        return ()
    remarks = [(line, _leak("This line", what, value)) for line, what, value in _secrets(lines)]
    for line in lines:
        if line.kind == "added":
            remarks += [(line, remark) for remark in _line_remarks(line, file.path, rules)]
    if hunk is file.hunks[0] and file.new_path != file.old_path:
        remarks += [(lines[0], remark) for remark in _name_remarks(file.path)]
    return tuple(_finding(file, hunk, line, remark) for line, remark in remarks)


def _finding(file: FileDiff, hunk: Hunk, line: Line, remark: _Remark) -> Finding:
    """Make a finding; secrets on its line are not shown; what is about one is known by its hash."""
    assert line.new_no is not None
    code = redact(line.text)
    known_by = ((remark.secret,), "") if remark.secret else ((code,), hunk.section)
    return Finding(
        path=file.path,
        part=file.part,
        start_line=line.new_no,
        end_line=line.new_no,
        severity=remark.severity,
        category=remark.category,
        title=remark.title,
        message=remark.message,
        confidence=1.0,
        calibrated=False,  # it was never counted how many of them are right
        fingerprint=fingerprint(file.path, *known_by, remark.title),
        code=(code,),
    )


def _secrets(lines: Sequence[Line]) -> Iterator[tuple[Line, str, str]]:
    """Give each secret that the lines of the new side add: its line, what it is, and its value.

    The value of a private key is its body, so that another key between the same two lines is another secret.
    """
    key: list[str] = []  # of the key that is open: what it is, and its body
    place: Line | None = None  # the first line of it that is added
    for line in lines:
        found = secrets(line.text)
        if key and not found and _KEY_BEGINS not in line.text:
            key += _KEY_BODY.findall(line.text)
            place = place or (line if line.kind == "added" else None)
            if _KEY_ENDS not in line.text:
                continue
        if key and place:
            yield place, key[0], "".join(key[1:])
        key, place = [], None
        for secret in found:
            if secret.what == PRIVATE_KEY and _KEY_ENDS not in line.text:
                key, place = [secret.what, secret.value], line if line.kind == "added" else None
            elif line.kind == "added":
                yield line, secret.what, secret.value
    if key and place:
        yield place, key[0], "".join(key[1:])


def _leak(where: str, what: str, value: str) -> _Remark:
    return _Remark(
        Severity.CRITICAL,
        Category.SECURITY,
        f"{where} holds {what}",
        "Whoever can read the repository can use it. Revoke it, take it out of the history, and read it "
        "from the environment or a secret store instead.",
        keyed_hash(value),
    )


def _name_remarks(path: str) -> Iterator[_Remark]:
    """Check the name of a file: what it holds is shown wherever the file is spoken of."""
    for secret in secrets(path):
        yield _leak("This file's name", secret.what, secret.value)
    if remark := _deceiving(path, hidden(path), lookalikes(path), []):
        yield replace(
            remark, title=f"{remark.title} in the file's name", message=f"In the name: {remark.message}"
        )


def _line_remarks(line: Line, path: str, rules: Callable[[], Collection[str]]) -> Iterator[_Remark]:
    if _CONFLICT.match(line.text):
        yield _Remark(
            Severity.HIGH,
            Category.CORRECTNESS,
            "Merge conflict marker left in",
            "This line was written by git during a merge. Choose one side and delete the three markers.",
        )
    prose, path = is_prose(path), path.lower()
    names = [] if prose or path.endswith(_TEXTS) else lookalikes(line.text)
    blanks = [] if prose or path.endswith(_PRINT) else false_blanks(line.text)
    if remark := _deceiving(line.text, _hidden(line), names, blanks):
        yield remark
    if not prose and (problem := idle(line.text, rules)):
        yield _Remark(
            Severity.LOW, Category.MAINTAINABILITY, "This comment does not silence what it should", problem
        )


def _hidden(line: Line) -> list[int]:
    """List what no reader sees, less a byte order mark that begins a file, a page break, and the end of a line."""
    text = line.text
    if text.strip(" \t\f\r") == "" and "\r" not in text[:-1]:
        return []
    first, end = line.new_no == 1 and text.startswith("\ufeff"), len(text) - text.endswith("\r")
    return [at for at in hidden(text) if first <= at < end]


def _deceiving(text: str, unseen: list[int], names: list[int], blanks: list[int]) -> _Remark | None:
    """Name all characters of a text that deceive who reads it, with their columns."""
    places = sorted({*unseen, *names, *blanks})
    if not places:
        return None
    held = f"{_all_named(text, places)}: "
    if not unseen and not names:
        return _Remark(
            Severity.MEDIUM,
            Category.CORRECTNESS,
            "Blanks that are no spaces",
            f"{held}they look like spaces, and programs take them for something else. Write spaces, or escapes.",
        )
    return _Remark(
        Severity.HIGH,
        Category.SECURITY,
        "Hidden Unicode characters" if unseen else "Letters that look like others",
        f"{held}this can read differently from what the compiler sees (Trojan Source, CVE-2021-42574). "
        f"{'Delete them or write them as escapes.' if unseen else 'Write a name in one script.'}",
    )


def _all_named(text: str, places: Sequence[int]) -> str:
    columns: dict[str, list[int]] = {}
    for at in places:
        columns.setdefault(text[at], []).append(at + 1)
    named = [f"{name(char)} ({_columns(found)})" for char, found in columns.items()]
    more = len(named) - _MOST_KINDS
    return ", ".join(named[:_MOST_KINDS]) + (f" and {more} other kinds" if more > 0 else "")


def _columns(found: Sequence[int]) -> str:
    shown, more = ", ".join(map(str, found[:_MOST_COLUMNS])), len(found) - _MOST_COLUMNS
    return f"column{'s' * (len(found) > 1)} {shown}" + (f" and {more} more" if more > 0 else "")
