"""What tells that a file is still the one that was hashed, so that gigabytes are hashed once and not each time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, StoreError
from hunkwise.engine.models.sources.partial import Told, sha256_of, silent
from hunkwise.engine.models.store.whole import write_whole
from hunkwise.engine.types import FileStamp

_MOST = 200  # seals that are remembered
_LARGEST = 1 << 20  # bytes of the file that holds them


def sealed(path: Path, sha256: str) -> FileStamp:
    """Note how a file stands whose sha256 (hex) is known. Raises StoreError."""
    try:
        status = path.stat()
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
    return FileStamp(path, sha256, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def unchanged(seals: Iterable[FileStamp]) -> bool:
    """Tell whether files look as they did, without hashing any."""
    try:
        return all(sealed(seal.path, seal.sha256) == seal for seal in seals)
    except StoreError:
        return False


def check_seals(seals: Iterable[FileStamp]) -> None:
    """Make sure that files still hold what they did; what looks changed is hashed. Raises CorruptModel."""
    for seal in seals:
        try:
            whole = sealed(seal.path, seal.sha256) == seal or sha256_of(seal.path) == seal.sha256
        except StoreError as error:
            raise CorruptModel(f"{error}; it was there when its sha256 was checked") from error
        if not whole:
            raise CorruptModel(
                f"{seal.path} was changed after its sha256 was checked; "
                "bring it back (a model of the store: hunkwise model verify, then pull) and review again"
            )


class Seals:
    """The seals of files that were hashed on this machine, in one file of JSON.

    What can't be read or kept costs another hash, no more. Without a file they last as long as the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[Path, FileStamp] | None = {} if path is None else None

    def of(self, path: Path, told: Told = silent) -> FileStamp:
        """Stamp a file; it is hashed only if it changed since that was done last. Raises as `take`."""
        path = path.absolute()
        known = self._read().get(path)
        if known is not None and sealed(path, known.sha256) == known:
            return known
        return self.take(path, told)

    def take(self, path: Path, told: Told = silent) -> FileStamp:
        """Hash a file and seal it. Raises StoreError, and CorruptModel if somebody writes to it meanwhile."""
        path = path.absolute()
        before = sealed(path, "")
        seal = self.note(path, sha256_of(path, told))
        if sealed(path, "") != before:
            raise CorruptModel(f"{path} was changed while it was read; try again when nobody writes to it")
        return seal

    def note(self, path: Path, sha256: str) -> FileStamp:
        """Stamp a file whose sha256 (hex) was found while it was written."""
        seal = sealed(path.absolute(), sha256)
        known = self._read()
        known.pop(seal.path, None)
        known[seal.path] = seal
        if self._path is not None:
            rows = [{**asdict(each), "path": os.fspath(each.path)} for each in list(known.values())[-_MOST:]]
            with suppress(StoreError):  # a store that is only read
                write_whole(self._path, json.dumps(rows).encode())
        return seal

    def _read(self) -> dict[Path, FileStamp]:
        if self._known is None:
            self._known = {}
            assert self._path is not None
            with (
                suppress(OSError, ValueError, TypeError, KeyError, RecursionError),
                self._path.open("rb") as file,
            ):
                rows = json.loads(file.read(_LARGEST))
                seals = (FileStamp(**{**row, "path": Path(row["path"])}) for row in rows)
                self._known = {seal.path: seal for seal in seals}
        return self._known
