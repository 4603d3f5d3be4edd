"""A project's own rules: `.hunkwise/rules/*.yml`. They are data, matched by the same process as ours."""

from __future__ import annotations

import os
from pathlib import Path

from hunkwise.reviewer.config.named_files import listed_as_of, placed, read_as_of, read_regular, text_of
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.source.ci import Variables

FOLDER = Path(".hunkwise") / "rules"
LARGEST_FILE = 100_000  # bytes
MOST_FILES = 200


def read_own_rules(
    folder: Path, environ: Variables, before: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Read the files of a project's own rules: name and text of each, in the order of their names.

    With the commit `before` they are read as they stood there. Raises ConfigError, and GitError.
    """
    place = placed(FOLDER, folder)
    if before is not None:
        paths = listed_as_of(before, place, environ)
    else:
        paths = sorted(path for path in place.glob("*") if path.is_file()) if place.is_dir() else []
    paths = [path for path in paths if path.suffix in (".yml", ".yaml")]
    if len(paths) > MOST_FILES:
        raise ConfigError(f"{place}: more than {MOST_FILES} rules; turn some into one")
    if before is not None:
        read = read_as_of(before, paths, LARGEST_FILE + 1, environ) if paths else {}
    else:
        read = {path: _contents(path) for path in paths}
    return tuple(
        (os.path.relpath(path, place.parent.parent), text_of(path, data, LARGEST_FILE, "a rule"))
        for path, data in read.items()
    )


def _contents(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: the rule can't be read: {error.strerror}") from None
