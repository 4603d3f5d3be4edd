"""`Library`: finds models on this machine, and brings those that are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from hunkwise.engine.errors import (
    CorruptModel,
    ModelNotFound,
    StoreError,
)
from hunkwise.engine.library import image
from hunkwise.engine.library.catalog import CatalogEntry, shipped_catalog, shipped_modelfile
from hunkwise.engine.library.gguf import read_header
from hunkwise.engine.library.image import Image
from hunkwise.engine.library.listing import Listed, Shown, listed
from hunkwise.engine.library.manifest import CONFIG_TYPE, MODEL, Layer, Manifest
from hunkwise.engine.library.names import ModelName, parse_name
from hunkwise.engine.library.partial import Told
from hunkwise.engine.library.pull import Progress, pull, quiet
from hunkwise.engine.library.reference import label, path_of, read_modelfile
from hunkwise.engine.library.sources.base import Shelf, Source, Wanted
from hunkwise.engine.library.sources.file import copy_file
from hunkwise.engine.library.store import Store
from hunkwise.engine.types import ModelSpec, Seal

SHORT, LONG = 30.0, 3600.0  # seconds to wait for another process: while it writes, while it pulls


class Library:
    """The models of this machine: a store of its own, stores of others read in place, sources to pull from.

    A name of the catalogue means the catalogue's digest, wherever its bytes lie or come from; only what the
    user created under that name in the own store goes before it. Where `offline` is true no source is asked.
    Methods take a name, a path to a `.gguf` file, or one to a Modelfile. All raise InvalidName,
    ModelfileError, ModelError or StoreError.
    """

    def __init__(
        self,
        store: Store,
        read_only_stores: Sequence[Store] = (),
        sources: Sequence[Source] = (),
        *,
        offline: bool = False,
        catalog: Mapping[ModelName, CatalogEntry] | None = None,
    ) -> None:
        self.store = store
        self.offline = offline
        self.catalog = shipped_catalog() if catalog is None else catalog
        self._stores = (store, *read_only_stores)
        self._sources = tuple(sources)

    def find(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Find a model on this machine; files that changed since they were hashed are hashed again.

        Raises ModelNotFound if it is not here, whole, CorruptModel as `verify`.
        """
        found, _ = self._image(text)
        return replace(found.spec(label(text)), seals=self._sealed(found, self.store.seals.of, progress))

    def ensure(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Find a model, or pull it."""
        try:
            return self.find(text, progress)
        except ModelNotFound:
            return self.pull(text, progress)

    def list(self) -> tuple[Listed, ...]:
        """List the models of all stores, the own one first."""
        return tuple(listed(store, name) for store in self._stores for name in store.names())

    def show(self, text: str) -> Shown:
        """Describe a model that is on this machine."""
        found, store = self._image(text)
        header = read_header(found.weights[0].path)
        known = (entry.licence for entry in self.catalog.values() if entry.sha256 == found.digest)
        inside = header.metadata.get("general.license")
        names = tuple(known) or ((inside,) if isinstance(inside, str) else ())
        return Shown(
            found.spec(label(text)),
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

    def pull(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Bring a model from the first source that has it, checked; what is here is not fetched again.

        Raises ModelNotFound or DownloadFailed, naming each source with its reason.
        """
        path = path_of(text)
        if path is not None:
            self._pull_base(path, progress)
            return self.find(text)
        name = parse_name(text)
        if name in self.catalog or not self._sources:  # a digest does not change; a registry's tag may
            with suppress(ModelNotFound):
                return self.find(text)
        if self.offline and not self._sources:
            raise ModelNotFound(
                f"{self._absence(name)}, and offline nothing is fetched; "
                f"run once without --offline, or: hunkwise model pull {name.short()}"
            )
        wanted = Wanted(name, self.catalog.get(name))
        with self.store.lock(LONG, lambda line: progress(line, 0, 0)):
            pull(wanted, self._sources, self._stores, progress)
        return self.find(text)

    def published(self, text: str) -> dict[str, tuple[str, int]]:
        """List the quantizations that a source publishes of a model: the name that pulls each, and its bytes.

        Raises ModelNotFound if no source that may be asked has a list of it.
        """
        name = parse_name(text)
        for source in self._sources:
            if isinstance(source, Shelf) and (
                found := source.published(Wanted(name, self.catalog.get(name)))
            ):
                return found
        raise ModelNotFound(
            f"no source lists quantizations of {name.short()}; name a repository, as in hf.co/user/repository"
        )

    def create(self, text: str, path: Path, progress: Progress = quiet) -> ModelSpec:
        """Store a model under a name as a Modelfile says; a base that is not here is pulled first."""
        name = parse_name(text)
        self._pull_base(path, progress, only_if_missing=True)
        found = self._over_base(path)
        with self.store.lock(LONG, lambda line: progress(line, 0, 0)):
            for placed in found.files():
                self._import(placed, progress)
            files = tuple(placed.layer for placed in found.files())
            layers = files + image.text_layers(found, self.store.add_bytes)
            config = self.store.add_bytes(CONFIG_TYPE, image.describe(found.weights[0].path, layers))
            self.store.add_manifest(name, Manifest(layers, config))
        return self.find(text)

    def remove(self, text: str) -> int:
        """Drop a model of the own store, with the blobs no other model uses; returns the bytes freed."""
        name = parse_name(text)
        if self.store.has(name):
            with self.store.lock(SHORT):
                return self.store.remove(name)
        for store in self._stores[1:]:
            if store.has(name):
                raise StoreError(
                    f"{name.short()} is in {store.root}, which is only read; remove it with Ollama"
                )
        raise ModelNotFound(f"{self.store.root} has no model {name.short()}; see: hunkwise model list")

    def _sealed(
        self, found: Image, seal: Callable[[Path, Told], Seal], progress: Progress
    ) -> tuple[Seal, ...]:
        """Hold each file of a model against its digest."""
        seals = []
        for placed in found.files():
            told = partial(_tell, progress, f"verifying {placed.path.name}", placed.layer.size)
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
            return self._named(parse_name(text))
        if path.suffix.lower() == ".gguf":
            return image.from_files((path,), self._hashed), None
        return self._over_base(path), None

    def _named(self, name: ModelName) -> tuple[Image, Store]:
        """Look in the own store by name, then everywhere by digest, then in others' stores by name."""
        entry = self.catalog.get(name)
        known = Manifest((Layer(MODEL, entry.sha256, entry.bytes),)) if entry else None
        own = self.store.manifest(name)
        if own is not None:
            return self._with_defaults(name, image.from_manifest(own, self._blob)), self.store
        for store in self._stores:
            manifest = store.manifest(name) if known is None else known
            if manifest is not None and (known is None or store.holds(known.layers[0])):
                return self._with_defaults(name, image.from_manifest(manifest, store.blob)), store
        raise ModelNotFound(f"{self._absence(name)}; run: hunkwise model pull {name.short()}")

    def _absence(self, name: ModelName) -> str:
        """Say that a model is not here; somebody else's build of a catalogue model is not the one meant."""
        other = next((store.root for store in self._stores[1:] if store.has(name)), None)
        hint = f" ({other} has other weights under that name)" if other and name in self.catalog else ""
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
        files = image.base_files(parsed, path.parent)
        base = image.from_files(files, self._hashed) if files else self._named(parse_name(parsed.base))[0]
        return image.with_modelfile(base, parsed, path.parent, self._hashed)

    def _pull_base(self, path: Path, progress: Progress, *, only_if_missing: bool = False) -> None:
        """Bring what a Modelfile builds on, if that is a name. A GGUF file is here, or it is nowhere."""
        if path.suffix.lower() == ".gguf":
            return
        parsed = read_modelfile(path)
        if not image.base_files(parsed, path.parent):
            bring = self.ensure if only_if_missing else self.pull
            bring(str(parse_name(parsed.base)), progress)

    def _import(self, placed: image.Placed, progress: Progress) -> None:
        """Copy a file into the own store. Not linked: its owner may write to it."""
        if self.store.holds(placed.layer):
            return
        target = self.store.partial(placed.layer.digest)
        told = partial(_tell, progress, f"copying {placed.path.name}", placed.layer.size)
        copy_file(placed.path, placed.layer, target, told)
        self.store.adopt(placed.layer, target)


def _tell(progress: Progress, phase: str, total: int, done: int) -> None:
    progress(phase, done, total)
