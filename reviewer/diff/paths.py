"""Paths as patches write them (quoted, prefixed, with timestamps, hostile): bytes in, checked paths out.

Quoting is git's C style (quote.c, `core.quotePath`): a name with odd bytes stands in double quotes with
backslash escapes and three octal digits for a byte.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import PurePosixPath

from hunkwise.reviewer.diff.parts import Refused
from hunkwise.reviewer.text.hostile_paths import hostile

DEV_NULL = b"/dev/null"

_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
# Old diffs put the time after blanks instead of a tab: "--- lao 2002-02-21 23:30:39.9 -0800"
_TIMESTAMP = re.compile(rb"\s\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\d.]*( [-+]\d{4})?$")
# a/ b/ by default, c/ i/ o/ w/ by diff.mnemonicPrefix, 1/ 2/ by `git diff --no-index` there
_PREFIX = re.compile(rb"[abciow12]/")
_OUTSIDE = re.compile(rb"\.\.?/")
_BITBUCKET = re.compile(rb"\A(?:src|dst)://")
_LONGEST_HEADER = 40_000  # bytes; two paths of PATH_MAX, each byte in octal, are 32 KiB
_MOST_TRIES = 64  # positions tried to split two names without quotes


def header_text(line: bytes) -> bytes:
    """A header line without a carriage return, cut at what no real header reaches."""
    return line[:_LONGEST_HEADER].removesuffix(b"\r")


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


def pair_of_names(field: bytes, between: bytes = b" ") -> tuple[bytes, bytes] | None:
    """The two names of `OLD NEW`, prefixes kept; None if it can't be told where the first one ends.

    Without renames both sides have the same name, which is what tells where an unquoted one ends.
    """
    if quoted := _QUOTED.match(field):
        return unquote(quoted[0]), unquote(field[quoted.end() + len(between) :])
    if field.endswith(b'"') and (at := field.find(between + b'"')) >= 0:
        return field[:at], unquote(field[at + len(between) :])
    found = [match.start() for match in islice(re.finditer(re.escape(between), field), _MOST_TRIES)]
    middle = (len(field) - len(between) + 1) // 2
    for at in [middle, *found] if field.startswith(between, middle) else found:
        names = field[:at], field[at + len(between) :]
        old, new = without_prefixes(*names, git=True)
        if old and old == new:
            return names
    return (field[: found[0]], field[found[0] + len(between) :]) if len(found) == 1 else None


def plain_paths(old: bytes, new: bytes, line: int) -> tuple[str | None, str | None]:
    """The paths of names without a `diff --git` line; raises Refused, which names `line`."""
    if old == new == DEV_NULL:
        raise Refused(line, "both sides are /dev/null: there is no file to review")
    old_name, new_name = without_prefixes(old, new, git=False)
    old_path = None if old == DEV_NULL else checked_path(old_name, line)
    return old_path, None if new == DEV_NULL else checked_path(new_name, line)


def alike(old: bytes, new: bytes) -> bool:
    """Whether two names may be those of one file, as `diff -u calc.py.orig calc.py` compares them.

    Where they are of different kinds, tools would not agree on which of them a patch is to change.
    """
    ends = {PurePosixPath(os.fsdecode(name)).suffix for name in (old, new)} - {
        ".orig",
        ".old",
        ".new",
        ".bak",
    }
    return len(ends) < 2 or old.startswith(new) or new.startswith(old)


def without_prefixes(old: bytes, new: bytes, *, git: bool) -> tuple[bytes, bytes]:
    """Both names without the prefixes that only tell old from new.

    Equal names have none (diff.noprefix). Unknown prefixes are those that leave equal names: with git
    any (--src-prefix), else one folder (`diff -ru old new`). Bitbucket Server writes src:// and dst://.
    """
    if old == new:
        return old, new
    if _BITBUCKET.match(old) or _BITBUCKET.match(new):
        return _BITBUCKET.sub(b"", old), _BITBUCKET.sub(b"", new)
    if old == DEV_NULL or new == DEV_NULL:
        return _without_prefix(old), _without_prefix(new)
    if _PREFIX.match(old) and _PREFIX.match(new) and old[:1] != new[:1]:
        return old[2:], new[2:]
    # Perforce: //depot/a/x.py and /home/me/a/x.py; `diff -ru ../old .`: ../old/x.py and ./x.py
    whole = git or (old[:1] == new[:1] == b"/") or bool(_OUTSIDE.match(old) or _OUTSIDE.match(new))
    tail = _common_tail(old, new) if whole else _common_after_first(old, new)
    return (tail, tail) if tail else (old, new)


def checked_path(name: bytes, line: int) -> str:
    """A name as a relative path with `.` and empty parts removed.

    Raises Refused, naming `line`, for a path that could lead out of the repository or into .git.
    """
    text = name.decode("utf-8", "surrogateescape")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if reason := hostile(text):
        raise Refused(line, f"the path {text[:200]!a} {reason}; paths must be relative and stay inside")
    return "/".join(parts)


def _without_prefix(name: bytes) -> bytes:
    return name[2:] if _PREFIX.match(name) else name


def _common_after_first(old: bytes, new: bytes) -> bytes:
    old_rest, new_rest = old.partition(b"/")[2], new.partition(b"/")[2]
    return old_rest if old_rest == new_rest else b""


def _common_tail(old: bytes, new: bytes) -> bytes:
    tail: list[bytes] = []
    for left, right in zip(reversed(old.split(b"/")), reversed(new.split(b"/")), strict=False):
        if left != right or not left:
            break
        tail.append(left)
    return b"/".join(reversed(tail))
