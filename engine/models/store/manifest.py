"""A model's manifest: which blobs make it up. The JSON is Ollama's, and hostile until it was read here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hunkwise.engine.errors import CorruptModel

LIMIT = 4 << 20  # bytes of a manifest; Ollama's own are below 100 kB
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.ollama.image."
MODEL, ADAPTER, DRAFT = _LAYER + "model", _LAYER + "adapter", _LAYER + "draft"
TEMPLATE, SYSTEM, PARAMS = _LAYER + "template", _LAYER + "system", _LAYER + "params"
MESSAGES, LICENSE, TENSOR = _LAYER + "messages", _LAYER + "license", _LAYER + "tensor"
_SCALE = "dev.hunkwise.scale"  # annotation of an adapter layer; Ollama reads no annotations
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob: its media type, sha256 in hex, size in bytes, and for an adapter its scale."""

    media_type: str
    digest: str
    size: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model's layers in order, and the blob that describes them for Ollama."""

    layers: tuple[Layer, ...]
    config: Layer | None = None

    def of_type(self, media_type: str) -> tuple[Layer, ...]:
        """Select layers by media type."""
        return tuple(layer for layer in self.layers if layer.media_type == media_type)

    def blobs(self) -> Iterator[Layer]:
        """Walk the layers and the config."""
        yield from self.layers
        if self.config is not None:
            yield self.config


def hex_digest(text: object, where: str) -> str:
    """Return the hex part of `sha256:…`; raises CorruptModel for anything else."""
    match = _DIGEST.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise CorruptModel(f"{where}: {str(text)[:100]!r} is no sha256 digest")
    return match[1]


def read_json(data: bytes, where: str) -> object:
    """Read JSON that nobody vouches for; raises CorruptModel."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptModel(f"{where}: this is not JSON ({str(error)[:100]})") from None
    return value


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest; `where` names it in errors. Raises CorruptModel for what is not as it should be."""
    value = read_json(data, where)
    layers = value.get("layers") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(layers, list):
        raise CorruptModel(f"{where}: this is no manifest of a model (it has no list of layers)")
    config = value.get("config")
    return Manifest(
        tuple(_layer(layer, where) for layer in layers),
        None if config in (None, {}) else _layer(config, where),
    )


def _layer(value: object, where: str) -> Layer:
    if not isinstance(value, dict):
        raise CorruptModel(f"{where}: a layer is no object")
    media_type, size, notes = value.get("mediaType"), value.get("size"), value.get("annotations")
    if not isinstance(media_type, str):
        raise CorruptModel(f"{where}: a layer's mediaType is no text")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise CorruptModel(f"{where}: a layer's size is {str(size)[:40]!r}, expected a count of bytes")
    scale = notes.get(_SCALE) if isinstance(notes, dict) else None
    return Layer(media_type, hex_digest(value.get("digest"), where), size, _scale(scale, where))


def _scale(text: object, where: str) -> float:
    try:
        return 1.0 if text is None else float(str(text))
    except ValueError:
        raise CorruptModel(f"{where}: an adapter's scale is {str(text)[:40]!r}, expected a number") from None


def render_manifest(manifest: Manifest) -> bytes:
    """Write the JSON that Ollama reads."""
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _rendered(manifest.config) if manifest.config else {},
        "layers": [_rendered(layer) for layer in manifest.layers],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _rendered(layer: Layer) -> dict[str, object]:
    body: dict[str, object] = {
        "mediaType": layer.media_type,
        "digest": f"sha256:{layer.digest}",
        "size": layer.size,
    }
    return body if layer.scale == 1.0 else {**body, "annotations": {_SCALE: repr(layer.scale)}}
