"""The pieces that a patch falls into: its files, and why one of them can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a section can't be read, and the 1-based line of the patch that shows it.

    `lost` are the indices of a broken hunk's lines; what stands before it in the section holds.
    """

    line: int
    message: str
    lost: range = range(0)


class Refused(Exception):
    """A section that can't be read. Stays within the reader of diffs, which goes on with the next section."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(line, message)


@dataclass(frozen=True, slots=True)
class Section:
    """One file of a patch. `hunks` are ranges of line indices, the @@ line first, after two lines of names."""

    line: int  # 1-based, of its first line
    old_path: str | None = None
    new_path: str | None = None
    hunks: tuple[range, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # git's extended header lines
    binary: bool = False
    crlf: bool = False  # the patch's own lines end in CRLF
    problem: Problem | None = None
    note: str = ""  # why there is nothing to read, where that is no fault

    @property
    def path(self) -> str:
        """The new path, else the old one, else a stand-in."""
        return self.new_path or self.old_path or "(no file name)"


Found = tuple[Section, int]
"""A section, and the index of the line after it."""


def starts(lines: list[bytes], at: int, prefix: bytes) -> bool:
    """Whether there is a line at the index, and how it begins."""
    return at < len(lines) and lines[at].startswith(prefix)


def shown(line: bytes) -> str:
    """The beginning of a line, for people."""
    return ascii(line[:60].decode("utf-8", "replace"))
