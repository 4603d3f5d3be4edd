"""Which files and hunks are worth a question. Each that is not has a reason; tests are worth one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.source.provenance import (
    MARKER_LINES,
    MINIFIED_LINE,
    WEB,
    is_pointer,
    not_by_hand,
    says_generated,
)
from hunkwise.reviewer.text.globs import matches, verdict
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Place, Skipped

LARGEST_HUNK = 100  # lines; a larger one is asked about in pieces
# What a new block of code starts with; tells where a large hunk is best cut
_DEFINITION = re.compile(
    r"(?:@|#\[|export\s|pub\s|public\s|private\s|protected\s|static\s|async\s|abstract\s|final\s|template\s*<)*"
    r"(?:def|class|func|function|fn|impl|struct|enum|interface|trait|type|module|namespace|const|var|let|@\w+)\b"
)


@dataclass(frozen=True, slots=True)
class ReviewUnit:
    """A hunk to ask about. `hunk_index` is 0-based in its file; `piece` is a part of a large hunk.

    `unread` of its changed lines are left out for a reason that is said elsewhere.
    """

    file: FileDiff
    hunk_index: int
    piece: Hunk | None = None
    unread: int = 0

    @property
    def place(self) -> Place:
        """What the hunk is known by; of a large one, its pieces have one."""
        return Place(self.file.path, self.file.part, self.hunk_index)

    @property
    def hunk(self) -> Hunk:
        """The hunk, or the piece of it."""
        return self.whole if self.piece is None else self.piece

    @property
    def whole(self) -> Hunk:
        """The hunk as the diff has it."""
        return self.file.hunks[self.hunk_index]

    def matches(self, globs: Sequence[str]) -> bool:
        """Whether one of the gitignore-style globs matches the file. Raises ConfigError for a bad glob."""
        return matches(self.file.path, tuple(globs))

    @property
    def changed_lines(self) -> int:
        """How many lines the hunk, or the piece of it, adds and removes."""
        return sum(line.kind != "context" for line in self.hunk.lines)

    def skipped(self, reason: str, *, fault: bool = False) -> Skipped:
        """Say why the hunk, or this piece of it, is not reviewed."""
        lines = self.changed_lines - self.unread
        return Skipped(self.file.path, reason, self.hunk_index, fault, self.file.part, lines)


def select(
    change: Change, include: Sequence[str] = (), exclude: Sequence[str] = (), most_lines: int = LARGEST_HUNK
) -> tuple[tuple[ReviewUnit, ...], tuple[Skipped, ...]]:
    """The hunks to ask about, and what is passed over; the change's own `skipped` are not repeated.

    Globs are those of .gitignore. Without `include` every file counts. A glob there that starts with `!`
    excludes; one in `exclude` takes a file back in, also one that is passed over by its name or a marker in
    it. Hunks of more than `most_lines` lines come in pieces. Raises ConfigError for a bad glob.
    """
    wanted, unwanted = _globs(include, exclude)
    lost = {skip.place for skip in change.skipped}
    picked: list[ReviewUnit] = []
    skipped: list[Skipped] = []
    for file in change.files:
        if reason := _reason(file, change, wanted, unwanted):
            own = (ReviewUnit(file, index) for index in range(len(file.hunks)))
            lines = sum(pick.changed_lines for pick in own if pick.place not in lost)
            skipped.append(Skipped(file.path, reason, part=file.part, lines=lines))
            continue
        for index, hunk in enumerate(file.hunks):
            whole_hunk = ReviewUnit(file, index)
            if whole_hunk.place in lost:
                continue
            if reason := _hunk_reason(file, hunk):
                skipped.append(whole_hunk.skipped(reason))
                continue
            pieces = split_hunk(hunk, most_lines)
            whole = len(pieces) == 1
            picked += [
                ReviewUnit(file, index, None if whole else piece)
                for piece in pieces
                if any(line.kind != "context" for line in piece.lines)
            ]
    return tuple(picked), tuple(skipped)


def excused(change: Change, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Change:
    """The change, where faults in files that nobody has to review (an endless lock file) are no faults."""
    wanted, unwanted = _globs(include, exclude)
    skipped = tuple(
        replace(skip, fault=False, reason=f"{reason}; {skip.reason}")
        if skip.fault and (reason := _reason_of_name(skip.path, wanted, unwanted))
        else skip
        for skip in change.skipped
    )
    return replace(change, skipped=skipped)


def is_ours(path: str, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> bool:
    """Tell whether the configuration leaves a file in, whatever its name."""
    return not _reason_of_configuration(path, *_globs(include, exclude))


def _globs(include: Sequence[str], exclude: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the globs of what is wanted (all, without any) and of what is not."""
    wanted = tuple(glob for glob in include if not glob.startswith("!"))
    return wanted, (*exclude, *(glob[1:] for glob in include if glob.startswith("!")))


