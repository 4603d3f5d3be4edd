"""What makes up a model, wherever it came from: a store, plain GGUF files, a Modelfile over either."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hunkwise.engine.errors import CorruptModel, ModelNotFound, StoreError
from hunkwise.engine.models.gguf.reader import read_header
from hunkwise.engine.models.modelfile.modelfile import Command, Modelfile
from hunkwise.engine.models.store import manifest as m
from hunkwise.engine.models.store.manifest import Layer, Manifest
from hunkwise.engine.models.texts import read_messages, read_parameters, read_text
from hunkwise.engine.types import ModelSpec, ParameterValue, Role

_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE | re.ASCII)
Hash = Callable[[Path], str]  # gives the sha256 of a file in hex


@dataclass(frozen=True, slots=True)
class Placed:
    """A layer and the file that holds its bytes."""

    layer: Layer
    path: Path


@dataclass(frozen=True, slots=True)
class Image:
    """All parts of a model. `weights` holds one file, or its shards in order."""

    weights: tuple[Placed, ...]
    adapters: tuple[Placed, ...] = ()
    draft: Placed | None = None
    template: str | None = None
    system: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    messages: tuple[tuple[Role, str], ...] = ()
    licenses: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of the weights in hex; of several shards, that of their digests joined in order."""
        return digest_of(tuple(placed.layer for placed in self.weights))

    def files(self) -> tuple[Placed, ...]:
        """List weights, adapters and draft."""
        return self.weights + self.adapters + ((self.draft,) if self.draft else ())

    def spec(self, name: str) -> ModelSpec:
        """Say what the runtime needs to load it."""
        return ModelSpec(
            name,
            self.digest,
            tuple(placed.path for placed in self.weights),
            tuple((placed.path, placed.layer.scale) for placed in self.adapters),
            self.draft.path if self.draft else None,
            self.template,
            self.system,
            self.parameters,
            self.messages,
        )


def digest_of(weights: tuple[Layer, ...]) -> str:
    """Return the sha256 of the weights in hex; of several shards, that of their digests joined in order."""
    digests = [layer.digest for layer in weights]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def from_manifest(manifest: Manifest, locate: Callable[[Layer], Path]) -> Image:
    """Read a model out of a store. `locate` finds a blob, or raises. Raises CorruptModel, ModelNotFound."""
    if manifest.of_type(m.TENSOR) or not manifest.of_type(m.MODEL):
        raise ModelNotFound("this model holds no GGUF weights; only GGUF models can be run")

    def placed(media_type: str) -> tuple[Placed, ...]:
        found = tuple(Placed(layer, locate(layer)) for layer in manifest.of_type(media_type))
        for part in found:
            check_magic(part.path)
        return found

    def texts(media_type: str) -> tuple[str, ...]:
        return tuple(read_text(layer, locate(layer)) for layer in manifest.of_type(media_type))

    return Image(
        placed(m.MODEL),
        placed(m.ADAPTER),
        next(iter(placed(m.DRAFT)), None),
        next(iter(texts(m.TEMPLATE)), None),
        next(iter(texts(m.SYSTEM)), None),
        {name: value for text in texts(m.PARAMS) for name, value in read_parameters(text).items()},
        tuple(message for text in texts(m.MESSAGES) for message in read_messages(text)),
        texts(m.LICENSE),
    )


def from_files(paths: tuple[Path, ...], hashed: Hash) -> Image:
    """Take GGUF files as they lie. One shard of several stands for all of them."""
    if len(paths) == 1:
        paths = with_shards(paths[0])
    return Image(tuple(_place(path, m.MODEL, hashed) for path in paths))


def with_modelfile(base: Image, modelfile: Modelfile, folder: Path, hashed: Hash) -> Image:
    """Lay a Modelfile over what its FROM names; paths are relative to `folder`. Raises ModelfileError."""
    changed = replace(
        base,
        parameters={**base.parameters, **modelfile.parameters()},
        messages=modelfile.messages or base.messages,
        licenses=modelfile.licenses or base.licenses,
    )
    if modelfile.template is not None:
        changed = replace(changed, template=modelfile.template)
    if modelfile.system is not None:
        changed = replace(changed, system=modelfile.system)
    if modelfile.adapters:
        adapters = (
            _place(_needed("ADAPTER", path, modelfile, folder), m.ADAPTER, hashed, scale)
            for path, scale in modelfile.adapters
        )
        changed = replace(changed, adapters=tuple(adapters))
    if modelfile.draft is not None:
        path = _needed("DRAFT", modelfile.draft, modelfile, folder)
        changed = replace(changed, draft=_place(path, m.DRAFT, hashed))
    return changed


