"""Finds models on this machine: in a store of its own, and in stores of others that are only read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from hunkwise.engine.errors import CorruptModel, InvalidName, ModelNotFound
from hunkwise.engine.models import image
from hunkwise.engine.models.catalog import Catalog, CatalogEntry, known_as, shipped_catalog, shipped_modelfile
from hunkwise.engine.models.gguf.reader import read_header
from hunkwise.engine.models.image import Image
from hunkwise.engine.models.modelfile.modelfile import Modelfile
from hunkwise.engine.models.names import ModelName, parse_name
from hunkwise.engine.models.pull import Progress, quiet
from hunkwise.engine.models.reference import path_of, read_modelfile
from hunkwise.engine.models.sources.partial import Told
from hunkwise.engine.models.store.listing import Listed, Shown, listed
from hunkwise.engine.models.store.manifest import Layer, Manifest
from hunkwise.engine.models.store.store import Store
from hunkwise.engine.types import FileStamp, ModelSpec

SHORT = 30.0  # seconds to wait for another process while it writes


class LocalModels:
    """The models of this machine, in a store of its own and in stores of others, which are read in place.

    A name of the catalogue means the catalogue's digest and nothing else, however it is spelled and whatever a
    store has under it. Methods take a name, a path to a `.gguf` file, or one to a Modelfile. All raise
    InvalidName, ModelfileError, ModelError or StoreError.
    """

    def __init__(
        self, store: Store, read_only_stores: Sequence[Store] = (), *, catalog: Catalog | None = None
    ) -> None:
        self.store = store
        self.catalog = shipped_catalog() if catalog is None else catalog
        self._stores = (store, *read_only_stores)

    @property
    def stores(self) -> tuple[Store, ...]:
        """The own store, and those that are only read."""
        return self._stores

    def find(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Find a model on this machine; files that changed since they were hashed are hashed again.

        Raises ModelNotFound if it is not here, whole, CorruptModel as `verify`.
        """
        found, _ = self._image(text)
        return replace(
            found.spec(self._label(text)), seals=self._sealed(found, self.store.seals.of, progress)
        )

    def digest(self, text: str) -> str:
        """Say which weights a name means, also where those of the catalogue are still to be fetched.

        Raises ModelNotFound if it is neither here nor in the catalogue.
        """
        if path_of(text) is None and (entry := self._parsed(text)[1]):
            return entry.sha256
        return self.find(text).digest

    def list(self) -> tuple[Listed, ...]:
        """List the models of all stores, the own one first."""
        return tuple(
            listed(store, name, known_as(self.catalog, name)[1])
            for store in self._stores
            for name in store.names()
        )

    def show(self, text: str) -> Shown:
        """Describe a model that is on this machine."""
        found, store = self._image(text)
        header = read_header(found.weights[0].path)
        known = (entry.licence for entry in self.catalog.values() if entry.sha256 == found.digest)
        inside = header.metadata.get("general.license")
        names = tuple(known) or ((inside,) if isinstance(inside, str) else ())
        return Shown(
            found.spec(self._label(text)),
            sum(placed.layer.size for placed in found.files()),
            store.root if store else None,
            header.architecture,
            header.quantization,
            header.context_length,
            names + found.licenses,
        )

    def verify(self, text: str, progress: Progress = quiet) -> tuple[Path, ...]:
        """Hash a model's files again and return them.

        Raises CorruptModel at the first that differs; one of the own store is deleted, for the next pull.
        """
        seals = self._sealed(self._image(text)[0], self.store.seals.take, progress)
        return tuple(seal.path for seal in seals)

    def _sealed(
        self, found: Image, seal: Callable[[Path, Told], FileStamp], progress: Progress
    ) -> tuple[FileStamp, ...]:
        """Hold each file of a model against its digest."""
        seals = []
        for placed in found.files():
            told = partial(tell, progress, f"verifying {placed.path.name}", placed.layer.size)
            seals.append(seal(placed.path, told))
            if seals[-1].sha256 != placed.layer.digest:
                self._refuse(placed, seals[-1].sha256)
        return tuple(seals)

    def _refuse(self, placed: image.Placed, got: str) -> NoReturn:
        wrong = f"{placed.path} hashes to sha256 {got}, expected {placed.layer.digest}"
        if placed.path != self.store.blob_path(placed.layer.digest):
            raise CorruptModel(f"{wrong}; bring the right file there")
        with self.store.lock(SHORT):
            self.store.drop(placed.layer.digest)
        raise CorruptModel(f"{wrong}; it was deleted, pull or create the model again")

    def _hashed(self, path: Path) -> str:
        return self.store.seals.of(path).sha256

    def _image(self, text: str) -> tuple[Image, Store | None]:
        path = path_of(text)
        if path is None:
            return self._named(*self._parsed(text))
        if path.suffix.lower() == ".gguf":
            return image.from_files((path,), self._hashed), None
        return self._over_base(path), None

    def _parsed(self, text: str) -> tuple[ModelName, CatalogEntry | None]:
        """Read a name; of a model of the catalogue return the catalogue's spelling, and its entry."""
        return known_as(self.catalog, parse_name(text))

    def _label(self, text: str) -> str:
        """Name a model for people: a path by its last part. Raises InvalidName."""
        path = path_of(text)
        return path.name if path else self._parsed(text)[0].short()

    def _settled(self) -> frozenset[str]:
        """The digests that the catalogue's names mean."""
        return frozenset(entry.sha256 for entry in self.catalog.values())

    def _named(self, name: ModelName, entry: CatalogEntry | None) -> tuple[Image, Store]:
        """Look for a model of the catalogue everywhere by its digest, for any other by its name."""
        for store in self._stores:
            if entry is not None:
                if store.holds(entry.weights):
                    found = image.from_manifest(Manifest((entry.weights,)), store.blob)
                    return self._with_defaults(name, found), store
            elif (manifest := store.manifest(name)) is not None:
                return image.from_manifest(manifest, self._blob if store is self.store else store.blob), store
        raise ModelNotFound(f"{self._absence(name)}; run: hunkwise model pull {name.short()}")

    def _absence(self, name: ModelName) -> str:
        """Say that a model is not here; somebody else's build of a catalogue model is not the one meant."""
        entry = self.catalog.get(name)
        others = (store.root for store in self._stores if listed(store, name, entry).impostor)
        hint = next((f" ({root} has other weights under that name)" for root in others), "")
        return f"{name.short()} is not on this machine{hint}"

    def _blob(self, layer: Layer) -> Path:
        """Find a blob in any store: a pull does not copy what another store holds."""
        holder = next((store for store in self._stores if store.holds(layer)), self.store)
        return holder.blob(layer)

    def _with_defaults(self, name: ModelName, found: Image) -> Image:
        """Lay the shipped Modelfile's parameters under those of the model that it is made for."""
        shipped = shipped_modelfile()
        if name != parse_name(shipped.base):
            return found
        return replace(found, parameters={**shipped.parameters(), **found.parameters})

    def _over_base(self, path: Path) -> Image:
        parsed = read_modelfile(path)
        files = self._base_files(parsed, path.parent)
        base = image.from_files(files, self._hashed) if files else self._named(*self._from(parsed))[0]
        return image.with_modelfile(base, parsed, path.parent, self._hashed)

    def _from(self, parsed: Modelfile) -> tuple[ModelName, CatalogEntry | None]:
        """Read the name that a Modelfile builds on."""
        return known_as(self.catalog, parsed.base_name())

    def _base_files(self, parsed: Modelfile, folder: Path) -> tuple[Path, ...]:
        """Resolve FROM where it is files; a file called like a model of the catalogue can't pose as it."""
        return image.base_files(parsed, folder, self._is_catalogued)

    def _is_catalogued(self, value: str) -> bool:
        with suppress(InvalidName):
            return self._parsed(value)[1] is not None
        return False

    def _base_name(self, path: Path) -> tuple[ModelName | None, CatalogEntry | None]:
        """Return the name that a Modelfile builds on; None where that is files."""
        if path.suffix.lower() != ".gguf":
            parsed = read_modelfile(path)
            if not self._base_files(parsed, path.parent):
                return self._from(parsed)
        return None, None


def tell(progress: Progress, phase: str, total: int, done: int) -> None:
    """Tell of bytes as a phase of work."""
    progress(phase, done, total)
