"""Small files that appear whole under their name, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hunkwise.engine.errors import StoreError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of an earlier one, and its folder if need be. Raises StoreError."""
    make_folder(path.parent)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            temporary = Path(file.name)
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105
        temporary = None
        flush_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} can't be made: {error.strerror or error}") from error


def flush_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
