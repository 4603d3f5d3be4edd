"""The lines by which tools name a file whose text they do not show."""

from __future__ import annotations

import re

from hunkwise.reviewer.diff.parts import Found, Problem, Refused, Section
from hunkwise.reviewer.diff.paths import (
    checked_path,
    header_text,
    pair_of_names,
    plain_paths,
    without_prefixes,
)

_BINARY = re.compile(rb"Binary files? (.+) (?:differ|has changed)")
# diff's words for "Only in FOLDER: NAME" where they begin the line, in the languages it speaks
_ONLY_IN = tuple(
    word.encode()
    for word in (
        "Only in ", "Nur in ", "Nur en ", "Seulement dans ", "Sólo en ", "Solo in ", "Somente em ", "Só em ",
        "Só en ", "Alleen in ", "Tylko w ", "Pouze v ", "Kun i ", "Bare i ", "Endast i ", "Vain hakemistossa ",
        "Csak ebben: ", "Doar în ", "Samo u ", "Само у ", "Само в ", "Только в ", "Лише у ", "Μόνο στο ",
        "Només a ", "Hanya dalam ", "Tikai iekš ", "Chỉ trong ", "只在 ",
    )
)  # fmt: skip
_SUBMODULE = re.compile(
    rb"Submodule (.+) (?:contains (?:untracked|modified) content"
    rb"|([0-9a-f]{7,64}\.{2,3}[0-9a-f]{7,64})( \([a-z ]{1,40}\))?:?)"
)
TOP_FOLDER = "properties of svn's top folder"
_UNPAIRED = "only on one side, and its text is not in the diff (use `diff -N`)"


def report(lines: list[bytes], at: int) -> Found | None:
    """A line by which a tool names a file, and says of it what it does not show."""
    line = header_text(lines[at])
    try:
        return _reported(line, at)
    except Refused as refused:
        return Section(at + 1, problem=refused.problem), at + 1


def _reported(line: bytes, at: int) -> Found | None:
    if line.startswith(b"Binary file") and (found := _BINARY.fullmatch(line)):
        old, new = pair_of_names(found[1], b" and ") or (found[1], found[1])  # hg names one file only
        return Section(at + 1, *plain_paths(old, new, at + 1), binary=True), at + 1
    if line.startswith(b"Submodule ") and (found := _SUBMODULE.fullmatch(line)):
        path = checked_path(found[1], at + 1)
        old_path = None if found[3] == b" (new submodule)" else path
        new_path = None if found[3] == b" (submodule deleted)" else path
        return Section(
            at + 1, old_path, new_path, headers={"index": f"{(found[2] or b'').decode()} 160000"}
        ), at + 1
    if line.startswith(b"Property changes on: "):
        if line[21:].rstrip() in (b"", b"."):
            return Section(at + 1, note=TOP_FOLDER), at + 1
        path = checked_path(line[21:].rstrip(), at + 1)
        return Section(at + 1, path, path), at + 1
    if path_and_reason := _named(line):
        name, reason = path_and_reason
        path = checked_path(name.lstrip(b"/"), at + 1)
        return Section(at + 1, path, path, problem=Problem(at + 1, reason)), at + 1
    return None


def _named(line: bytes) -> tuple[bytes, str] | None:
    """The file that a line of `diff -r` names, and why there is nothing to read of it."""
    if line.startswith(_ONLY_IN):
        return _only_in(line)
    old, middle, new = line.partition(b" while file ")
    if line.startswith(b"File ") and middle and b" is a" in old and b" is a" in new:
        names = old[5:].rpartition(b" is a")[0], new.rpartition(b" is a")[0]
        return without_prefixes(*names, git=False)[1], "of another kind now, and its text is not in the diff"
    if line.startswith(b"Index: ") and line.endswith(b" (added)"):
        return line[7:-8], "new, and its text is not in the diff (make it without --no-diff-added)"
    for word, end, reason in (
        (b"Files ", b" differ", "it differs, but its text is not in the diff (make it without -q)"),
        (b"Symbolic links ", b" differ", "a symbolic link that leads elsewhere; its text is not in the diff"),
        (b"Common subdirectories: ", b"", "a folder that was not compared (use `diff -r`)"),
    ):
        if line.startswith(word) and line.endswith(end):
            pair = pair_of_names(line[len(word) : len(line) - len(end)], b" and ")
            return (without_prefixes(*pair, git=False)[1], reason) if pair else None
    return None


def _only_in(line: bytes) -> tuple[bytes, str] | None:
    """The file of "Only in FOLDER: NAME"; the first folder of FOLDER only tells old from new."""
    start = max(len(word) for word in _ONLY_IN if line.startswith(word))
    for colon in (b": ", "：".encode()):  # Chinese has a wide one
        folder, found, name = line[start:].partition(colon)
        if found:
            return folder.partition(b"/")[2] + b"/" + name, _UNPAIRED
    return None
