"""Puts a git patch together from the pieces a forge's API gives: paths, and hunks without headers.

So that one parser reads all diffs, whoever wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass

_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a forge's diff. A path is None on the side where the file does not exist."""

    old_path: str | None
    new_path: str | None
    hunks: str


def _quoted(prefix: str, path: str) -> str:
    """Write a path as git does (core.quotePath): in quotes with octal escapes where it is not plain ASCII."""
    raw = f"{prefix}{path}".encode("utf-8", "surrogateescape")
    if all(32 < byte < 127 and byte not in (34, 92) for byte in raw):
        return raw.decode("ascii")
    escaped = (_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in raw)
    return '"' + "".join(escaped) + '"'


def patch_text(piece: Piece) -> str:
    """Write one file's patch with git's headers."""
    old = piece.old_path if piece.old_path is not None else piece.new_path
    new = piece.new_path if piece.new_path is not None else piece.old_path
    assert old is not None
    assert new is not None
    lines = [f"diff --git {_quoted('a/', old)} {_quoted('b/', new)}"]
    if piece.old_path is None:
        lines.append("new file mode 100644")
    elif piece.new_path is None:
        lines.append("deleted file mode 100644")
    elif old != new:
        lines += [f"rename from {_quoted('', old)}", f"rename to {_quoted('', new)}"]
    before = "/dev/null" if piece.old_path is None else _quoted("a/", old)
    after = "/dev/null" if piece.new_path is None else _quoted("b/", new)
    if piece.hunks:
        lines += [f"--- {before}", f"+++ {after}", piece.hunks.removesuffix("\n")]
    elif old == new:  # a forge shows no text of it; said aloud, or the patch would look cut off here
        lines.append(f"Binary files {before} and {after} differ")
    return "\n".join(lines) + "\n"
