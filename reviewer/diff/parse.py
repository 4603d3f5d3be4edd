"""Bytes of a diff in, a Change out. The only file that imports unidiff.

`patch_sections` finds the files and where their hunks end, since unidiff takes content for headers, knows no
quoting and ends at the first oddity; unidiff reads each file's names and hunks as they stand. Nothing of unidiff
leaves this module.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unidiff import PatchSet

from hunkwise.reviewer.diff.mails import decoded
from hunkwise.reviewer.diff.parts import Section
from hunkwise.reviewer.diff.sections import sections
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line, LineKind, Skipped

_KINDS: dict[str, LineKind] = {" ": "context", "": "context", "+": "added", "-": "removed"}
_NO_NEWLINE = "\\ No newline at end of file\n"
_REST = "(the rest of the diff)"
_FLOWED = (
    "a mail of the diff is format=flowed, which moves blanks and breaks lines: "
    "if lines look odd, review the patch as `git format-patch` wrote it"
)
_SUBMODULE_MODE = "160000"


_MISTAKES = (
    (re.compile(rb"\A\s*<(?:!doctype|html)", re.IGNORECASE), "this is a web page, so get the patch itself"),
    (
        re.compile(rb"^[|*\\/_> ]{1,80}diff --git ", re.MULTILINE),
        "this one is indented or quoted, so make it without --graph or --line-prefix",
    ),
    (
        re.compile(rb"^ *(?:\d+|-+): +[0-9a-f-]{7,64} [=!<>] +(?:\d+|-+): ", re.MULTILINE),
        "this is a range-diff, which compares patches, so review the patch itself",
    ),
    (
        re.compile(rb"^ [^\n]{1,4096} \| +(?:\d+ [-+]*|Bin )", re.MULTILINE),
        "this is a summary, so make it with -p",
    ),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a diff is read. What is over a limit is skipped and makes the review incomplete."""

    bytes: int = 32 * 1024 * 1024
    files: int = 3_000
    hunks: int = 20_000  # of all files together
    lines: int = 500_000  # of all hunks together, context included
    line_length: int = 10_000  # characters; a hunk with a longer line is skipped


def parse_diff(data: bytes, limits: Limits = Limits()) -> Change:
    """The change that a unified diff describes; no files if there is no text at all.

    Text is UTF-8; a byte that is none becomes one U+FFFD, so that columns stay and every text can be
    encoded again. In a patch whose header lines end in CRLF, hunk lines lose theirs too; else a carriage
    return is content. `new_texts` has the new files, which a diff shows whole. A file that can't be read,
    has a hostile path, or is over a limit, is in `skipped` with `fault` set.
    Raises DiffError for input where no file can be read at all.
    """
    data = _as_utf8(data)
    if not data.strip():
        return Change(())
    over = len(data) > limits.bytes
    mails = decoded(data[: data.rfind(b"\n", 0, limits.bytes) + 1] if over else data)
    lines = _lines(mails.text)
    reading = _Reading(lines, limits)
    found = tuple(sections(lines))
    for section, part in zip(found, _parts(found), strict=True):
        reading.take(section, part)
    reading.skipped += [
        Skipped(_REST, f"the diff is not read to the end: {fault}", fault=True) for fault in mails.faults
    ]
    if over:
        reason = f"the diff has {len(data):,} bytes, over the limit of {limits.bytes:,}"
        reading.skipped.append(Skipped(_REST, reason, fault=True))
    elif not reading.files and reading.problem:
        raise reading.problem
    elif not reading.files and mails.faults:
        raise DiffError(mails.faults[0])
    elif not reading.files and not reading.skipped:
        raise DiffError(_nothing_found(data))
    texts = {file.path: text for file in reading.files if (text := _whole_text(file)) is not None}
    notes = (_FLOWED,) if mails.flowed else ()
    return Change(tuple(reading.files), tuple(reading.skipped), texts, notes=notes)


@dataclass(slots=True)
class _Reading:
    """What has been read of one diff, and how much of the limits is used up."""

    lines: list[bytes]
    limits: Limits
    files: list[FileDiff] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    problem: DiffError | None = None  # the first one
    hunks: int = 0
    hunk_lines: int = 0

    def take(self, section: Section, part: int) -> None:
        """Read a file, which is the given part of its path's (see FileDiff)."""
        problem = section.problem
        error = DiffError(problem.message, problem.line) if problem else None
        self.problem = self.problem or error
        if section.note:
            self.skipped.append(Skipped(section.path, section.note))
        elif problem and not (problem.lost and section.hunks):
            self._skip(section, part, str(error))
        elif len(self.files) >= self.limits.files:
            self._skip(section, part, f"over the limit of {self.limits.files:,} files in a diff")
        else:
            hunks = tuple(self._hunks_within_limits(section, part))
            self.files.append(_file(section, hunks, part))
            if problem:
                self._skip(section, part, f"only its first hunks are read: {error}", len(section.hunks))

    def _skip(self, section: Section, part: int, reason: str, first: int = 0) -> None:
        """Say that the hunks of a file are not read, from the one with the index `first` on."""
        lost = [section.problem.lost] if section.problem else []
        lines = sum(self._changed(span) for span in (*section.hunks[first:], *lost))
        self.skipped.append(Skipped(section.path, reason, fault=True, part=part, lines=lines))

    def _changed(self, span: range) -> int:
        return sum(self.lines[at][:1] in (b"+", b"-") for at in span)

    def _hunks_within_limits(self, section: Section, part: int) -> Iterator[Hunk]:
        spans = self._spans_within_limits(section, part)
        for index, (span, hunk) in enumerate(zip(spans, _hunks(self.lines, section, spans), strict=True)):
            if (longest := max(len(line.text) for line in hunk.lines)) > self.limits.line_length:
                reason = f"a line of {longest:,} characters, over the limit of {self.limits.line_length:,}"
                lines = self._changed(span)
                self.skipped.append(Skipped(section.path, reason, index, fault=True, part=part, lines=lines))
            yield hunk

    def _spans_within_limits(self, section: Section, part: int) -> tuple[range, ...]:
        for index, span in enumerate(section.hunks):
            self.hunks += 1
            self.hunk_lines += len(span) - 1
            if reason := self._over():
                left = len(section.hunks) - index
                what = f"{left} of {len(section.hunks)} hunks not read: {reason}"
                self._skip(section, part, what, index)
                self.hunk_lines -= len(span) - 1  # a later, smaller hunk may still fit
                return section.hunks[:index]
        return section.hunks

    def _over(self) -> str:
        if self.hunks > self.limits.hunks:
            return f"over the limit of {self.limits.hunks:,} hunks in a diff"
        if self.hunk_lines > self.limits.lines:
            return f"over the limit of {self.limits.lines:,} lines in a diff"
        return ""


