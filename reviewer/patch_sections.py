"""Where the files and hunks of a patch begin and end. Reads headers; hunk bodies are only counted.

A patch is searched as `git apply` and `patch` search it: what is no header (mail text, commit messages,
diffstats, signatures, base85) is passed over, and inside a hunk only the counts of its @@ line decide, so
that content may look like a header. Line indices are 0-based here; a Problem's line is 1-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.patch_paths import (
    DEV_NULL,
    checked_path,
    git_line_names,
    name_field,
    unquote,
    without_prefixes,
)

HUNK_HEADER = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@")
_COMBINED = re.compile(rb"diff --(?:cc|combined) |@@@+ -\d")
_EXTENDED = re.compile(
    rb"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    rb"|similarity index|dissimilarity index|index) (.*)",
    re.DOTALL,
)
_BINARY = re.compile(rb"Binary files? (.+) (?:differ|has changed)")
_ONLY_IN = re.compile(rb"Only in ([^ ]+): (.+)")
_NO_SUCH_FILE = re.compile(rb"1970-01-01|1969-12-31|\(nonexistent\)")  # diff -N; svn
_EMPTY_BLOB = re.compile(r"e69de29|473a0f4")  # of SHA-1 and SHA-256 repositories
_MODE = re.compile(r"\d{6}")
# How the lines begin that may follow a `diff --git` line
_HEADER_WORDS = (
    b"old mode ", b"new mode ", b"deleted file mode ", b"new file mode ", b"copy from ", b"copy to ",
    b"rename from ", b"rename to ", b"similarity index ", b"dissimilarity index ", b"index ", b"--- ",
    b"Binary files ", b"GIT binary patch",
)  # fmt: skip
_LONGEST_HEADER = 40_000  # bytes; two paths of PATH_MAX, each byte in octal, are 32 KiB


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a section can't be read, and the 1-based line of the patch that shows it."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Section:
    """One file of a patch. `hunks` are ranges of line indices, the @@ line first."""

    line: int  # 1-based, of its first line
    old_path: str | None
    new_path: str | None
    hunks: tuple[range, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # git's extended header lines
    binary: bool = False
    crlf: bool = False  # the patch's own lines end in CRLF
    problem: Problem | None = None

    @property
    def path(self) -> str:
        """The new path, else the old one, else a stand-in."""
        return self.new_path or self.old_path or "(no file name)"


def sections(lines: list[bytes]) -> Iterator[Section]:
    """The files of a patch, in its order. Raises DiffError for hostile paths and for combined diffs."""
    at = 0
    recovering = False  # after a broken hunk: its remains are no hunks without a file
    while at < len(lines):
        if _COMBINED.match(lines[at]):
            raise DiffError(
                "a combined diff of a merge can't be reviewed; compare with one parent, "
                "such as `git diff MERGE^1 MERGE` or `git show --first-parent -m MERGE`",
                at + 1,
            )
        found = _section(lines, at)
        if found is None and not recovering and HUNK_HEADER.match(lines[at]):
            problem = Problem(at + 1, "a hunk with no file above it (no --- and +++ lines)")
            found = Section(at + 1, None, None, problem=problem), at + 1
        if found is None and _begins(lines, at):
            found = Section(at + 1, None, None, problem=_cut_short(len(lines))), len(lines)
        if found is None:
            at += 1
            continue
        section, at = found
        recovering = section.problem is not None
        yield section


def _section(lines: list[bytes], at: int) -> tuple[Section, int] | None:
    line = lines[at]
    if line.startswith(b"diff --git "):
        return _git_section(lines, at)
    if line.startswith(b"--- ") and _starts(lines, at + 1, b"+++ "):
        return _plain_section(lines, at)
    if line.startswith(b"Index: ") and _starts(lines, at + 2, b"Cannot display: file marked as a binary"):
        path = checked_path(_header(line)[7:], at + 1)
        return Section(at + 1, path, path, binary=True), at + 3
    if line.startswith(b"Binary file") and (found := _BINARY.fullmatch(_header(line))):
        old, _, new = found[1].partition(b" and ")  # hg names one file only
        paths = _plain_paths(old, new or old, at + 1, at + 1)
        return Section(at + 1, *paths, binary=True), at + 1
    if line.startswith(b"Only in ") and (found := _ONLY_IN.fullmatch(_header(line))):
        problem = Problem(at + 1, "only on one side, and its text is not in the diff (use `diff -N`)")
        path = checked_path(found[1].partition(b"/")[2] + b"/" + found[2], at + 1)
        return Section(at + 1, path, path, problem=problem), at + 1
    return None


def _git_section(lines: list[bytes], start: int) -> tuple[Section, int]:
    headers: dict[str, tuple[bytes, int]] = {}
    at = start + 1
    while at < len(lines) and (found := _EXTENDED.fullmatch(_header(lines[at]))):
        headers[found[1].decode()] = found[2], at
        at += 1
    binary = _starts(lines, at, b"Binary files ") or _starts(lines, at, b"GIT binary patch")
    has_names = _starts(lines, at, b"--- ")
    old_path, new_path = _git_paths(lines, start, at if has_names else None, headers)
    texts = {key: value.decode("ascii", "replace") for key, (value, _) in headers.items()}
    crlf = lines[start].endswith(b"\r")
    if has_names:
        hunks, end, problem = _hunks_after_names(lines, at)
        return Section(start + 1, old_path, new_path, hunks, texts, False, crlf, problem), end
    end = at + binary
    explained = _explained(texts) or (end >= len(lines) - 1 and _empty_in_mercurial(lines, start, texts))
    cut = not binary and _stops(lines, end, explained=explained)
    problem = _cut_short(len(lines)) if cut else None
    return Section(start + 1, old_path, new_path, (), texts, binary, crlf, problem), end


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


def _git_paths(
    lines: list[bytes], start: int, names_at: int | None, headers: Mapping[str, tuple[bytes, int]]
) -> tuple[str | None, str | None]:
    """Old and new path. Rename lines know best, then `---` and `+++`, then the `diff --git` line."""
    old, new = _git_names(lines, start, names_at, headers)
    created = "new file mode" in headers or old == DEV_NULL
    deleted = "deleted file mode" in headers or new == DEV_NULL
    if created and deleted:
        raise DiffError("a file can't be new and deleted at once", start + 1)
    at = start if names_at is None else names_at
    return None if created else checked_path(old, at + 1), None if deleted else checked_path(new, at + 1)


def _git_names(
    lines: list[bytes], start: int, names_at: int | None, headers: Mapping[str, tuple[bytes, int]]
) -> tuple[bytes, bytes]:
    for verb in ("rename", "copy"):
        if f"{verb} from" in headers and f"{verb} to" in headers:
            (old, old_at), (new, new_at) = headers[f"{verb} from"], headers[f"{verb} to"]
            checked_path(unquote(old), old_at + 1)
            checked_path(unquote(new), new_at + 1)
            return unquote(old), unquote(new)
    if names_at is not None and _starts(lines, names_at + 1, b"+++ "):
        old, new = (name_field(_header(line)[4:])[0] for line in lines[names_at : names_at + 2])
        if DEV_NULL not in (old, new):
            return without_prefixes(old, new, git=True)
        pair = git_line_names(_header(lines[start])[11:])
        if pair is None:
            return without_prefixes(old, new, git=True)
        bare_old, bare_new = without_prefixes(*pair, git=True)
        return DEV_NULL if old == DEV_NULL else bare_old, DEV_NULL if new == DEV_NULL else bare_new
    pair = git_line_names(_header(lines[start])[11:])
    if pair is None:
        raise DiffError("can't tell the two names of this `diff --git` line apart", start + 1)
    return without_prefixes(*pair, git=True)


def _plain_section(lines: list[bytes], at: int) -> tuple[Section, int]:
    (old, old_stamp), (new, new_stamp) = (name_field(_header(line)[4:]) for line in lines[at : at + 2])
    hunks, end, problem = _hunks_after_names(lines, at)
    old_path, new_path = _plain_paths(old, new, at + 1, at + 2)
    if first := HUNK_HEADER.match(lines[hunks[0].start]) if hunks else None:
        if first.group(1, 2) == (b"0", b"0") and _NO_SUCH_FILE.search(old_stamp):
            old_path = None
        elif first.group(3, 4) == (b"0", b"0") and _NO_SUCH_FILE.search(new_stamp):
            new_path = None
    crlf = lines[at].endswith(b"\r")
    return Section(at + 1, old_path, new_path, hunks, crlf=crlf, problem=problem), end


def _plain_paths(old: bytes, new: bytes, old_line: int, new_line: int) -> tuple[str | None, str | None]:
    if old == new == DEV_NULL:
        raise DiffError("both sides are /dev/null: there is no file to review", old_line)
    old_name, new_name = without_prefixes(old, new, git=False)
    old_path = None if old == DEV_NULL else checked_path(old_name, old_line)
    return old_path, None if new == DEV_NULL else checked_path(new_name, new_line)


def _hunks_after_names(lines: list[bytes], at: int) -> tuple[tuple[range, ...], int, Problem | None]:
    """The hunks after the `---` line at `at`, where to go on, and what is wrong with them."""
    if not _starts(lines, at + 1, b"+++ "):
        return (), at + 1, Problem(at + 1, "a --- line without its +++ line")
    hunks: list[range] = []
    at += 2
    while _starts(lines, at, b"@@ -"):
        end, problem = _hunk_end(lines, at)
        if problem:
            return tuple(hunks), at + 1, problem
        hunks.append(range(at, end))
        at = end
    if not hunks and not _property_change(lines, at):
        return (), at, Problem(at, "no hunk (@@ -1,2 +1,2 @@) after the --- and +++ lines")
    return tuple(hunks), at, _leftover(lines, at) if hunks else None


def _hunk_end(lines: list[bytes], start: int) -> tuple[int, Problem | None]:
    """Index after the last line of the hunk whose @@ line is at `start`."""
    header = HUNK_HEADER.match(lines[start])
    if not header:
        return start, Problem(start + 1, f"not a hunk header: {_shown(lines[start])}")
    old = 1 if header[2] is None else int(header[2])
    new = 1 if header[4] is None else int(header[4])
    if not old + new or (old and not int(header[1])) or (new and not int(header[3])):
        return start, Problem(start + 1, f"impossible numbers in the hunk header: {_shown(lines[start])}")
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
            message = f"the hunk of line {start + 1} is longer than its @@ line says"
            return at, Problem(at + 1, message)
        at += 1
    return at + _starts(lines, at, b"\\"), None


def _short_hunk(lines: list[bytes], start: int, at: int, old: int, new: int) -> Problem:
    missing = f"the hunk of line {start + 1} still lacks {old} old and {new} new lines"
    if at >= len(lines):
        return Problem(at, f"the diff ends too early: {missing}")
    return Problem(at + 1, f"{missing}, but here stands {_shown(lines[at])}")


def _leftover(lines: list[bytes], at: int) -> Problem | None:
    """Lines right after a hunk that look like hunk lines: its @@ line counted too few of them.

    Not so the header of the next plain file and the mail signature "-- ".
    """
    if at >= len(lines) or lines[at][:1] not in (b"+", b"-", b" ", b"\\"):
        return None
    if lines[at].rstrip() == b"--" or (lines[at].startswith(b"--- ") and _starts(lines, at + 1, b"+++ ")):
        return None
    return Problem(at + 1, "the hunk above is longer than its @@ line says")


def _property_change(lines: list[bytes], at: int) -> bool:
    """Whether svn tells of changed properties instead of text."""
    return any(line.startswith(b"Property changes on: ") for line in lines[at : at + 3])


def _starts(lines: list[bytes], at: int, prefix: bytes) -> bool:
    return at < len(lines) and lines[at].startswith(prefix)


def _header(line: bytes) -> bytes:
    """A header line without a carriage return, cut at what no real header reaches."""
    return line[:_LONGEST_HEADER].removesuffix(b"\r")


def _shown(line: bytes) -> str:
    return ascii(line[:60].decode("utf-8", "replace"))
