"""Files that a setting or a command names: where their paths begin, how they are read, and what is no file.

A path that a setting holds, and one of a file that several commands share, begins at the repository's root,
whatever the current folder is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hunkwise.engine import HANDED_ON, read_regular
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.source.git import repository, run

__all__ = ["is_file", "listed_as_of", "placed", "read_as_of", "read_regular", "repository_root", "text_of"]


def repository_root(folder: Path) -> Path | None:
    """Find the root of the repository that holds `folder`; None outside a repository."""
    folder = folder.resolve()
    return next((place for place in [folder, *folder.parents] if (place / ".git").exists()), None)


def placed(name: str | Path, folder: Path) -> Path:
    """Give the file that `name` means in a repository that holds `folder`. No link is followed."""
    root = repository_root(folder) or folder.resolve()
    return Path(os.path.normpath(root / name))


def is_file(path: Path) -> bool:
    """Tell what can be read to its end, or written: no folder, no pipe but one that the shell handed on."""
    return path.is_file() or str(path).startswith(HANDED_ON)


def read_as_of(
    commit: str, paths: Sequence[Path], most: int, environ: Mapping[str, str]
) -> dict[Path, bytes]:
    """Read files of one repository as a commit has them, with at most `most` bytes; without those it has not.

    Links are followed inside the commit. Raises GitError.
    """
    repo = repository(next(place for place in paths[0].parents if place.is_dir()), environ)
    root = repo.top or repo.git_dir
    found: dict[Path, bytes] = {}
    for path in paths:
        if not path.is_relative_to(root) or "\n" in str(path):  # the protocol of --batch is a line each
            continue
        name = os.fsencode(f"{commit}:{path.relative_to(root).as_posix()}\n")
        told = run(repo, "cat-file", "--batch-check", "--follow-symlinks", data=name).split()
        if len(told) == 3 and told[1] == b"blob" and int(told[2]) <= most:
            found[path] = run(repo, "cat-file", "blob", told[0].decode())
    return found


def text_of(path: Path, data: bytes, most: int, what: str, advice: str = "") -> str:
    """Give the text of a file that was read, with at most `most` bytes and in UTF-8. Raises ConfigError."""
    if len(data) > most:
        raise ConfigError(f"{path}: {what} of more than {most:,} bytes{advice}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {what} must be UTF-8; byte {error.start} is not") from None


def listed_as_of(commit: str, folder: Path, environ: Mapping[str, str]) -> list[Path]:
    """List the files right in a folder as a commit has them, in order. Raises GitError."""
    repo = repository(next(place for place in folder.parents if place.is_dir()), environ)
    root = repo.top or repo.git_dir
    if not folder.is_relative_to(root):
        return []
    inside = folder.relative_to(root).as_posix()
    names = run(repo, "ls-tree", "-z", "--name-only", "--full-tree", commit, "--", f"{inside}/")
    return [root / os.fsdecode(name) for name in names.split(b"\0") if name]
