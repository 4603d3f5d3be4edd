"""Files of a work tree, read without following links and without git's filters.

`git diff` of a work tree runs the clean filters that .gitattributes and the configuration name. So changed
files are read here, stored as they are in an object store of our own, and compared as objects.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hunkwise.reviewer.forges.git import Repository, blobs, run
from hunkwise.reviewer.types import Skipped

LARGEST_FILE = 8 * 1024 * 1024  # bytes of one file that are read
LARGEST_TREE = 256 * 1024 * 1024  # bytes of all changed files together

# A line of `ls-files -t -s -z`, and what --debug adds; without that the file is read
_ENTRY = re.compile(
    rb"(?P<tag>\S) (?P<mode>\d{6}) (?P<id>[0-9a-f]+) (?P<stage>\d)\t(?P<path>[^\0]*)\0"
    rb"(?:  ctime: \d+:\d+\n  mtime: (?P<seconds>\d+):(?P<nano>\d+)\n  dev: .*\n  uid: .*\n"
    rb"  size: (?P<size>\d+)\tflags: [0-9a-f]+\n)?"
)
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_SUBMODULE, _LINK, _FILE, _PROGRAM = "160000", "120000", "100644", "100755"
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG)


@dataclass(frozen=True, slots=True)
class Entry:
    """A path as the index has it. `stamp` is (seconds, nanoseconds, size) when git last looked."""

    path: str
    mode: str
    id: str
    here: bool  # False if a sparse checkout leaves it out
    stamp: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository whose index is the work tree, and what could not be put into it."""

    repository: Repository
    skipped: tuple[Skipped, ...]


def read_regular(top: Path, path: str, most: int = LARGEST_FILE) -> bytes | None:
    """Bytes of a regular file below `top`, at most `most` + 1; None if it is none, or behind a link."""
    found = _read(top, path, most)
    return found[1] if found and found[0] != _LINK else None


def _read(top: Path, path: str, most: int) -> tuple[str, bytes] | None:
    """Git's mode and the content (a link's is its target); None if there is no such file."""
    try:
        with _parent(top, path) as parent:
            name = path.rpartition("/")[2]
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                return _LINK, os.fsencode(os.readlink(name, dir_fd=parent))
            # O_NONBLOCK: a named pipe would wait for a writer
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                return (_mode(found.st_mode), file.read(most + 1)) if stat.S_ISREG(found.st_mode) else None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


@contextlib.contextmanager
def _parent(top: Path, path: str) -> Iterator[int]:
    """A descriptor of the folder that `path` is in, reached without a link below `top`."""
    with contextlib.ExitStack() as opened:
        at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, at)
        for folder in path.split("/")[:-1]:
            if folder in ("", ".", ".."):
                raise FileNotFoundError(errno.ENOENT, "not a plain path", path)
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            opened.callback(os.close, at)
        yield at


def is_binary(data: bytes) -> bool:
    """Whether git would call it binary: a NUL in the first 8,000 bytes (buffer_is_binary)."""
    return b"\0" in data[:8000]


def listed(repo: Repository, *paths: str) -> list[str]:
    """Paths of the work tree, tracked or not, without those that .gitignore names."""
    output = run(
        repo, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths, work_tree=True
    )
    return sorted({os.fsdecode(path) for path in output.split(b"\0") if path})


@contextlib.contextmanager
def snapshot(repo: Repository, most: int) -> Iterator[Snapshot]:
    """The work tree as an index, in a temporary folder. At most `most` changed files are taken."""
    with tempfile.TemporaryDirectory(prefix="hunkwise-") as folder:
        store = Path(folder) / "objects"
        (store / "info").mkdir(parents=True)
        own = repo.git_dir / os.fsdecode(run(repo, "rev-parse", "--git-path", "objects").removesuffix(b"\n"))
        (store / "info" / "alternates").write_bytes(os.fsencode(own) + b"\n")
        places = {"GIT_INDEX_FILE": str(Path(folder) / "index"), "GIT_OBJECT_DIRECTORY": str(store)}
        taking = _Taking(repo, Path(folder), most)
        lines = b"".join(_index_line(entry) for entry in taking.entries())
        taken = replace(repo, environment={**repo.environment, **places})
        run(taken, "hash-object", "-w", "--no-filters", "--stdin-paths", data=taking.stored())
        run(taken, "update-index", "-z", "--index-info", data=lines)
        yield Snapshot(taken, tuple(taking.skipped))


