"""What is told of the models on this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from hunkwise.engine.errors import ModelError, StoreError
from hunkwise.engine.models import image
from hunkwise.engine.models.catalog import CatalogEntry
from hunkwise.engine.models.modelfile.parameters import takes_effect
from hunkwise.engine.models.names import ModelName
from hunkwise.engine.models.store.manifest import MODEL, Manifest, render_manifest
from hunkwise.engine.models.store.store import Store
from hunkwise.engine.types import ModelSpec


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that is on this machine. `size` is in bytes; `problem` says why it can't be used.

    An `impostor` stands under a name of the catalogue and is something else. `manifest` is the sha256 of what the
    store has of it, `modified` when that was written, in seconds since 1970.
    """

    name: str
    digest: str
    size: int
    store: Path
    problem: str = ""
    impostor: bool = False
    manifest: str = ""
    modified: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A model that is on this machine. `size` is in bytes; `store` is None where plain files are used.

    `context` is in tokens, as the model was trained for.
    """

    spec: ModelSpec
    size: int
    store: Path | None
    architecture: str
    quantization: str
    context: int
    licenses: tuple[str, ...]  # names from the catalogue and the file, texts from the Modelfile

    @property
    def without_effect(self) -> tuple[str, ...]:
        """The parameters that change nothing in a review."""
        return tuple(name for name, value in self.spec.parameters.items() if not takes_effect(name, value))


def listed(store: Store, name: ModelName, entry: CatalogEntry | None = None) -> Listed:
    """Describe a model of a store, by its manifest alone; what is wrong with it is its `problem`.

    `entry` is what the catalogue has under that name.
    """
    impostor = entry is not None and store.has(name)
    found = Listed(name.short(), "", 0, store.root, impostor=impostor)
    try:
        manifest = store.manifest(name) or Manifest(())
        impostor = impostor and entry is not None and manifest.layers != (entry.weights,)
        size = sum(layer.size for layer in manifest.layers)
        weights = manifest.of_type(MODEL)
        found = replace(
            found,
            digest=image.digest_of(weights) if weights else "",
            size=size,
            impostor=impostor,
            manifest=hashlib.sha256(render_manifest(manifest)).hexdigest(),
            modified=store.modified(name),
        )
        image.from_manifest(manifest, store.blob)
    except (ModelError, StoreError) as error:
        return replace(found, problem=str(error))
    if entry is not None and impostor:
        return replace(found, problem=f"the name means the catalogue's {entry.sha256[:12]}; this is not used")
    return found
