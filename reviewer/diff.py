"""Bytes of a diff in, a Change out. The only file that imports unidiff.

`patch_sections` finds the files and hunks, since unidiff takes content for headers, knows no renames and no
quoting; unidiff reads the hunks. Nothing of unidiff leaves this module.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unidiff import PatchSet

from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.patch_sections import HUNK_HEADER, Section, sections
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line, LineKind, Skipped

_UNDECODABLE = re.compile("[\udc80-\udcff]")
_KINDS: dict[str, LineKind] = {" ": "context", "": "context", "+": "added", "-": "removed"}
_NO_NEWLINE = "\\ No newline at end of file\n"
_REST = "(the rest of the diff)"
_SUBMODULE_MODE = "160000"


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
    or is over a limit, is in `skipped` with `fault` set.
    Raises DiffError for hostile paths, combined diffs, and input where no file can be read at all.
    """
    data = _as_utf8(data)
    if not data.strip():
        return Change(())
    over = len(data) > limits.bytes
    lines = data[: data.rfind(b"\n", 0, limits.bytes) + 1 if over else None].split(b"\n")
    if not lines[-1]:
        lines.pop()
    reading = _Reading(lines, limits)
    found = tuple(sections(lines))
    for section, part in zip(found, _parts(found), strict=True):
        reading.take(section, part)
    if over:
        reason = f"the diff has {len(data):,} bytes, over the limit of {limits.bytes:,}"
        reading.skipped.append(Skipped(_REST, reason, fault=True))
    elif not reading.files and not reading.skipped:
        raise reading.problem or DiffError(_nothing_found(data))
    elif not reading.files and reading.problem:
        raise reading.problem
    texts = {file.path: text for file in reading.files if (text := _whole_text(file)) is not None}
    return Change(tuple(reading.files), tuple(reading.skipped), texts)


def decode(data: bytes) -> str:
    """Text of a file or a line; each byte that is no UTF-8 becomes one U+FFFD."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _UNDECODABLE.sub("\ufffd", text)


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
        if problem := section.problem:
            error = DiffError(problem.message, problem.line)
            self.problem = self.problem or error
            self._skip(section, part, str(error))
        elif len(self.files) >= self.limits.files:
            self._skip(section, part, f"over the limit of {self.limits.files:,} files in a diff")
        else:
            hunks = tuple(self._hunks_within_limits(section, part))
            self.files.append(_file(section, hunks, part))

    def _skip(self, section: Section, part: int, reason: str, first: int = 0) -> None:
        """Say that the hunks of a file are not read, from the one with the index `first` on."""
        lines = sum(self._changed(span) for span in section.hunks[first:])
        self.skipped.append(Skipped(section.path, reason, fault=True, part=part, lines=lines))

    def _changed(self, span: range) -> int:
        return sum(self.lines[at][:1] in (b"+", b"-") for at in span)

    def _hunks_within_limits(self, section: Section, part: int) -> Iterator[Hunk]:
        for index, span in enumerate(section.hunks):
            self.hunks += 1
            self.hunk_lines += len(span) - 1
            if reason := self._over():
                left = len(section.hunks) - index
                what = f"{left} of {len(section.hunks)} hunks not read: {reason}"
                self._skip(section, part, what, index)
                self.hunk_lines -= len(span) - 1  # a later, smaller hunk may still fit
                return
            hunk = _hunk(self.lines[span.start : span.stop], crlf=section.crlf)
            if (longest := max(len(line.text) for line in hunk.lines)) > self.limits.line_length:
                reason = f"a line of {longest:,} characters, over the limit of {self.limits.line_length:,}"
                lines = self._changed(span)
                self.skipped.append(Skipped(section.path, reason, index, fault=True, part=part, lines=lines))
            yield hunk

    def _over(self) -> str:
        if self.hunks > self.limits.hunks:
            return f"over the limit of {self.limits.hunks:,} hunks in a diff"
        if self.hunk_lines > self.limits.lines:
            return f"over the limit of {self.limits.lines:,} lines in a diff"
        return ""


def _hunk(lines: list[bytes], *, crlf: bool) -> Hunk:
    """A hunk from its @@ line and body, whose counts are known to be right."""
    header = HUNK_HEADER.match(lines[0])
    assert header is not None
    section = decode(lines[0][header.end() :]).strip()
    body = (_body_line(line, crlf=crlf) for line in lines[1:])
    parsed = PatchSet(["--- a\n", "+++ b\n", header[0].decode() + "\n", *body])[0][0]
    read: list[Line] = []
    for line in parsed:
        if line.line_type == "\\":
            last = read[-1]
            read[-1] = Line(last.kind, last.text, last.old_no, last.new_no, no_newline=True)
        else:
            kind = _KINDS[line.line_type]
            read.append(Line(kind, line.value[:-1], line.source_line_no, line.target_line_no))
    return Hunk(
        parsed.source_start,
        parsed.source_length,
        parsed.target_start,
        parsed.target_length,
        section,
        tuple(read),
    )


def _body_line(line: bytes, *, crlf: bool) -> str:
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


def _nothing_found(data: bytes) -> str:
    """Why there is no file in `data`, by what people give by mistake."""
    expected = "no diff in the input: expected a unified diff, such as `git diff` or `diff -u` print"
    if b"\0" in data:
        return f"{expected}; this one has NUL bytes in it, so unpack it first, or save it as UTF-8"
    if b"\x1b[" in data:
        return f"{expected}; this one has terminal colours in it, so make it with --no-color"
    if re.search(rb"^\*\*\* .*\n--- ", data, re.MULTILINE):
        return f"{expected}; this is a context diff, so make it with -u instead of -c"
    if re.search(rb"^\d+(,\d+)?[acd]\d+(,\d+)?\r?\n[<>] ", data, re.MULTILINE):
        return f"{expected}; this is a diff without context, so make it with -u"
    if re.search(
        rb"^content-transfer-encoding: (base64|quoted-printable)", data, re.MULTILINE | re.IGNORECASE
    ):
        return f"{expected}; this mail is encoded, so save the patch itself or use `git am` first"
    return expected
