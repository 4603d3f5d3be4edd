"""Where the files of a patch begin and end. Reads headers; hunk bodies are only counted (patch_hunks).

A patch is searched as `git am`, `git apply` and `patch` search it: what is no header (commit messages, diffstats,
signatures, base85) is passed over, and what is wrong with one file is said of that file alone. Line indices are
0-based here; a Problem's line is 1-based.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from hunkwise.reviewer.diff.forms import other_form, stray_hunk
from hunkwise.reviewer.diff.git_names import disagreement, git_paths
from hunkwise.reviewer.diff.hunk_ends import (
    HUNK_HEADER,
    changes_properties,
    check_sides,
    hunks_after_names,
    is_hunk,
    property_end,
)
from hunkwise.reviewer.diff.parts import Found, Problem, Refused, Section, starts
from hunkwise.reviewer.diff.paths import alike, checked_path, header_text, name_field, plain_paths
from hunkwise.reviewer.diff.reports import TOP_FOLDER, report

_EXTENDED = re.compile(
    rb"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    rb"|similarity index|dissimilarity index|index|remerge CONFLICT) (.*)",
    re.DOTALL,
)
_NO_SUCH_FILE = re.compile(rb"1970-01-01|1969-12-31|\(nonexistent\)|\([^ ()]+ 0\)\Z")  # diff -N; svn
_EMPTY_BLOB = re.compile(r"e69de29|473a0f4")  # of SHA-1 and SHA-256 repositories
_MODE = re.compile(r"\d{6}")
# How the lines begin that may follow a `diff --git` line
_HEADER_WORDS = (
    b"old mode ", b"new mode ", b"deleted file mode ", b"new file mode ", b"copy from ", b"copy to ",
    b"rename from ", b"rename to ", b"similarity index ", b"dissimilarity index ", b"index ", b"--- ",
    b"Binary files ", b"GIT binary patch",
)  # fmt: skip
# Where people's words begin: mails, `hg export`, `svn log --diff`
_MESSAGE = re.compile(rb"From \S+ .*\d\d:\d\d|(?:From|Subject): |# HG changeset patch|r\d+ \| ")
_SEPARATOR = re.compile(rb"---[ \t\r]*")


class _Words:
    """Whether the search is within people's words, where only a whole file's header counts (as for `git am`)."""

    def __init__(self) -> None:
        self.inside = False
        self.named = False  # within them stood what `patch` takes for the name of a file
        self.reports: list[Section] = []  # that count only if a file follows at once

    def read(self, line: bytes) -> None:
        """Take note of a line that belongs to no file."""
        if _MESSAGE.match(line):
            self.inside, self.named = True, False
        elif self.inside and _SEPARATOR.fullmatch(line):
            self.inside = False
        elif line.startswith((b"diff --git ", b"Index: ", b"--- ", b"+++ ", b"*** ")):
            self.named = True
        if not line.startswith(b"diff -"):
            self.reports.clear()


def sections(lines: list[bytes]) -> Iterator[Section]:
    """The files of a patch, in its order; one that can't be read has a `problem`."""
    at = 0
    recovering = False  # after a broken hunk: its remains are no hunks without a file
    words = _Words()
    last: Section | None = None
    while at < len(lines):
        line = lines[at]
        if line.startswith(b"## -"):
            at = property_end(lines, at)
            continue
        found = _file(lines, at, among_words=words.inside)
        if found:
            yield from words.reports
            words = _Words()
        elif reported := report(lines, at):
            section, at = reported
            if words.inside:
                words.reports.append(section)
            elif not _again(section, last):
                yield section
                last = section
            recovering = False
            continue
        elif not recovering and (message := _stray(lines, at, words)):
            found = Section(at + 1, problem=Problem(at + 1, message)), at + 1
        elif _begins(lines, at):
            found = Section(at + 1, problem=_cut_short(len(lines))), len(lines)
        if found is None:
            words.read(line)
            at += 1
            continue
        last, at = found
        recovering = last.problem is not None
        yield last


def _stray(lines: list[bytes], at: int, words: _Words) -> str:
    """What is wrong with a hunk outside of files; among words it counts only where `patch` would apply it."""
    if HUNK_HEADER.match(lines[at]) and (not words.inside or (words.named and is_hunk(lines, at))):
        return "a hunk with no file above it (no --- and +++ lines)"
    return "" if words.inside else stray_hunk(lines, at)


def _again(section: Section, last: Section | None) -> bool:
    """Whether a file without text was just told of: a submodule's state and its commits, svn's properties."""
    return last is not None and section.path == last.path and not section.problem and not section.binary


def _file(lines: list[bytes], at: int, *, among_words: bool) -> Found | None:
    """The file whose header begins at `at`. Among people's words a header that nothing follows is none."""
    line = lines[at]
    found = None
    if line.startswith(b"diff --git "):
        found = _git_section(lines, at)
    elif line.startswith(b"--- ") and starts(lines, at + 1, b"+++ "):
        found = _plain_section(lines, at)
    if found:
        section = found[0]
        follows = (
            section.hunks or section.headers or section.binary or (section.problem and section.problem.lost)
        )
        return found if follows or not among_words else None
    if line.startswith(b"Index: ") and starts(lines, at + 2, b"Cannot display: file marked as a binary"):
        return _named(at, header_text(line)[7:], at + 3, binary=True)
    return other_form(lines, at, among_words=among_words)