def split_hunk(hunk: Hunk, most_lines: int) -> tuple[Hunk, ...]:
    """A hunk in pieces of at most `most_lines` lines, cut where blocks of code begin; numbers stay true.

    A piece of one side only has the number of the line before it as the start of the empty side, as in diffs.
    """
    if len(hunk.lines) <= most_lines:
        return (hunk,)
    pieces: list[Hunk] = []
    old_no = hunk.old_start - 1 if hunk.old_length else hunk.old_start  # last lines before the piece
    new_no = hunk.new_start - 1 if hunk.new_length else hunk.new_start
    start = 0
    while start < len(hunk.lines):
        end = _cut(hunk, start, most_lines)
        lines = hunk.lines[start:end]
        old = sum(line.old_no is not None for line in lines)
        new = sum(line.new_no is not None for line in lines)
        section = hunk.section if start == 0 else ""
        pieces.append(Hunk(old_no + bool(old), old, new_no + bool(new), new, section, lines))
        old_no, new_no, start = old_no + old, new_no + new, end
    return tuple(pieces)


def _cut(hunk: Hunk, start: int, most: int) -> int:
    """The best end of a piece that starts at `start`: in its second half, as late as possible."""
    if len(hunk.lines) - start <= most:
        return len(hunk.lines)
    choices = range(start + max(1, most // 2), start + most + 1)
    return max(choices, key=lambda at: (_worth(hunk, at), at))


def _worth(hunk: Hunk, at: int) -> int:
    """How good a place is the one before line `at` to cut a hunk."""
    before, line = hunk.lines[at - 1], hunk.lines[at]
    if before.kind == "removed" and line.kind == "added":
        return 0  # what was replaced, and by what
    if _DEFINITION.match(line.text) and not before.text.strip():
        return 4
    if not before.text.strip() and line.text[:1].strip():
        return 3
    return 2 if not before.text.strip() else 1


def _reason(file: FileDiff, change: Change, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    """Why a file is passed over, or nothing."""
    if file.submodule:
        return "a submodule"
    if file.status is FileStatus.DELETED:
        return "deleted: there is no line to remark on"
    if reason := _reason_of_name(file.path, wanted, unwanted):
        return reason
    if file.binary:
        return "binary"
    if "120000" in (file.old_mode, file.new_mode):
        return "a symbolic link"
    if not file.hunks:
        return _without_text(file)
    if _is_pointer(file):
        return "a pointer of git-lfs, which keeps the content elsewhere"
    taken_back = verdict(file.path, unwanted) is False
    return "" if taken_back else _generated(file, change)


def _reason_of_name(path: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    """Why a path alone is enough to pass a file over; globs of the user's come first."""
    if reason := _reason_of_configuration(path, wanted, unwanted):
        return reason
    if verdict(path, unwanted) is False:
        return ""
    return not_by_hand(path)


def _reason_of_configuration(path: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    if verdict(path, unwanted):
        return "excluded by the configuration"
    return "not included by the configuration" if wanted and not matches(path, wanted) else ""


def _is_pointer(file: FileDiff) -> bool:
    """Whether all that is left of the file in the diff are lines of git-lfs, so that nothing hides among them."""
    new = [line.text for hunk in file.hunks for line in hunk.lines if line.new_no is not None]
    return is_pointer(new)


def _without_text(file: FileDiff) -> str:
    what = {
        FileStatus.RENAMED: "only renamed",
        FileStatus.COPIED: "only copied",
        FileStatus.MODE_CHANGED: "only its mode changed",
        FileStatus.ADDED: "empty",
    }
    return what.get(file.status, "no line of text changed")


def _generated(file: FileDiff, change: Change) -> str:
    """A marker in the first lines. A change can't add one to a file that is there and so hide itself."""
    added = {line.new_no for hunk in file.hunks for line in hunk.added}
    for number, text in _first_lines(file, change):
        if says_generated(text):
            if number not in added:
                return f"generated (line {number} says so)"
            if file.status is FileStatus.ADDED:
                return f"generated (its new line {number} says so)"
    return ""


def _first_lines(file: FileDiff, change: Change) -> Iterator[tuple[int, str]]:
    text = change.text(file)
    if text is not None:
        yield from enumerate(text.split("\n", MARKER_LINES)[:MARKER_LINES], 1)
        return
    for hunk in file.hunks[:1]:
        for line in hunk.lines[: 2 * MARKER_LINES]:
            if line.new_no is not None and line.new_no <= MARKER_LINES:
                yield line.new_no, line.text


def _hunk_reason(file: FileDiff, hunk: Hunk) -> str:
    if not any(line.kind != "context" for line in hunk.lines):
        return "no line changed"
    if file.path.endswith(WEB) and any(len(line.text) > MINIFIED_LINE for line in hunk.added):
        return "minified"
    return ""
