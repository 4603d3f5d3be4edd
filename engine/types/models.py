"""Models that are ready to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hunkwise.engine.types.asking import Role

ParameterValue = int | float | bool | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it stood when its sha256 (hex) was taken; size in bytes, times in nanoseconds."""

    path: Path
    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model ready to load: files on this disk whose digests were checked, and what its Modelfile says.

    `digest` is the sha256 of the weights in hex (of several shards: of their digests, joined in order).
    """

    name: str
    digest: str
    weights: tuple[Path, ...]
    adapters: tuple[tuple[Path, float], ...] = ()  # LoRA files with their scale
    draft: Path | None = None
    template: str | None = None  # Go template; None: the chat template in the GGUF
    system: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)  # PARAMETER lines, checked
    messages: tuple[tuple[Role, str], ...] = ()
    seals: tuple[FileStamp, ...] = field(
        default=(), compare=False
    )  # of all files; none: nobody looks for changes
