"""Finds and reads the configuration files: the repository's, the user's, or the one that was named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hunkwise.reviewer.config.layers import Layer, build, environment_layer, file_layer, runner_layer
from hunkwise.reviewer.config.named_files import placed, read_as_of, read_regular, repository_root
from hunkwise.reviewer.config.settings import Config, settings
from hunkwise.reviewer.errors import ConfigError

REPOSITORY_FILE = ".hunkwise.toml"
PROJECT_FILE = "pyproject.toml"
LARGEST_FILE = 1_000_000  # bytes; a configuration of that size is a mistake or an attack


def load(
    *,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    folder: Path,
    file: Path | None = None,
    trusted: bool = True,
    before: str | None = None,
) -> Config:
    """Build the configuration that holds in `folder`. `flags` are checked values by name.

    `file`, or the one that HUNKWISE_CONFIG names, is read instead of the repository's. With `trusted` False
    the repository's is read as it stood at the commit `before`; where that has none, the one in the folder counts
    as written by a stranger: only what can neither loosen, flood nor slow the review is taken. Raises ConfigError.
    """
    layers = [Layer("flag", flags), environment_layer(environ)]
    if file is None and environ.get("HUNKWISE_CONFIG"):
        file = Path(environ["HUNKWISE_CONFIG"])
    if file is not None:
        layers.append(read_file(file))
    else:
        layers += _repositorys(folder) if trusted else _not_the_strangers(folder, environ, before)
    user = user_file(environ)
    if user is not None and user.is_file():
        layers.append(read_file(user))
    layers.append(runner_layer(environ))
    return build(layers)


def _repositorys(folder: Path) -> list[Layer]:
    found = _nearest(folder)
    return [_from_root(file_layer(found[1], str(found[0])), folder)] if found else []


def _not_the_strangers(folder: Path, environ: Mapping[str, str], before: str | None) -> list[Layer]:
    """Take the file of the commit `before`, or else what a stranger's may say."""
    standing = read_as_of(before, _places(folder), LARGEST_FILE, environ) if before else {}
    for path, data in standing.items():
        origin = f"{path} of {before:.12}"
        if (table := _table(path, data, origin)) is not None:
            return [_from_root(file_layer(table, origin), folder)]
    return _strangers(folder)


def _strangers(folder: Path) -> list[Layer]:
    """Read the file that the change may have brought; one that is broken says why and nothing else."""
    root = repository_root(folder) or folder.resolve()
    for path in _places(folder):
        origin = str(path.relative_to(root))
        try:
            if not _is_there(path, origin):
                continue
            if not path.resolve().is_relative_to(root):
                raise ConfigError(f"{origin}: a link that leads out of the repository")
            table = _table(path, _content(path, origin), origin)
            if table is not None:
                return [replace(file_layer(table, origin), stranger=True)]
        except ConfigError as error:
            return [Layer(origin, {}, stranger=True, broken=str(error).removeprefix(f"{origin}: "))]
    return []


def _from_root(layer: Layer, folder: Path) -> Layer:
    """Have a path to a model begin where all paths of the repository's file do.

    Raises ConfigError for a setting that a repository has no say in.
    """
    for name in layer.values:
        if settings()[name].own:
            raise ConfigError(
                f"{layer.origin}: {name} can't be set in a repository's file, for it says where code is sent; "
                f"set it in the user's file, by --{name}, or by HUNKWISE_{name.upper()}"
            )
    model = str(layer.values.get("model", ""))
    is_path = model.startswith(("./", "../")) or model.endswith(("/Modelfile", ".gguf"))
    if not is_path or model.startswith(("/", "~")):
        return layer
    return replace(layer, values={**layer.values, "model": str(placed(model, folder))})


def find(folder: Path) -> Path | None:
    """Find the nearest configuration file in `folder` or above, up to the repository's root.

    Outside a repository only `folder` itself is looked at. Raises ConfigError for one that can't be read.
    """
    found = _nearest(folder)
    return found[0] if found else None


def _nearest(folder: Path) -> tuple[Path, Mapping[str, object]] | None:
    for path in _places(folder):
        if not _is_there(path, str(path)):
            continue
        if (table := _table(path, _content(path, str(path)), str(path))) is not None:
            return path, table
    return None


def _places(folder: Path) -> list[Path]:
    """List the files that may hold the repository's configuration, in the order in which they are asked."""
    folder = folder.resolve()
    root = repository_root(folder) or folder
    places = [place for place in [folder, *folder.parents] if place.is_relative_to(root)]
    return [place / name for place in places for name in (REPOSITORY_FILE, PROJECT_FILE)]


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Name the user's file by the XDG rules; None without a home."""
    base = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    return Path(base) / "hunkwise" / "config.toml" if base else None


def read_file(path: Path) -> Layer:
    """Read and check one file; of a pyproject.toml only `[tool.hunkwise]`. Raises ConfigError."""
    return file_layer(_table(path, _content(path, str(path)), str(path)) or {}, str(path))


def _is_there(path: Path, origin: str) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a link to what can't be a name, or lies where nothing may be read
        raise ConfigError(f"{origin}: can't be read: {error.strerror}") from None


def _content(path: Path, origin: str) -> bytes:
    try:
        return read_regular(path, LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{origin}: can't be read: {error.strerror}") from None


def _table(path: Path, data: bytes, origin: str) -> Mapping[str, object] | None:
    """Read our settings from a file's bytes; None if it is a pyproject.toml that has none."""
    document = _parse(data, origin)
    if path.name != PROJECT_FILE:
        return document
    tool = document.get("tool")
    table = tool.get("hunkwise") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{origin}: tool.hunkwise must be a table")
    return table


def _parse(data: bytes, origin: str) -> dict[str, object]:
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{origin}: larger than {LARGEST_FILE:,} bytes; this is no configuration file")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))  # Windows' editors put a mark before it
    except UnicodeDecodeError as error:
        raise ConfigError(f"{origin}: not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # ValueError alone: a number of thousands of digits
        raise ConfigError(f"{origin}: not valid TOML: {error}") from None
