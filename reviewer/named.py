"""Files that a setting or a command names: where their paths begin, how they are read, and what is no file.

A path that a setting holds, and one of a file that several commands share, begins at the repository's root,
whatever the current folder is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from hunkwise.reviewer.forges.git import repository, run

# A pipe that the shell opened for us ends; one that lies in a folder may have nobody who writes into it
_HANDED_ON = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def repository_root(folder: Path) -> Path | None:
    """Find the root of the repository that holds `folder`; None outside a repository."""
    folder = folder.resolve()
    return next((place for place in [folder, *folder.parents] if (place / ".git").exists()), None)


def placed(name: str | Path, folder: Path) -> Path:
    """Give the file that `name` means in a repository that holds `folder`. No link is followed."""
    root = repository_root(folder) or folder.resolve()
    return Path(os.path.normpath(root / name))


def read_regular(path: str | Path, most: int) -> bytes:
    """Read at most `most` bytes of a file.

    Raises OSError, for a device too, and for a pipe without end: it could hold up the reader for ever.
    """
    handed_on = str(path).startswith(_HANDED_ON)
    flags = os.O_RDONLY | os.O_CLOEXEC | (0 if handed_on else os.O_NONBLOCK)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor
        if not handed_on and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, and no file", str(path))
        return file.read(most)


def read_as_of(commit: str, paths: Sequence[Path], most: int) -> dict[Path, bytes]:
    """Read files of one repository as a commit has them, with at most `most` bytes; without those it has not.

    Links are followed inside the commit. Raises GitError.
    """
    repo = repository(next(place for place in paths[0].parents if place.is_dir()))
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
