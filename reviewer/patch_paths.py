"""Paths as patches write them (quoted, prefixed, with timestamps, hostile): bytes in, checked paths out.

Quoting is git's C style (quote.c, `core.quotePath`): a name with odd bytes stands in double quotes with
backslash escapes and three octal digits for a byte.
"""

from __future__ import annotations

import re
from itertools import islice

from hunkwise.reviewer.errors import DiffError

DEV_NULL = b"/dev/null"

_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
# Old diffs put the time after blanks instead of a tab: "--- lao 2002-02-21 23:30:39.9 -0800"
_TIMESTAMP = re.compile(rb"\s\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\d.]*( [-+]\d{4})?$")
# a/ b/ by default, c/ i/ o/ w/ by diff.mnemonicPrefix, 1/ 2/ by `git diff --no-index` there
_PREFIX = re.compile(rb"[abciow12]/")
_DRIVE = re.compile(r"[A-Za-z]:")
# HFS+ ignores these inside names, so that .g\u200cit opens .git (git's is_hfs_dotgit)
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_LONGEST_PATH = 4096  # bytes, PATH_MAX of Linux
_MOST_SPACES = 64  # positions tried to split an unquoted `diff --git` line


def name_field(field: bytes) -> tuple[bytes, bytes]:
    """The name and the timestamp (or revision) after `--- ` or `+++ `."""
    if quoted := _QUOTED.match(field):
        return unquote(quoted[0]), field[quoted.end() :].strip()
    name, tab, stamp = field.partition(b"\t")
    if not tab and (found := _TIMESTAMP.search(name)):
        return name[: found.start()].rstrip(), found[0].strip()
    return name, stamp.strip()


def unquote(name: bytes) -> bytes:
    """A name without git's quotes; a name that is not well quoted is returned as it stands."""
    if not _QUOTED.fullmatch(name):
        return name
    return _ESCAPE.sub(lambda found: bytes([_ESCAPED.get(found[1]) or int(found[1], 8)]), name[1:-1])


def git_line_names(field: bytes) -> tuple[bytes, bytes] | None:
    """The two names of `diff --git OLD NEW`, prefixes kept; None if the blank between them can't be told.

    Without renames both sides have the same name, which is what tells where an unquoted one ends.
    """
    if quoted := _QUOTED.match(field):
        return unquote(quoted[0]), unquote(field[quoted.end() + 1 :])
    if field.endswith(b'"') and (at := field.find(b' "')) >= 0:
        return field[:at], unquote(field[at + 1 :])
    middle = len(field) // 2
    found = [match.start() for match in islice(re.finditer(b" ", field), _MOST_SPACES)]
    spaces = [middle, *found] if field[middle : middle + 1] == b" " else found
    for at in spaces:
        names = field[:at], field[at + 1 :]
        old, new = without_prefixes(*names, git=True)
        if old and old == new:
            return names
    return (field[: spaces[0]], field[spaces[0] + 1 :]) if len(found) == 1 else None


def without_prefixes(old: bytes, new: bytes, *, git: bool) -> tuple[bytes, bytes]:
    """Both names without the prefixes that only tell old from new.

    Equal names have none (diff.noprefix). Unknown prefixes are those that leave equal names: with git
    any (--src-prefix), else one folder (`diff -ru old new`).
    """
    if old == new:
        return old, new
    if old == DEV_NULL or new == DEV_NULL:
        return _without_prefix(old), _without_prefix(new)
    if _PREFIX.match(old) and _PREFIX.match(new) and old[:1] != new[:1]:
        return old[2:], new[2:]
    tail = _common_tail(old, new) if git else _common_after_first(old, new)
    return (tail, tail) if tail else (old, new)


def checked_path(name: bytes, line: int) -> str:
    """A name as a relative path with `.` and empty parts removed.

    Raises DiffError, naming `line`, for a path that could lead out of the repository or into .git.
    """
    text = name.decode("utf-8", "surrogateescape")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if reason := hostile(text):
        raise DiffError(f"the path {text[:200]!a} {reason}; paths must be relative and stay inside", line)
    return "/".join(parts)


def hostile(text: str) -> str:
    """Say why a path could lead out of the repository or into .git, on any system; "" if it can't."""
    # A backslash is a legal character on POSIX, but a separator where the review may be read
    pieces = text.replace("\\", "/").split("/")
    if not set(text.split("/")) - {"", "."}:
        return "is empty"
    if len(text) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} bytes"
    if "\0" in text:
        return "has a NUL byte"
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        return "is absolute"
    if ".." in pieces:
        return "has '..' in it"
    if any(map(_is_git_folder, pieces)):
        return "leads into .git"
    return ""


def _is_git_folder(part: str) -> bool:
    plain = _IGNORED_BY_HFS.sub("", part).partition(":")[0].rstrip(". ").casefold()
    return plain in (".git", "git~1")  # git~1 is the short name on NTFS


def _without_prefix(name: bytes) -> bytes:
    return name[2:] if _PREFIX.match(name) else name


def _common_after_first(old: bytes, new: bytes) -> bytes:
    old_rest, new_rest = old.partition(b"/")[2], new.partition(b"/")[2]
    return old_rest if old_rest == new_rest else b""


def _common_tail(old: bytes, new: bytes) -> bytes:
    tail: list[bytes] = []
    for left, right in zip(reversed(old.split(b"/")), reversed(new.split(b"/")), strict=False):
        if left != right:
            break
        tail.append(left)
    return b"/".join(reversed(tail))
