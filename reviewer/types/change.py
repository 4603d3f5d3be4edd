"""A change as it was parsed: files, hunks, lines, and what was left out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class FileStatus(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    MODE_CHANGED = "mode-changed"


LineKind = Literal["context", "added", "removed"]
Numbers = tuple[int | None, int | None]
"""What a line is known by in its file: its number in the old text and in the new one, None where it is not."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a hunk. `text` has no line end (a carriage return stays); a side it lacks has no number."""

    kind: LineKind
    text: str
    old_no: int | None
    new_no: int | None
    no_newline: bool = False  # "\\ No newline at end of file" follows

    @property
    def numbers(self) -> Numbers:
        """Its number on each side."""
        return self.old_no, self.new_no


@dataclass(frozen=True, slots=True)
class LineCode:
    """What is left of a changed line without its comments and docstrings (languages/comments.py).

    `imports` says that this is an import and nothing more; `does` what it does as a statement that leaves the code
    around it as it is (statements.py), else "".
    """

    text: str
    imports: bool = False
    does: str = ""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A hunk. Starts are 1-based (0 for an empty side); `section` is the text after the second @@."""

    old_start: int
    old_length: int
    new_start: int
    new_length: int
    section: str
    lines: tuple[Line, ...]

    @property
    def added(self) -> tuple[Line, ...]:
        """The added lines."""
        return tuple(line for line in self.lines if line.kind == "added")

    @property
    def removed(self) -> tuple[Line, ...]:
        """The removed lines."""
        return tuple(line for line in self.lines if line.kind == "removed")


FileKey = tuple[str, int]
"""What a file of a change is known by: its path, and its part (see FileDiff)."""


Replacement = frozenset[tuple[str, str]]
"""Words of an old text, and those that came in for them."""


TextOf = Callable[["FileDiff"], str | None]
"""Gives a file's whole text after the change, if it is known."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """The change of one file. A path is None on the side where the file does not exist.

    A path can come more than once in a change, as in a series of patches. `part` is then 1, 2, … in its order, and
    the lines have the numbers of their own patch; it is 0 where the path comes once.
    """

    old_path: str | None
    new_path: str | None
    status: FileStatus
    hunks: tuple[Hunk, ...] = ()
    binary: bool = False
    submodule: bool = False
    old_mode: str | None = None  # octal, as git prints it
    new_mode: str | None = None
    part: int = 0

    @property
    def path(self) -> str:
        """The new path, or the old one of a deleted file."""
        path = self.new_path if self.new_path is not None else self.old_path
        assert path is not None
        return path

    @property
    def key(self) -> FileKey:
        """What it is known by in its change."""
        return self.path, self.part


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a hunk of a change is known by: its file's path and part (FileDiff), and its 0-based index there."""

    path: str
    part: int
    hunk: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not reviewed. `fault` marks what should have been: the review is then incomplete.

    `hunk` is the 0-based index in its file, None where it concerns the whole file; `part` is the file's.
    `lines` counts the added and removed lines that it stands for, as far as they are known.
    """

    path: str
    reason: str
    hunk: int | None = None
    fault: bool = False
    part: int = 0
    lines: int = 0

    @property
    def key(self) -> FileKey:
        """What its file is known by in the change."""
        return self.path, self.part

    @property
    def place(self) -> Place | None:
        """What its hunk is known by; None where it concerns the whole file."""
        return None if self.hunk is None else Place(self.path, self.part, self.hunk)


@dataclass(frozen=True, slots=True)
class Change:
    """A parsed change. `new_texts` and `old_texts` hold whole files where a repository gave them."""

    files: tuple[FileDiff, ...]
    skipped: tuple[Skipped, ...] = ()
    new_texts: Mapping[str, str] = field(default_factory=dict)  # by new path
    old_texts: Mapping[str, str] = field(default_factory=dict)  # by old path
    base: str | None = None  # commit ids where known
    head: str | None = None
    notes: tuple[str, ...] = ()  # what the user should know of how the change was taken, a sentence each

    def text(self, file: FileDiff) -> str | None:
        """Give a file's whole new text if it is known; of a path that comes more than once none is."""
        return None if file.part else self.new_texts.get(file.path)


@dataclass(frozen=True, slots=True)
class HunkContext:
    """A hunk with the lines of its file around it, cut to a token budget.

    `before` and `after` are the new-side lines next to the hunk, in file order, with 1-based numbers;
    `refactorings` what the change says in other words throughout the file (refactorings.py), old and new; `codes`
    what is left of its changed lines without comments; `setting` how the change was made (judge/judgement.py);
    `repeated` what is replaced at several places of it (judge/likelihood/replacements.py).
    """

    file: FileDiff
    hunk: Hunk
    hunk_index: int  # 0-based in its file
    before: tuple[tuple[int, str], ...] = ()
    after: tuple[tuple[int, str], ...] = ()
    refactorings: tuple[tuple[str, str], ...] = ()
    codes: Mapping[Numbers, LineCode] = field(default_factory=dict)
    setting: Mapping[str, float] = field(default_factory=dict)
    repeated: frozenset[Replacement] = frozenset()
