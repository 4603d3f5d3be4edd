"""Whole files as if newly written: `--scan`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.errors import GitError, UsageError
from hunkwise.reviewer.source.ci import Variables
from hunkwise.reviewer.source.git import repository
from hunkwise.reviewer.source.worktree import LARGEST_FILE, is_binary, listed, read_regular
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line, Skipped

_VERSION_FOLDERS = frozenset({".git", ".hg", ".svn"})


def scan(folder: Path, paths: Sequence[str], limits: Limits, environ: Variables) -> Change:
    """Whole files, and all files in folders, as if newly written; inside a repository without ignored ones.

    Raises UsageError for a path that is not there, or outside the repository.
    """
    top, names = _scanned(folder, paths, environ)
    files: list[FileDiff] = []
    skipped: list[Skipped] = []
    texts: dict[str, str] = {}
    lines = 0
    for name in names:
        try:
            content = read_regular(top, name)
        except OSError as error:
            skipped.append(Skipped(name, f"can't be read: {error.strerror}", fault=True))
            continue
        if content is None:
            skipped.append(Skipped(name, "not a regular file"))
        elif is_binary(content):
            files.append(FileDiff(None, name, FileStatus.ADDED, binary=True))
        elif reason := _over(content, len(files), lines, limits):
            skipped.append(Skipped(name, reason, fault=True))
        else:
            texts[name] = decode(content)
            files.append(_written(name, texts[name]))
            lines += content.count(b"\n")
    return Change(tuple(files), tuple(skipped), texts)


def _scanned(folder: Path, paths: Sequence[str], environ: Variables) -> tuple[Path, list[str]]:
    """The folder that paths are relative to, and the files to read."""
    named = [folder.absolute() / path for path in paths]
    for path, given in zip(named, paths, strict=True):
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                os.scandir(path).close()  # git passes over folders that it can't read
        except OSError as error:
            raise UsageError(
                f"{given}: there is no file or folder that can be scanned: {error.strerror}"
            ) from None
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UsageError(f"{given}: is neither a file nor a folder, so it can't be scanned")
    try:
        repo = repository(folder, environ)
    except GitError:
        repo = None
    if repo is None or repo.top is None:
        real = [path.resolve() for path in named]
        top = folder.resolve()
        if not all(path.is_relative_to(top) for path in real):
            top = Path(os.path.commonpath([path.parent for path in real]))
        return top, sorted({file.relative_to(top).as_posix() for path in real for file in _files(path)})
    top = repo.top.resolve()
    inside = [_inside(path.resolve(), top, given) for path, given in zip(named, paths, strict=True)]
    files = {name for name, path in zip(inside, named, strict=True) if path.is_file()}
    folders = [name for name, path in zip(inside, named, strict=True) if not path.is_file()]
    if folders:
        files |= {name for name in listed(repo, *folders) if os.path.isfile(top / name)}  # noqa: PTH113 - never raises
    return top, sorted(files)


def _inside(path: Path, top: Path, given: str) -> str:
    if not path.is_relative_to(top):
        raise UsageError(f"{given}: is outside the repository {top}")
    return path.relative_to(top).as_posix()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for root, folders, names in os.walk(path, onerror=_unscannable):  # follows no links to folders
        folders[:] = sorted(set(folders) - _VERSION_FOLDERS)
        yield from (Path(root) / name for name in sorted(names))


def _unscannable(error: OSError) -> None:
    raise UsageError(f"{error.filename}: can't be scanned: {error.strerror}") from None


def _over(content: bytes, files: int, lines: int, limits: Limits) -> str:
    if len(content) > LARGEST_FILE:
        return f"larger than {LARGEST_FILE:,} bytes"
    if files >= limits.files:
        return f"over the limit of {limits.files:,} files"
    if lines + content.count(b"\n") > limits.lines:
        return f"over the limit of {limits.lines:,} lines"
    if max(map(len, content.split(b"\n"))) > limits.line_length * 4:  # bytes of a character at most
        return f"a line over the limit of {limits.line_length:,} characters"
    return ""


def _written(name: str, text: str) -> FileDiff:
    """A file as a diff shows a new one."""
    texts = text.split("\n")
    no_newline = bool(texts.pop())
    if no_newline:
        texts = text.split("\n")
    lines = tuple(
        Line("added", line, None, number, no_newline and number == len(texts))
        for number, line in enumerate(texts, 1)
    )
    hunks = (Hunk(0, 0, 1, len(lines), "", lines),) if lines else ()
    return FileDiff(None, name, FileStatus.ADDED, hunks)
