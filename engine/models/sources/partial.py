"""A file that grows towards a known size and digest, and may be continued after any interruption."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from hunkwise.engine.errors import CorruptModel, DownloadFailed, StoreError

CHUNK = 1 << 20  # bytes read and hashed at a time

FreeSpace = Callable[[Path], int]


# hears how many bytes of a file are here; called from one thread
Told = Callable[[int], None]


def silent(done: int) -> None:
    """Hear nothing of it."""


def free_bytes(folder: Path) -> int:
    """Count the bytes that this user may still write in `folder`."""
    return shutil.disk_usage(folder).free


def human_bytes(count: int) -> str:
    """Write a count of bytes as people read it: `1.1 GB`, `98 MB` (decimal units, as Ollama shows them)."""
    if count >= 10**9:
        return f"{count / 10**9:.1f} GB"
    if count >= 10**6:
        return f"{count / 10**6:.0f} MB"
    return f"{count / 10**3:.0f} kB" if count >= 10**3 else f"{count} B"


def sha256_of(path: Path, told: Told = silent) -> str:
    """Hash a file; `told` hears the bytes hashed so far. Raises StoreError if it can't be read."""
    digest, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                done += len(chunk)
                told(done)
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
    return digest.hexdigest()


class Partial:
    """The one writer of a file under a temporary name; hashes what it writes.

    What an earlier run left at `path` is hashed once and continued. Leave the context without `finish()` and
    the bytes stay for the next run.
    """

    def __init__(
        self,
        path: Path,
        *,
        sha256: str,
        size: int,
        told: Told = silent,
        free: FreeSpace = free_bytes,
    ) -> None:
        self.path = path
        self.size = size
        self.offset = 0  # bytes written and hashed
        self._sha256 = sha256
        self._told = told
        self._free = free
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self.path, flags, 0o644), "r+b", buffering=0)
        except OSError as error:
            raise StoreError(f"{self.path} can't be written: {error.strerror or error}") from error
        with ExitStack() as unless_taken_over:
            unless_taken_over.enter_context(self._file)
            self._take_over()
            unless_taken_over.pop_all()
        return self

    def _take_over(self) -> None:
        here = os.fstat(self._file.fileno()).st_size
        if here > self.size:
            self.restart()
            here = 0
        missing, free = self.size - here, self._free(self.path.parent)
        if missing > free:
            raise StoreError(
                f"{self.path.parent} has {human_bytes(free)} free and {human_bytes(missing)} are needed; "
                "make room, or set HUNKWISE_MODELS to a folder on a larger disk"
            )
        while chunk := self._file.read(CHUNK):
            self._hash.update(chunk)
            self.offset += len(chunk)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, chunk: bytes) -> None:
        """Append. Raises DownloadFailed at more bytes than the size, StoreError when the disk refuses."""
        if self.offset + len(chunk) > self.size:
            self.restart()
            raise DownloadFailed(f"more than the expected {self.size} bytes arrived")
        try:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(self.offset)  # drop what the failed write left behind
            self._file.seek(self.offset)
            reason = error.strerror or error
            raise StoreError(f"{self.path.parent} can't take more bytes: {reason}") from error
        self._hash.update(chunk)
        self.offset += len(chunk)
        self._told(self.offset)

    def restart(self, offset: int = 0) -> None:
        """Keep only the first `offset` bytes, and hash them again."""
        self._hash, self.offset = hashlib.sha256(), 0
        self._file.truncate(offset)
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._hash.update(chunk)
            self.offset += len(chunk)

    def finish(self) -> None:
        """Flush to disk and compare. A wrong digest deletes the file and raises CorruptModel naming both."""
        if self.offset != self.size:
            raise DownloadFailed(f"{self.offset} of {self.size} bytes arrived")
        got = self._hash.hexdigest()
        if got != self._sha256:
            self.path.unlink(missing_ok=True)
            raise CorruptModel(f"the bytes hash to sha256 {got}, expected {self._sha256}; they were deleted")
        os.fsync(self._file.fileno())
