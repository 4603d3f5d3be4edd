"""`Library`: finds models on this machine, and brings those that are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from hunkwise.engine.errors import (
    CorruptModel,
    InvalidName,
    ModelError,
    ModelNotFound,
    StoreError,
)
from hunkwise.engine.models import image
from hunkwise.engine.models.catalog import (
    Catalog,
    CatalogEntry,
    known_as,
    shadowed_by,
    shipped_catalog,
    shipped_modelfile,
)
from hunkwise.engine.models.gguf.reader import read_header
from hunkwise.engine.models.image import Image
from hunkwise.engine.models.modelfile.modelfile import Modelfile
from hunkwise.engine.models.names import ModelName, parse_name
from hunkwise.engine.models.pull import Progress, pull, quiet
from hunkwise.engine.models.reference import path_of, read_modelfile
from hunkwise.engine.models.sources.base import Shelf, Source, Wanted
from hunkwise.engine.models.sources.file import copy_file
from hunkwise.engine.models.sources.partial import Told
from hunkwise.engine.models.store.listing import Listed, Shown, listed
from hunkwise.engine.models.store.manifest import CONFIG_TYPE, Layer, Manifest
from hunkwise.engine.models.store.store import Store
from hunkwise.engine.types import ModelSpec, Seal

SHORT, LONG = 30.0, 3600.0  # seconds to wait for another process: while it writes, while it pulls


class Library:
    """The models of this machine: a store of its own, stores of others read in place, sources to pull from.

    A name of the catalogue means the catalogue's digest and nothing else, however it is spelled and whatever a
    store has under it; nothing can be created under such a name. Where `offline` is true no source is asked.
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
        catalog: Catalog | None = None,
    ) -> None:
        self.store = store
        self.offline = offline
        self.catalog = shipped_catalog() if catalog is None else catalog
        self._stores = (store, *read_only_stores)
        self._sources = tuple(sources)

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

    def ensure(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Find a model, or pull it.

        What only a store inside a checkout vouches for counts if a source vouches for it too, at each call.
        """
        doubtful = self._doubtful(text)
        if doubtful is not None:
            return self._confirmed(text, *doubtful, progress)
        try:
            return self.find(text, progress)
        except ModelNotFound:
            return self.pull(text, progress)

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

    def pull(self, text: str, progress: Progress = quiet) -> ModelSpec:
        """Bring a model from the first source that has it, checked; what is here is not fetched again.

        Raises ModelNotFound or DownloadFailed, naming each source with its reason.
        """
        path = path_of(text)
        if path is not None:
            self._pull_base(path, progress)
            return self.find(text)
        name, entry = self._parsed(text)
        holders = self._stores
        if entry is not None or not self._sources:  # a digest does not change; a registry's tag may
            try:
                spec = self.find(text)
                self._drop_impostor(name, entry, progress)
                return spec
            except ModelNotFound:
                pass
            except CorruptModel as error:
                if entry is None or not self._sources:
                    raise
                progress(str(error), 0, 0)
                holders = (self.store,)  # what another store holds under that digest is wrong
        if self.offline and not self._sources:
            raise ModelNotFound(
                f"{self._absence(name)}, and offline nothing is fetched; "
                f"run once without --offline, or: hunkwise model pull {name.short()}"
            )
        self._drop_impostor(name, entry, progress)
        wanted = Wanted(name, entry)
        with self.store.lock(LONG, lambda line: progress(line, 0, 0)):
            pull(wanted, self._sources, holders, progress)
        return self.find(text)

    def published(self, text: str) -> dict[str, tuple[str, int]]:
        """List the quantizations that are published of a model: the name that pulls each, and its bytes.

        A model of the catalogue is what the catalogue says, and no source is asked. Raises ModelNotFound if
        no source that may be asked has a list of it.
        """
        name, entry = self._parsed(text)
        if entry is not None:
            return {entry.quantization: (name.short(), entry.bytes)}
        for source in self._sources:
            if isinstance(source, Shelf) and (found := source.published(Wanted(name))):
                return found
        raise ModelNotFound(
            f"no source lists quantizations of {name.short()}; name a repository, as in hf.co/user/repository"
        )

    def create(self, text: str, path: Path, progress: Progress = quiet) -> ModelSpec:
        """Store a model under a name as a Modelfile says; a base that is not here is pulled first.

        Raises InvalidName for what people would read as a name of the catalogue.
        """
        name = parse_name(text)
        taken = shadowed_by(self.catalog, name)
        if taken is not None:
            raise InvalidName(
                f"{text} would be taken for the catalogue's {taken.short()}; "
                f"choose a name of your own, such as my-{taken.model}"
            )
        outside = "no review takes a model that was made there. Set HUNKWISE_MODELS to a folder outside"
        doubt = () if self.store.trusted else (f"{self.store.root} is inside a checkout, and {outside}",)
        for warning in (*doubt, *read_modelfile(path).warnings):
            progress(warning, 0, 0)
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
        """Drop a model of the own store, with the blobs no other model uses; returns the bytes freed.

        The weights of a model of the catalogue go with that model alone, whoever else had a share in them.
        """
        typed = parse_name(text)
        known, entry = known_as(self.catalog, typed)
        name = typed if self.store.has(typed) else known
        own = entry is not None and self.store.holds(entry.weights)
        if own or self.store.has(name):
            with self.store.lock(SHORT):
                freed = self.store.remove(name, self._settled()) if self.store.has(name) else 0
                return freed + (self.store.sweep({entry.sha256}) if entry is not None else 0)
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

    def _drop_impostor(self, name: ModelName, entry: CatalogEntry | None, progress: Progress) -> None:
        """Remove from the own store what stands under a name of the catalogue and is something else."""
        if listed(self.store, name, entry).impostor:
            progress(
                f"{name.short()} in {self.store.root} was not the catalogue's model; it is replaced", 0, 0
            )
            with self.store.lock(SHORT):
                self.store.remove(name, self._settled())

    def _doubtful(self, text: str) -> tuple[ModelName, Store] | None:
        """Return what a model is built on, and the store inside a checkout that alone says what it is."""
        path = path_of(text)
        name, entry = self._parsed(text) if path is None else self._base_name(path)
        if name is None or entry is not None:
            return None
        holder = next((store for store in self._stores if store.has(name)), None)
        return (name, holder) if holder is not None and not holder.trusted else None

    def _confirmed(self, text: str, name: ModelName, store: Store, progress: Progress) -> ModelSpec:
        """Let a source say what a model is, since a change could have written what its store says."""
        try:
            if self._sources:
                return self.pull(text, progress)
            reason = "no source may be asked"
        except ModelError as error:
            reason = str(error)
        raise ModelNotFound(
            f"{name.short()} is in {store.root}, inside a checkout, where a change could have put it; there only "
            "models of the catalogue count, and what their source confirms. Set HUNKWISE_MODELS to a folder "
            f"outside ({reason})"
        )

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

    def _pull_base(self, path: Path, progress: Progress, *, only_if_missing: bool = False) -> None:
        """Bring what a Modelfile builds on, if that is a name. A GGUF file is here, or it is nowhere."""
        name, _ = self._base_name(path)
        if name is not None:
            bring = self.ensure if only_if_missing else self.pull
            bring(str(name), progress)

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
