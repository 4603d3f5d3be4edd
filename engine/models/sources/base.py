"""The port that every carrier of model bytes satisfies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from hunkwise.engine.models.catalog import CatalogEntry
from hunkwise.engine.models.names import ModelName
from hunkwise.engine.models.sources.partial import Told
from hunkwise.engine.models.store.manifest import MODEL, Layer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for: a name, and the catalogue's word on it if it has one."""

    name: ModelName
    entry: CatalogEntry | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One blob that a source can bring. `place` is the source's own: an address, a path, a distribution."""

    layer: Layer
    place: str

    @classmethod
    def weights(cls, sha256: str, size: int, place: str) -> Item:
        """The one GGUF file of a model: its sha256 in hex, and its bytes."""
        return cls(Layer(MODEL, sha256, size), place)


@dataclass(frozen=True, slots=True)
class Offer:
    """All that makes up a model. `config` is None where the source has no such blob."""

    items: tuple[Item, ...]
    config: Item | None = None


@runtime_checkable
class Shelf(Protocol):
    """A source that publishes a model in several quantizations and can list them."""

    def published(self, wanted: Wanted) -> dict[str, tuple[str, int]]:
        """Map each quantization to the name that pulls it and its bytes; empty: not this source's business."""
        ...


class ModelSource(Protocol):
    """A carrier of models. Raises ModelNotFound, DownloadFailed, CorruptModel; StoreError for our disk."""

    @property
    def label(self) -> str:
        """Name the source for people."""
        ...

    def offer(self, wanted: Wanted) -> Offer | None:
        """Say what the model is made of; None if such names are not this source's business."""
        ...

    def fetch(self, item: Item, target: Path, told: Told) -> None:
        """Bring one blob, checked, to `target`: a temporary name that may hold its beginning already."""
        ...