def _named(at: int, name: bytes, end: int, *, binary: bool = False) -> Found:
    """A file of which no more than the name is in the patch."""
    try:
        path = checked_path(name, at + 1)
    except Refused as refused:
        return Section(at + 1, problem=refused.problem), end
    return Section(at + 1, path, path, binary=binary), end


def _git_section(lines: list[bytes], start: int) -> Found:
    headers: dict[str, tuple[bytes, int]] = {}
    at = start + 1
    while at < len(lines) and (found := _EXTENDED.fullmatch(header_text(lines[at]))):
        headers[found[1].decode()] = found[2], at
        at += 1
    binary = starts(lines, at, b"Binary files ") or starts(lines, at, b"GIT binary patch")
    has_names = starts(lines, at, b"--- ")
    hunks, end, problem = hunks_after_names(lines, at) if has_names else ((), at + binary, None)
    texts = {key: value.decode("ascii", "replace") for key, (value, _) in headers.items()}
    try:
        old_path, new_path = git_paths(lines, start, at if has_names else None, headers)
        check_sides(lines, hunks, old_path, new_path)
    except Refused as refused:
        return _refused(lines, start, hunks, end, refused.problem), end
    if not has_names and not binary:
        explained = _explained(texts) or (end >= len(lines) - 1 and _empty_in_mercurial(lines, start, texts))
        problem = _cut_short(len(lines)) if _stops(lines, end, explained=explained) else None
    crlf = lines[start].endswith(b"\r")
    return Section(start + 1, old_path, new_path, hunks, texts, binary, crlf, problem), end


def _refused(lines: list[bytes], start: int, hunks: tuple[range, ...], end: int, problem: Problem) -> Section:
    """A file whose names can't be taken; no fault where only properties of svn's top folder changed."""
    if not hunks and changes_properties(lines, end):
        return Section(start + 1, note=TOP_FOLDER)
    return Section(start + 1, hunks=hunks, problem=problem)


def _cut_short(line: int) -> Problem:
    return Problem(line, "the diff ends before the text of this file")


def _stops(lines: list[bytes], at: int, *, explained: bool) -> bool:
    """Whether the patch ends before index `at` with the file not `explained`, or within a header line there."""
    left = b"".join(lines[at:]).rstrip(b"\r") if at >= len(lines) - 1 else b"more"
    return any(word.startswith(left) for word in _HEADER_WORDS) and bool(left or not explained)


def _explained(headers: Mapping[str, str]) -> bool:
    """Whether git says all of a file in these header lines, so that no text of it is to come."""
    if "new file mode" in headers or "deleted file mode" in headers:
        return bool(_EMPTY_BLOB.search(headers.get("index", "")))
    if "index" in headers:
        return False
    if "rename to" in headers or "copy to" in headers:
        return headers.get("similarity index", "100%") == "100%"  # Mercurial leaves it out
    return "old mode" in headers and bool(_MODE.fullmatch(headers.get("new mode", "")))


def _empty_in_mercurial(lines: list[bytes], start: int, headers: Mapping[str, str]) -> bool:
    """Whether a file without text is a whole one, because what stands before it was written by Mercurial.

    That has no `index` lines: of an empty file it says the mode alone, as git does where it is cut off.
    """
    mode = headers.get("new file mode") or headers.get("deleted file mode") or ""
    return bool(_MODE.fullmatch(mode)) and any(
        line.startswith(b"# HG changeset patch")
        or (line.startswith(b"--- ") and before.startswith((b"diff --git ", b"new file", b"deleted file")))
        for before, line in zip([b"", *lines[:start]], lines[:start], strict=False)
    )


def _begins(lines: list[bytes], at: int) -> bool:
    """Whether the header of a further file begins at `at`, and the patch ends within it."""
    if at == len(lines) - 1:
        return bool(lines[at]) and (b"diff --git ".startswith(lines[at]) or lines[at].startswith(b"--- "))
    named = at == len(lines) - 2 and lines[at].startswith(b"--- ")
    return named and bool(lines[at + 1]) and b"+++ ".startswith(lines[at + 1])


def _plain_section(lines: list[bytes], at: int) -> Found:
    (old, old_stamp), (new, new_stamp) = (name_field(header_text(line)[4:]) for line in lines[at : at + 2])
    hunks, end, problem = hunks_after_names(lines, at)
    try:
        old_path, new_path = plain_paths(old, new, at + 1)
        if old_path and new_path and not alike(os.fsencode(old_path), os.fsencode(new_path)):
            raise disagreement(at, old, new)
        if first := HUNK_HEADER.match(lines[hunks[0].start]) if hunks else None:
            if first.group(1, 2) == (b"0", b"0") and _NO_SUCH_FILE.search(old_stamp):
                old_path = None
            elif first.group(3, 4) == (b"0", b"0") and _NO_SUCH_FILE.search(new_stamp):
                new_path = None
        check_sides(lines, hunks, old_path, new_path)
    except Refused as refused:
        return _refused(lines, at, hunks, end, refused.problem), end
    crlf = lines[at].endswith(b"\r")
    return Section(at + 1, old_path, new_path, hunks, crlf=crlf, problem=problem), end
