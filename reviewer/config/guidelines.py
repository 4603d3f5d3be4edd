"""The project's own guidelines: a file of the repository that the model is shown where it words a remark."""

from __future__ import annotations

from pathlib import Path

from hunkwise.reviewer.config.named_files import placed, read_as_of, read_regular, repository_root, text_of
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.source.ci import Variables

USUAL_FILE = Path(".hunkwise") / "guidelines.md"
LARGEST_FILE = 64_000  # bytes; more would leave a small model no room for the code


def read_guidelines(config: Config, folder: Path, environ: Variables, before: str | None = None) -> str:
    """Read the file that `guidelines` names; "" if it names none. Raises ConfigError.

    A file named by the repository's own configuration must lie in the repository, links followed. With the
    commit `before`, one inside the repository is read as it stood there.
    """
    if config.guidelines == "none":
        return ""
    usual = config.guidelines == "auto"
    path = placed(USUAL_FILE if usual else config.guidelines, folder)
    root = repository_root(folder) or folder.resolve()
    own_choice = config.origin("guidelines") in ("flag", "environment")
    if before is not None and path.is_relative_to(root):
        data = read_as_of(before, [path], LARGEST_FILE + 1, environ).get(path)
        if data is None and not usual:
            raise ConfigError(f"{path}: the guidelines are not in {before:.12}")
        return text_of(path, data or b"", LARGEST_FILE, "guidelines", "; shorten them")
    if usual and not path.is_file():
        return ""
    if not own_choice and not path.resolve().is_relative_to(root):
        raise ConfigError(f"{path}: guidelines must be a file inside the repository")
    try:
        return text_of(
            path, read_regular(path, LARGEST_FILE + 1), LARGEST_FILE, "guidelines", "; shorten them"
        )
    except OSError as error:
        raise ConfigError(f"{path}: the guidelines can't be read: {error.strerror}") from None
