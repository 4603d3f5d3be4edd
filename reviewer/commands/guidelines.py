"""The project's own guidelines: a file of the repository that is shown to the model with every hunk."""

from __future__ import annotations

from pathlib import Path

from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_files import repository_root
from hunkwise.reviewer.errors import ConfigError

USUAL_FILE = Path(".hunkwise") / "guidelines.md"
LARGEST_FILE = 64_000  # bytes; more would leave a small model no room for the code


def read_guidelines(config: Config, folder: Path) -> str:
    """Read the file that `guidelines` names; "" if it names none. Raises ConfigError.

    A file named by the repository's own configuration must lie in the repository, links followed.
    """
    if config.guidelines == "none":
        return ""
    root = repository_root(folder) or folder.resolve()
    if config.guidelines == "auto":
        path = root / USUAL_FILE
        if not path.is_file():
            return ""
    else:
        path = root / config.guidelines
    own_choice = config.origin("guidelines") in ("flag", "environment")
    if not own_choice and not path.resolve().is_relative_to(root):
        raise ConfigError(f"{path}: guidelines must be a file inside the repository")
    return _read(path)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: the guidelines can't be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{path}: guidelines of more than {LARGEST_FILE:,} bytes; shorten them")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: guidelines must be UTF-8; byte {error.start} is not") from None
