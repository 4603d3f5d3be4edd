"""The two names of a file in a section that begins with `diff --git`."""

from __future__ import annotations

from collections.abc import Mapping

from hunkwise.reviewer.diff.parts import Refused, starts
from hunkwise.reviewer.diff.paths import (
    DEV_NULL,
    alike,
    checked_path,
    header_text,
    name_field,
    pair_of_names,
    unquote,
    without_prefixes,
)


def git_paths(
    lines: list[bytes], start: int, names_at: int | None, headers: Mapping[str, tuple[bytes, int]]
) -> tuple[str | None, str | None]:
    """Old and new path. Raises Refused where they are hostile, or where the headers name different files."""
    named = None
    if names_at is not None and starts(lines, names_at + 1, b"+++ "):
        named = _names(lines, names_at)
    old, new = _git_names(lines, start, named, headers)
    created = "new file mode" in headers or (named is not None and named[0] == DEV_NULL)
    deleted = "deleted file mode" in headers or (named is not None and named[1] == DEV_NULL)
    if created and deleted:
        raise Refused(start + 1, "a file can't be new and deleted at once")
    at = start if names_at is None else names_at
    old_path = None if created else checked_path(old, at + 1)
    return old_path, None if deleted else checked_path(new, at + 1)


def _git_names(
    lines: list[bytes],
    start: int,
    named: tuple[bytes, bytes] | None,
    headers: Mapping[str, tuple[bytes, int]],
) -> tuple[bytes, bytes]:
    """The names without prefixes. As for `git apply`, rename lines override the `diff --git` line."""
    for verb in ("rename", "copy"):
        if f"{verb} from" in headers and f"{verb} to" in headers:
            (old, old_at), (new, new_at) = headers[f"{verb} from"], headers[f"{verb} to"]
            moved = unquote(old), unquote(new)
            checked_path(moved[0], old_at + 1)
            checked_path(moved[1], new_at + 1)
            if named and not _is_named(moved, named):
                raise disagreement(start, *moved, *named)
            return moved
    given = pair_of_names(header_text(lines[start])[11:])
    if given and named and any(name not in (side, DEV_NULL) for side, name in zip(given, named, strict=True)):
        raise disagreement(start, *given, *named)
    if not (pair := given or named):
        raise Refused(start + 1, "can't tell the two names of this `diff --git` line apart")
    bare = without_prefixes(*pair, git=True)
    if DEV_NULL not in (named or ()) and not alike(*bare):
        raise disagreement(start, *bare)
    return bare


def _is_named(moved: tuple[bytes, bytes], named: tuple[bytes, bytes]) -> bool:
    """Whether the `---` and `+++` lines name what the rename lines do, with whatever prefix."""
    return named == moved or all(name.endswith(b"/" + bare) for name, bare in zip(named, moved, strict=True))


def disagreement(start: int, *names: bytes) -> Refused:
    """Refuse a file whose headers name different ones."""
    words = ", ".join(sorted({ascii(name[:200].decode("utf-8", "replace")) for name in names}))
    return Refused(
        start + 1, f"the headers name different files ({words}), so it is not sure which one is changed"
    )


def _names(lines: list[bytes], at: int) -> tuple[bytes, bytes]:
    """The names of the `---` line at `at` and of the `+++` line after it."""
    return name_field(header_text(lines[at])[4:])[0], name_field(header_text(lines[at + 1])[4:])[0]