class _Taking:
    """Copies what differs from the index into numbered files of `folder`, to be hashed by git."""

    def __init__(self, repo: Repository, folder: Path, most: int) -> None:
        assert repo.top is not None
        self.top = repo.top
        self.repo = repo
        self.folder = folder
        self.left = most
        self.room = LARGEST_TREE
        self.skipped: list[Skipped] = []
        self.copies: list[Path] = []
        asked = run(repo, "rev-parse", "--git-path", "index").removesuffix(b"\n")
        index = repo.git_dir / os.fsdecode(asked)
        self.index_time = index.stat().st_mtime_ns if index.exists() else 0
        self.file_mode = (
            run(repo, "config", "--type=bool", "--default=true", "--get", "core.fileMode") == b"true\n"
        )
        self.sha256 = run(repo, "rev-parse", "--show-object-format") == b"sha256\n"

    def entries(self) -> Iterator[Entry]:
        """The index as it would be if all were added."""
        output = run(self.repo, "ls-files", "-t", "-s", "-z", "--debug", work_tree=True)
        tracked = {entry.path: entry for entry in map(_entry, _ENTRY.finditer(output))}
        unchanged = {path for path, entry in tracked.items() if self._unchanged(entry)}
        yield from (tracked[path] for path in unchanged)
        changed = [entry for path, entry in tracked.items() if path not in unchanged]
        before = blobs(self.repo, (f":0:{entry.path}" for entry in changed), LARGEST_FILE, LARGEST_TREE)
        for entry in changed:
            yield from self._taken(entry, before.get(f":0:{entry.path}"))
        others = run(self.repo, "ls-files", "-z", "--others", "--exclude-standard", work_tree=True)
        for path in sorted(os.fsdecode(name) for name in others.split(b"\0") if name):
            if path.endswith("/"):
                self.skipped.append(Skipped(path, "a repository of its own"))
            else:
                yield from self._taken(Entry(path, _FILE, "", True, None), None)

    def stored(self) -> bytes:
        """Input of `hash-object --stdin-paths`."""
        return b"".join(os.fsencode(path) + b"\n" for path in self.copies)

    def _unchanged(self, entry: Entry) -> bool:
        """As git decides without reading: same time and size, and older than the index (not racy)."""
        if not entry.here or entry.mode == _SUBMODULE:
            return True
        try:
            found = (self.top / entry.path).lstat()
        except OSError:
            return False
        mode = _mode(found.st_mode) if self.file_mode or stat.S_ISLNK(found.st_mode) else entry.mode
        seconds, nano = divmod(found.st_mtime_ns, 10**9)
        same = entry.stamp == (seconds, nano, found.st_size)
        return same and mode == entry.mode and found.st_mtime_ns < self.index_time

    def _taken(self, entry: Entry, before: bytes | None) -> Iterator[Entry]:
        """The entry with the file's present content; nothing if the file is gone."""
        try:
            found = _read(self.top, entry.path, LARGEST_FILE)
        except OSError as error:
            self.skipped.append(Skipped(entry.path, f"can't be read: {error.strerror}", fault=True))
            if entry.id:
                yield entry
            return
        if found is None:
            return
        mode, content = found
        if not self.file_mode and mode == _PROGRAM:
            mode = entry.mode
        if before is not None:
            content = _as_committed(content, before)
            if (pointer := _LFS.match(before)) and not _LFS.match(content):
                if hashlib.sha256(content).hexdigest().encode() != pointer[1]:
                    self.skipped.append(Skipped(entry.path, "kept by git-lfs; its content is not reviewed"))
                yield entry
                return
            if content == before:
                yield replace(entry, mode=mode)
                return
        if reason := self._too_much(content):
            self.skipped.append(Skipped(entry.path, reason, fault=not is_binary(content)))
            if entry.id:
                yield entry
            return
        yield replace(entry, mode=mode, id=self._copied(content))

    def _too_much(self, content: bytes) -> str:
        self.left -= 1
        self.room -= len(content)
        if len(content) > LARGEST_FILE:
            return f"larger than {LARGEST_FILE:,} bytes"
        if self.left < 0 or self.room < 0:
            return "over the limit of changed files in the work tree"
        return ""

    def _copied(self, content: bytes) -> str:
        copy = self.folder / str(len(self.copies))
        copy.write_bytes(content)
        self.copies.append(copy)
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(usedforsecurity=False)
        digest.update(b"blob %d\0" % len(content) + content)  # gitformat: the id of an object
        return digest.hexdigest()


def _as_committed(content: bytes, before: bytes) -> bytes:
    """Undo a checkout with eol=crlf: every line ends in CRLF here, none does in the repository."""
    if b"\r" in before or content.count(b"\r\n") != content.count(b"\n") or is_binary(content):
        return content
    return content.replace(b"\r\n", b"\n")


def _entry(found: re.Match[bytes]) -> Entry:
    stamp = found.group("seconds", "nano", "size") if found["seconds"] else None
    return Entry(
        os.fsdecode(found["path"]),
        found["mode"].decode(),
        found["id"].decode(),
        here=found["tag"] != b"S",
        stamp=(int(stamp[0]), int(stamp[1]), int(stamp[2])) if stamp else None,
    )


def _index_line(entry: Entry) -> bytes:
    return f"{entry.mode} {entry.id}\t".encode() + os.fsencode(entry.path) + b"\0"


def _mode(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return _LINK
    return _PROGRAM if mode & stat.S_IXUSR else _FILE