def base_files(modelfile: Modelfile, folder: Path, known: Callable[[str], bool]) -> tuple[Path, ...]:
    """Resolve the FROM lines that are files; empty if FROM is a model's name. Raises ModelfileError.

    `known` says of a value that it is a name, whatever files there are.
    """
    found = [(command, _from(command.value, folder, known)) for command in modelfile.all("FROM")]
    paths = tuple(_exists(path, modelfile, command) for command, path in found if path is not None)
    names = [command for command, path in found if path is None]
    if names and len(found) > 1:
        raise modelfile.wrong(
            names[-1], f"several FROM lines must all be files, and {names[-1].value!r} is none"
        )
    return paths


def path_in(value: str, folder: Path) -> Path | None:
    """Resolve what FROM, or a command line, may mean as a file; None where it can only be a name."""
    if "\0" in value:
        return None
    try:
        path = folder / Path(value).expanduser()
    except RuntimeError:  # ~user of nobody
        return None
    written = value.startswith(("/", "./", "../", "~")) or value.lower().endswith(".gguf")
    return path if written else None


def _from(value: str, folder: Path, known: Callable[[str], bool]) -> Path | None:
    """Resolve FROM: what is there as a file is meant as a file, whatever it is called (Ollama's rule)."""
    path = path_in(value, folder)
    if path is not None or known(value):
        return path
    return folder / value if _is_file(folder / value) else None


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - pathlib's raises for a name that is too long


def check_magic(path: Path) -> None:
    """Raise CorruptModel for a file that does not begin as a GGUF file does."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror or error}") from error
    if magic != b"GGUF":
        raise CorruptModel(f"{path} is no GGUF file (it begins with {magic!r})")


def with_shards(path: Path) -> tuple[Path, ...]:
    """List all shards of the set that a file belongs to by its name; the file alone if it is no shard."""
    match = _SHARD.search(path.name)
    if match is None or match.end() != len(path.name):
        return (path,)
    count = int(match[2])
    if not 1 <= int(match[1]) <= count:
        raise ModelNotFound(f"{path} names a shard that its own count does not hold")
    stem = path.name[: match.start()]
    shards = tuple(path.with_name(f"{stem}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1))
    for shard in shards:
        if not _is_file(shard):
            raise ModelNotFound(f"{shard} is missing; {path.name} is one of {count} shards")
    return shards


def _place(path: Path, media_type: str, hashed: Hash, scale: float = 1.0) -> Placed:
    if not _is_file(path):
        raise ModelNotFound(f"{path} does not exist, or is no file")
    check_magic(path)
    return Placed(Layer(media_type, hashed(path), path.stat().st_size, scale), path)


def _needed(name: str, value: str, modelfile: Modelfile, folder: Path) -> Path:
    *_, command = modelfile.all(name)  # the last one counts
    return _exists(path_in(value, folder) or folder / value, modelfile, command)


def _exists(path: Path, modelfile: Modelfile, command: Command) -> Path:
    if os.path.isdir(path):  # noqa: PTH112 - pathlib's raises for a name that is too long
        raise modelfile.wrong(command, f"{path} is a folder; name the GGUF file in it")
    if not _is_file(path):
        raise modelfile.wrong(command, f"{path} does not exist")
    return path


def text_layers(image: Image, add: Callable[[str, bytes], Layer]) -> tuple[Layer, ...]:
    """Write the parts of a model that are text; `add` stores a blob of a media type."""
    layers = []
    for media_type, text in ((m.TEMPLATE, image.template), (m.SYSTEM, image.system)):
        if text is not None:
            layers.append(add(media_type, text.encode()))
    if image.parameters:
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in image.parameters.items()}
        layers.append(add(m.PARAMS, json.dumps(values).encode()))
    if image.messages:
        values_ = [{"role": role, "content": content} for role, content in image.messages]
        layers.append(add(m.MESSAGES, json.dumps(values_).encode()))
    layers += [add(m.LICENSE, text.encode()) for text in image.licenses]
    return tuple(layers)


def describe(weights: Path, layers: tuple[Layer, ...]) -> bytes:
    """Write the config blob from which Ollama lists a model. Raises CorruptModel for a wrong GGUF header."""
    header = read_header(weights)
    family, size = header.architecture, header.metadata.get("general.size_label", "")
    config = {
        "model_format": "gguf",
        "model_family": family,
        "model_families": [family],
        "model_type": size if isinstance(size, str) else "",
        "file_type": header.quantization,
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
    }
    return json.dumps(config).encode()
