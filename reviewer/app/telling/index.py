"""Indexing a repository or a folder of documents, and opening what was indexed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.app.cache import place_from_environment
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge.listing import Root, root_of
from hunkwise.reviewer.knowledge.port import Coverage
from hunkwise.reviewer.knowledge.store.database import discard, only_writer, size_of
from hunkwise.reviewer.knowledge.store.index import Index
from hunkwise.reviewer.knowledge.update import Done, Tell, update


@dataclass(frozen=True, slots=True)
class Held:
    """What an index holds: the folder that it is of, its file and that file's bytes, and whether it is whole."""

    top: Path
    file: Path
    coverage: Coverage
    bytes: int
    complete: bool


def index(paths: Sequence[Path], environment: Environment, tell: Tell = lambda *_: None) -> tuple[Held, Done]:
    """Index the files below some paths; without any, those that were indexed before, or all of the repository.

    Raises KnowledgeError, and UsageError for a path that is not there.
    """
    root, scope = _scoped([environment.folder / path for path in paths], environment)
    file = index_file(root.top, environment)
    if not paths:
        scope = _last_scope(root, file)
    if not scope and root.repo is None and root.top in (Path("/"), _home(environment)):
        raise UsageError(f"{root.top} is no repository, but all that you have; name the folders to index")
    done = update(root, file, scope, say=environment.say, tell=tell)
    return _held(root, file), done


def held(paths: Sequence[Path], environment: Environment) -> Held:
    """Say what the index of some paths holds; without any, that of the current folder. Raises KnowledgeError."""
    return _held(*_found(_folder(paths, environment), environment))


def open_index(folder: Path, environment: Environment) -> Index:
    """Open the index of the repository, or of the nearest folder above, that holds a folder.

    Raises KnowledgeError where nothing of it is indexed.
    """
    root, file = _found(folder, environment)
    return Index(file, str(root.top))


def refresh_index(folder: Path, environment: Environment, tell: Tell = lambda *_: None) -> Done:
    """Bring an index that is there up to date with its files. Raises KnowledgeError."""
    root, file = _found(folder, environment)
    return update(root, file, _last_scope(root, file), say=environment.say, tell=tell)


def drop_index(paths: Sequence[Path], environment: Environment) -> Path | None:
    """Forget the index of some paths, or of the current folder; gives its file, None where there was none."""
    _, file = _found(_folder(paths, environment), environment)
    if not file.exists():
        return None
    with only_writer(file, environment.say):
        discard(file)
    return file


def index_file(top: Path, environment: Environment) -> Path:
    """Name the file in which the index of a folder lies: in the user's cache, never in the repository.

    Raises KnowledgeError where the cache came with a repository.
    """
    place = place_from_environment(environment.variables)
    if place.foreign:
        raise KnowledgeError(
            f"the cache folder {place.folder} is part of a repository; set HUNKWISE_CACHE to another one"
        )
    name = hashlib.sha256(str(top).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return place.folder.absolute() / "index" / f"{name}.sqlite3"


def _home(environment: Environment) -> Path | None:
    home = environment.variables.get("HOME")
    return Path(home).resolve() if home else None


def _held(root: Root, file: Path) -> Held:
    with closing(Index(file, str(root.top))) as opened:
        return Held(root.top, file, opened.coverage(), size_of(file), opened.about().get("complete") == "yes")


def _folder(paths: Sequence[Path], environment: Environment) -> Path:
    return (
        _scoped([environment.folder / path for path in paths], environment)[0].top
        if paths
        else environment.folder
    )


def _found(folder: Path, environment: Environment) -> tuple[Root, Path]:
    """Find the root and the index that a folder belongs to; where nothing is indexed, where it would be."""
    root = root_of(folder, environment.variables)
    file = index_file(root.top, environment)
    if root.repo is None:
        for place in root.top.parents:
            if file.exists():
                break
            above = index_file(place, environment)
            if above.exists():
                return Root(place), above
    return root, file


def _scoped(paths: Sequence[Path], environment: Environment) -> tuple[Root, tuple[str, ...]]:
    """Find the root that holds all paths, and the paths below it; the current folder's, if it holds them."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    real = [path.resolve() for path in paths]
    root = root_of(environment.folder, environment.variables)
    if not all(path.is_relative_to(root.top) for path in real):
        first = real[0] if real[0].is_dir() else real[0].parent
        root = root_of(first, environment.variables)
    for path in real:
        if not path.is_relative_to(root.top):
            raise UsageError(f"{path}: is outside {root.top}; index folders that are apart one by one")
    scope = {path.relative_to(root.top).as_posix() for path in real}
    return root, () if "." in scope else tuple(sorted(scope))


def _last_scope(root: Root, file: Path) -> tuple[str, ...]:
    """Give the paths that an index is of; none, which is all, where that is not known."""
    if not file.exists():
        return ()
    with suppress(KnowledgeError), closing(Index(file, str(root.top))) as opened:
        return tuple(json.loads(opened.about().get("scope", "[]")))
    return ()
