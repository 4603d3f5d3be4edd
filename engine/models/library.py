"""`Library`: the models of this machine, and the sources that bring those that are not here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, InvalidName, ModelError, ModelNotFound, StoreError
from hunkwise.engine.models import image
from hunkwise.engine.models.catalog import Catalog, CatalogEntry, known_as, shadowed_by
from hunkwise.engine.models.local import SHORT, LocalModels, tell
from hunkwise.engine.models.names import ModelName, parse_name
from hunkwise.engine.models.pull import Progress, pull, quiet
from hunkwise.engine.models.reference import path_of, read_modelfile
from hunkwise.engine.models.sources.base import ModelSource, Shelf, Wanted
from hunkwise.engine.models.sources.file import copy_file
from hunkwise.engine.models.store.listing import listed
from hunkwise.engine.models.store.manifest import CONFIG_TYPE, Manifest
from hunkwise.engine.models.store.store import Store
from hunkwise.engine.types import ModelSpec

LONG = 3600.0  # seconds to wait for another process while it pulls


class Library(LocalModels):
    """The models of this machine, and sources to pull others from.

    Nothing can be created under a name of the catalogue. Where `offline` is true no source is asked.
    """

    def __init__(
        self,
        store: Store,
        read_only_stores: Sequence[Store] = (),
        sources: Sequence[ModelSource] = (),
        *,
        offline: bool = False,
        catalog: Catalog | None = None,
    ) -> None:
        super().__init__(store, read_only_stores, catalog=catalog)
        self.offline = offline
        self._sources = tuple(sources)

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
        told = partial(tell, progress, f"copying {placed.path.name}", placed.layer.size)
        copy_file(placed.path, placed.layer, target, told)
        self.store.adopt(placed.layer, target)
