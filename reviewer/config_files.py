"""Finds and reads the configuration files: the repository's, the user's, or the one that was named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_layers import Layer, build, environment_layer, file_layer, runner_layer
from hunkwise.reviewer.errors import ConfigError

REPOSITORY_FILE = ".hunkwise.toml"
LARGEST_FILE = 1_000_000  # bytes; a configuration of that size is a mistake or an attack


def load(
    *,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    folder: Path,
    file: Path | None = None,
    trusted: bool = True,
) -> Config:
    """Build the configuration that holds in `folder`. `flags` are checked values by name.

    `file`, or the one that HUNKWISE_CONFIG names, is read instead of the repository's. With `trusted` False
    the repository's file counts as written by a stranger: only what can't name models or loosen the review is
    taken. Raises ConfigError.
    """
    layers = [Layer("flag", flags), environment_layer(environ)]
    if file is None and environ.get("HUNKWISE_CONFIG"):
        file = Path(environ["HUNKWISE_CONFIG"])
    if file is not None:
        layers.append(read_file(file))
    elif (found := find(folder)) is not None:
        layers.append(read_file(found, stranger=not trusted))
    user = user_file(environ)
    if user is not None and user.is_file():
        layers.append(read_file(user))
    layers.append(runner_layer(environ))
    return build(layers)


def find(folder: Path) -> Path | None:
    """Find the nearest configuration file in `folder` or above, up to the repository's root.

    Outside a repository only `folder` itself is looked at.
    """
    folder = folder.resolve()
    root = repository_root(folder) or folder
    for place in [folder, *folder.parents]:
        if not place.is_relative_to(root):
            break
        own, project = place / REPOSITORY_FILE, place / "pyproject.toml"
        if own.is_file():
            return own
        if project.is_file() and _our_table(_parse(project), project) is not None:
            return project
    return None


def repository_root(folder: Path) -> Path | None:
    """Find the root of the repository that holds `folder`; None outside a repository."""
    folder = folder.resolve()
    return next((place for place in [folder, *folder.parents] if (place / ".git").exists()), None)


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Name the user's file by the XDG rules; None without a home."""
    base = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    return Path(base) / "hunkwise" / "config.toml" if base else None


def read_file(path: Path, *, stranger: bool = False) -> Layer:
    """Read and check one file; of a pyproject.toml only `[tool.hunkwise]`. Raises ConfigError."""
    table: Mapping[str, object] | None = _parse(path)
    if path.name == "pyproject.toml":
        table = _our_table(_parse(path), path) or {}
    return file_layer(table or {}, str(path), stranger=stranger)


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{path}: larger than {LARGEST_FILE:,} bytes; this is no configuration file")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # ValueError alone: a number of thousands of digits
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _our_table(document: Mapping[str, object], path: Path) -> Mapping[str, object] | None:
    tool = document.get("tool")
    table = tool.get("hunkwise") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.hunkwise must be a table")
    return table