def _hunks(lines: list[bytes], section: Section, spans: tuple[range, ...]) -> Iterator[Hunk]:
    """The hunks of a section, whose counts are known to be right: one after another, after two lines of names."""
    if not spans:
        return
    text = lines[spans[0].start - 2 : spans[-1].stop]
    (file,) = PatchSet(_as_unidiff_reads(line, crlf=section.crlf) for line in text)
    for parsed in file:
        read: list[Line] = []
        for line in parsed:
            if line.line_type == "\\":
                last = read[-1]
                read[-1] = Line(last.kind, last.text, last.old_no, last.new_no, no_newline=True)
            else:
                kind = _KINDS[line.line_type]
                read.append(Line(kind, line.value[:-1], line.source_line_no, line.target_line_no))
        yield Hunk(
            parsed.source_start,
            parsed.source_length,
            parsed.target_start,
            parsed.target_length,
            parsed.section_header.strip(),
            tuple(read),
        )


def _as_unidiff_reads(line: bytes, *, crlf: bool) -> str:
    if line[:1] == b"\\":
        return _NO_NEWLINE  # diff says it in the user's language
    if crlf or line == b"\r":
        line = line.removesuffix(b"\r")
    return (decode(line) or " ") + "\n"


def _parts(found: Sequence[Section]) -> Iterator[int]:
    """Number the sections of each path that comes more than once from 1; 0 where it comes once."""
    times, seen = Counter(section.path for section in found), Counter[str]()
    for section in found:
        seen[section.path] += 1
        yield seen[section.path] if times[section.path] > 1 else 0


def _file(section: Section, hunks: tuple[Hunk, ...], part: int) -> FileDiff:
    old_mode, new_mode = _modes(section)
    return FileDiff(
        section.old_path,
        section.new_path,
        _status(section),
        hunks,
        section.binary,
        _SUBMODULE_MODE in (old_mode, new_mode),
        old_mode,
        new_mode,
        part,
    )


def _whole_text(file: FileDiff) -> str | None:
    """The text of a new file, which its one hunk holds."""
    if file.old_path is not None or len(file.hunks) != 1 or file.hunks[0].new_start != 1:
        return None
    lines = file.hunks[0].lines
    return "\n".join(line.text for line in lines) + "\n" * (not lines[-1].no_newline)


def _modes(section: Section) -> tuple[str | None, str | None]:
    """Modes of both sides; an `index` line names the one that both have."""
    both = section.headers.get("index", "").partition(" ")[2] or None
    old = section.headers.get("old mode") or section.headers.get("deleted file mode") or both
    new = section.headers.get("new mode") or section.headers.get("new file mode") or both
    return old if section.old_path else None, new if section.new_path else None


def _status(section: Section) -> FileStatus:
    if section.old_path is None:
        return FileStatus.ADDED
    if section.new_path is None:
        return FileStatus.DELETED
    if "rename to" in section.headers:
        return FileStatus.RENAMED
    if "copy to" in section.headers:
        return FileStatus.COPIED
    if "new mode" in section.headers and not section.hunks and not section.binary:
        return FileStatus.MODE_CHANGED
    return FileStatus.MODIFIED


def _as_utf8(data: bytes) -> bytes:
    """Without a byte order mark; PowerShell's `>` writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(codecs.BOM_UTF8)


def _lines(text: bytes) -> list[bytes]:
    """The lines of a patch; old programs end each with a carriage return alone."""
    lines = text.split(b"\n" if b"\n" in text else b"\r")
    return lines if lines[-1] else lines[:-1]


def _nothing_found(data: bytes) -> str:
    """Why there is no file in `data`, by what people give by mistake."""
    expected = "no diff in the input: expected a unified diff, such as `git diff` or `diff -u` print"
    if b"\0" in data:
        return f"{expected}; this one has NUL bytes in it, so unpack it first, or save it as UTF-8"
    for form, advice in _MISTAKES:
        if form.search(data):
            return f"{expected}; {advice}"
    return expected
