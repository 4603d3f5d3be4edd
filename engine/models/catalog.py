"""The catalogue: names of known models, the digest of their weights, and who carries those bytes.

A name of the catalogue means the catalogue's digest and nothing else, however it is spelled: `known_as`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hunkwise.engine.models.modelfile import modelfile
from hunkwise.engine.models.names import DEFAULT_NAMESPACE, DEFAULT_TAG, ModelName, parse_name
from hunkwise.engine.models.store.manifest import MODEL, Layer


@dataclass(frozen=True, slots=True)
class HuggingFaceFile:
    """One file of a repository on a Hugging Face hub."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True)
class WheelParts:
    """Weights cut into `parts` pieces of `part_bytes` bytes (the last one shorter), each in its own wheel.

    `distribution` and `member` (a shell pattern of the path inside the wheel) take the 1-based number `n` of
    the piece as `{n}` or `{n:02d}`.
    """

    distribution: str
    version: str
    member: str
    parts: int
    part_bytes: int


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A known model. `bytes` and `sha256` (hex) are those of its one GGUF file."""

    name: str
    about: str
    bytes: int
    sha256: str
    licence: str
    huggingface: HuggingFaceFile | None = None
    wheels: WheelParts | None = None
    quantization: str = ""

    @property
    def weights(self) -> Layer:
        """The one layer that the model is made of."""
        return Layer(MODEL, self.sha256, self.bytes)


Catalog = Mapping[ModelName, CatalogEntry]


def known_as(catalog: Catalog, name: ModelName) -> tuple[ModelName, CatalogEntry | None]:
    """Return the name as the catalogue spells it, with its entry; the name as it is where it is not known."""
    for known, entry in catalog.items():
        if known.folded == name.folded:
            return known, entry
    return name, None


def shadowed_by(catalog: Catalog, name: ModelName) -> ModelName | None:
    """Return the catalogue's name that people would read a name as: the same one, whatever its host.

    A name without a tag is read as any model of that family.
    """
    _, namespace, model, tag = name.folded
    for known in catalog:
        if (namespace, model) == (DEFAULT_NAMESPACE, known.folded[2]) and tag in (
            known.folded[3],
            DEFAULT_TAG,
        ):
            return known
    return None


def parse_catalog(text: str) -> dict[ModelName, CatalogEntry]:
    """Read the TOML of a catalogue, keyed by the model's name."""
    entries = {}
    for table in tomllib.loads(text)["model"]:
        hub, wheels = table.pop("huggingface", None), table.pop("wheels", None)
        entry = CatalogEntry(
            **table,
            huggingface=HuggingFaceFile(**hub) if hub else None,
            wheels=WheelParts(**wheels) if wheels else None,
        )
        entries[parse_name(entry.name)] = entry
    return entries


def shipped_catalog() -> dict[ModelName, CatalogEntry]:
    """Read the catalogue that ships with hunkwise."""
    return parse_catalog(files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8"))


@cache
def shipped_modelfile() -> modelfile.Modelfile:
    """Read the Modelfile of the default reviewer: the repository's `Modelfile`, which the wheel carries."""
    text = files(__package__).joinpath("Modelfile").read_text(encoding="utf-8")
    return modelfile.parse(text, "Modelfile")


def default_model() -> str:
    """Name the model that reviews when nobody names one."""
    return shipped_modelfile().base
