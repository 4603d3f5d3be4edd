"""Weights as plain files: a folder that someone else filled, such as a CI cache or a network disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hunkwise.engine.errors import DownloadFailed, ModelNotFound
from hunkwise.engine.models.sources.base import Item, Offer, Wanted
from hunkwise.engine.models.sources.partial import CHUNK, FreeSpace, Partial, Told, free_bytes
from hunkwise.engine.models.store.manifest import MODEL, Layer


class FileSource:
    """Finds models of the catalogue in a folder by size; their digest is checked while they are copied."""

    def __init__(self, folder: Path, *, free: FreeSpace = free_bytes) -> None:
        self._folder = folder
        self._free = free

    @property
    def label(self) -> str:
        """Name the folder."""
        return str(self._folder)

    def offer(self, wanted: Wanted) -> Offer | None:
        """Offer the first file of the right size."""
        if wanted.entry is None:
            return None
        layer = Layer(MODEL, wanted.entry.sha256, wanted.entry.bytes)
        for path in self._files(wanted.entry.bytes):
            return Offer((Item(layer, str(path)),))
        raise ModelNotFound(f"no .gguf file of {wanted.entry.bytes} bytes")

    def _files(self, size: int) -> Iterator[Path]:
        try:
            paths = sorted(self._folder.glob("*.gguf"))
            yield from (path for path in paths if path.is_file() and path.stat().st_size == size)
        except OSError as error:
            raise DownloadFailed(f"can't be read: {error.strerror or error}") from error

    def fetch(self, item: Item, target: Path, told: Told) -> None:
        """Copy the file."""
        copy_file(Path(item.place), item.layer, target, told, self._free)


def copy_file(path: Path, layer: Layer, target: Path, told: Told, free: FreeSpace = free_bytes) -> None:
    """Copy a file whose digest is known to `target`, and check it on the way."""
    with Partial(target, sha256=layer.digest, size=layer.size, told=told, free=free) as partial:
        try:
            with path.open("rb") as file:
                file.seek(partial.offset)
                while chunk := file.read(CHUNK):
                    partial.write(chunk)
        except OSError as error:
            raise DownloadFailed(f"{path} can't be read: {error.strerror or error}") from error
        partial.finish()
