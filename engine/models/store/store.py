"""Models on disk, in Ollama's layout: `manifests/<host>/<namespace>/<model>/<tag>` and `blobs/sha256-<hex>`.

An Ollama store is read in place. What is written appears under its final name whole or not at all.

A store inside a git work tree is not trusted: whoever writes a change can put files there. No seal that lies in
it is believed, so that weights are hashed at each use, and `Library.ensure` takes no name's word for a digest.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, InvalidName, ModelNotFound, StoreError
from hunkwise.engine.models.names import ModelName, parse_name
from hunkwise.engine.models.store.manifest import LIMIT, Layer, Manifest, parse_manifest, render_manifest
from hunkwise.engine.models.store.seals import Seals
from hunkwise.engine.models.store.whole import flush_folder, make_folder, write_whole


class Store:
    """One folder of models. Methods that write expect the caller to hold `lock()`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trusted = not _in_work_tree(root)
        # of any file's, in this store or elsewhere
        self.seals = Seals(root / "seals.json" if self.trusted else None)

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    # Reading

    def names(self) -> tuple[ModelName, ...]:
        """List the models that have a manifest here, sorted; files that can't be one are passed over."""
        top = self.root / "manifests"
        found = []
        for path in top.glob("*/*/*/*"):
            host, namespace, model, tag = path.relative_to(top).parts
            with suppress(InvalidName):
                name = parse_name(f"{host}/{namespace}/{model}:{tag}")
                if self._manifest_path(name) == path and not path.is_dir():
                    found.append(name)
        return tuple(sorted(found, key=lambda name: (name.host, name.namespace, name.model, name.tag)))

    def has(self, name: ModelName) -> bool:
        """True if there is something under the name of this model's manifest, readable or not."""
        return os.path.lexists(self._manifest_path(name))

    def manifest(self, name: ModelName) -> Manifest | None:
        """Read a model's manifest, None if there is none. Raises CorruptModel, StoreError if unreadable."""
        path = self._manifest_path(name)
        try:
            if not os.path.lexists(path):
                return None
            self._inside(path, self.root / "manifests")
            with path.open("rb") as file:
                data = file.read(LIMIT + 1)
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
        if len(data) > LIMIT:
            raise CorruptModel(f"{path}: a manifest of more than {LIMIT} bytes")
        return parse_manifest(data, str(path))

    def modified(self, name: ModelName) -> float:
        """Say when a model's manifest was written, in seconds since 1970; 0 if there is none."""
        try:
            return self._manifest_path(name).stat().st_mtime
        except OSError:
            return 0.0

    def blob_path(self, digest: str) -> Path:
        """Say where the blob of a sha256 (hex) is, or would be."""
        return self.root / "blobs" / f"sha256-{digest}"

    def holds(self, layer: Layer) -> bool:
        """True if the blob is here, as a plain file of the size that the manifest tells."""
        try:
            self.blob(layer)
        except (ModelNotFound, CorruptModel):
            return False
        return True

    def blob(self, layer: Layer) -> Path:
        """Find a layer's file. Raises ModelNotFound if missing, CorruptModel for a wrong size or kind."""
        path = self.blob_path(layer.digest)
        try:
            if not os.path.lexists(path):
                raise ModelNotFound(f"{path} is missing; pull or create the model again")
            self._inside(path, self.root / "blobs")
            size = path.stat().st_size
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
        if size != layer.size:
            raise CorruptModel(
                f"{path} has {size} bytes and its manifest says {layer.size}; remove and pull the model again"
            )
        return path

    # Writing

    @contextmanager
    def lock(
        self, timeout: float = 10.0, waiting: Callable[[str], None] = lambda line: None
    ) -> Iterator[None]:
        """Keep other writers out, in this process and others; `timeout` in seconds.

        `waiting` hears one sentence if there is one to wait for. Raises StoreError naming its process.
        """
        path = self.root / ".lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"the model store {self.root} can't be written: {error.strerror or error}; "
                "set HUNKWISE_MODELS to a folder of yours"
            ) from error
        try:
            self._acquire(fd, timeout, waiting)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(fd)  # releases the lock

    def _acquire(self, fd: int, timeout: float, waiting: Callable[[str], None]) -> None:
        deadline, told = time.monotonic() + timeout, False
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise StoreError(f"{self.root} can't be locked: {error.strerror or error}") from error
            holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            if time.monotonic() >= deadline:
                raise StoreError(
                    f"the model store {self.root} was in use by process {holder} all of {timeout:.0f} s; "
                    "try again when it is done"
                )
            if not told:
                waiting(f"waiting for process {holder}, which writes to {self.root}")
                told = True
            time.sleep(0.05)

    def partial(self, digest: str) -> Path:
        """Say where a blob grows until it is whole; the name is Ollama's."""
        path = self.blob_path(digest)
        make_folder(path.parent)
        return path.with_name(path.name + "-partial")

    def adopt(self, layer: Layer, partial: Path) -> None:
        """Give a whole, checked and flushed file its final name, and seal it."""
        try:
            os.replace(partial, self.blob_path(layer.digest))  # noqa: PTH105
            flush_folder(partial.parent)
        except OSError as error:
            raise StoreError(f"{partial} can't be renamed: {error.strerror or error}") from error
        self.seals.note(self.blob_path(layer.digest), layer.digest)

    def add_bytes(self, media_type: str, data: bytes) -> Layer:
        """Store a small blob."""
        layer = Layer(media_type, hashlib.sha256(data).hexdigest(), len(data))
        if not self.holds(layer):
            write_whole(self.blob_path(layer.digest), data)
        return layer

    def add_manifest(self, name: ModelName, manifest: Manifest) -> None:
        """Write a model's manifest, in place of an earlier one. Its blobs must be here already."""
        write_whole(self._manifest_path(name), render_manifest(manifest))

    def remove(self, name: ModelName, keep: AbstractSet[str] = frozenset()) -> int:
        """Drop a model and the blobs that no other model uses; returns the bytes that this freed.

        Digests in `keep` stay in any case. While another manifest can't be read no blob is dropped, since it may
        be in use: raises CorruptModel naming that manifest, after the model is gone.
        """
        path = self._manifest_path(name)
        try:
            mine = self.manifest(name)
        except CorruptModel:
            mine = Manifest(())
        if mine is None:
            raise ModelNotFound(f"{self.root} has no model {name}")
        try:
            path.unlink()
            for parent in list(path.parents)[:3]:  # model, namespace, host
                parent.rmdir()
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise StoreError(f"{path} can't be removed: {error.strerror or error}") from error
        return self.sweep({layer.digest for layer in mine.blobs()} - keep)

    def sweep(self, digests: AbstractSet[str]) -> int:
        """Drop those blobs that no model uses; returns the bytes that this freed. Raises CorruptModel."""
        manifests = (self.manifest(other) for other in self.names())
        used = {layer.digest for other in manifests if other is not None for layer in other.blobs()}
        return sum(self.drop(digest) for digest in digests - used)

    def drop(self, digest: str) -> int:
        """Delete a blob; returns its size in bytes, 0 if there was none."""
        path = self.blob_path(digest)
        try:
            size = path.lstat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StoreError(f"{path} can't be removed: {error.strerror or error}") from error
        return size

    # Paths

    def _manifest_path(self, name: ModelName) -> Path:
        return self.root.joinpath("manifests", *name.filepath())

    def _inside(self, path: Path, folder: Path) -> None:
        """Refuse what is no plain file of this folder: a manifest must not make us read elsewhere."""
        plain = stat.S_ISREG(path.lstat().st_mode)
        if not plain or not path.resolve().is_relative_to(folder.resolve()):
            raise CorruptModel(f"{path} is no plain file of the store (a link or a device); remove it")


def _in_work_tree(folder: Path) -> bool:
    """True if a folder, as it is named or where its links lead, is below a folder that git calls its own."""
    places = {folder.absolute(), Path(os.path.realpath(folder))}
    return any(os.path.lexists(parent / ".git") for place in places for parent in (place, *place.parents))
