"""Diffs of other forms than the unified one: recognised, so that each is refused by its name."""

from __future__ import annotations

import re

from hunkwise.reviewer.diff.parts import Found, Problem, Refused, Section, starts
from hunkwise.reviewer.diff.paths import (
    header_text,
    name_field,
    plain_paths,
    unquote,
    without_prefixes,
)

_COMBINED = re.compile(rb"diff --(?:cc|combined) (.+)", re.DOTALL)
_OF_PARENTS = re.compile(rb"index [0-9a-f]+,[0-9a-f]+")
_COMMAND = re.compile(rb"diff (?!--git |--cc |--combined )-")
_NAME = rb'("(?:[^"\\]|\\.)*"|[^ "]+)'
_COMPARED = re.compile(rb" " + _NAME + rb" " + _NAME + rb"\Z")
_SCRIPT = re.compile(rb"\d{1,10}(?:,\d{1,10})?[acd](?:\d{1,10}(?:,\d{1,10})?)?|[ad]\d{1,10} \d{1,10}")
_COLOURED = re.compile(rb"(?:\x1b\[[0-9;]{0,20}[mK])+(?:diff -|--- |@@ -)")
_MERGE = (
    "a combined diff of a merge can't be reviewed; compare with one parent, "
    "such as `git diff MERGE^1 MERGE` or `git show --first-parent -m MERGE`"
)
_CONTEXT = "this is a context diff, so make it with -u instead of -c"
_NO_CONTEXT = "this is a diff without context, so make it with -u"


def other_form(lines: list[bytes], at: int, *, among_words: bool) -> Found | None:
    """A file whose diff begins at `at` in another form than ours. People's words may name diff's command."""
    line = header_text(lines[at])
    if (found := _COMBINED.match(line)) and at + 1 < len(lines) and _OF_PARENTS.match(lines[at + 1]):
        return _refused(at, (found[1], found[1]), _MERGE), _combined_end(lines, at + 2)
    if line.startswith(b"*** ") and starts(lines, at + 1, b"--- ") and starts(lines, at + 2, b"*" * 15):
        names = name_field(line[4:])[0], name_field(header_text(lines[at + 1])[4:])[0]
        return _refused(at, names, _CONTEXT), at + 3
    if not among_words and _COMMAND.match(line) and (found := _COMPARED.search(line)) and at + 1 < len(lines):
        names, following = (unquote(found[1]), unquote(found[2])), header_text(lines[at + 1])
        old, new = without_prefixes(*names, git=False)
        if _SCRIPT.fullmatch(following) or (old == new and not following.startswith((b"--- ", b"*** "))):
            return _refused(at, names, _NO_CONTEXT), at + 1
    return None


def stray_hunk(lines: list[bytes], at: int) -> str:
    """What is wrong where a hunk of another form stands alone at `at`; "" if none does."""
    if lines[at].startswith(b"@@@ -"):
        return _MERGE
    if _COLOURED.match(lines[at]):
        return "the diff has terminal colours in it, so make it with --no-color"
    if _SCRIPT.fullmatch(header_text(lines[at])) and any(
        starts(lines, at + 1, sign) for sign in (b"< ", b"> ")
    ):
        return _NO_CONTEXT
    return ""


def _refused(at: int, names: tuple[bytes, bytes], message: str) -> Section:
    problem = Problem(at + 1, message)
    try:
        old_path, new_path = plain_paths(*names, at + 1)
    except Refused:
        old_path = new_path = None
    return Section(at + 1, old_path, new_path, problem=problem)


def _combined_end(lines: list[bytes], at: int) -> int:
    """Index after the hunks of a combined diff, whose lines may look like the names of a further file."""
    while at < len(lines) and not lines[at].startswith((b"diff ", b"commit ", b"@@ -")):
        plain = (
            lines[at].startswith(b"--- ")
            and starts(lines, at + 1, b"+++ ")
            and starts(lines, at + 2, b"@@ -")
        )
        if plain:
            break
        at += 1
    return at
