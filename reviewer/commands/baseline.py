"""The baseline: a JSON report of an earlier review, kept in the repository."""

from __future__ import annotations

import os
from pathlib import Path

from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_files import repository_root
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.forges.git import blobs, repository
from hunkwise.reviewer.report.json import LARGEST, ReportError, load


def read_baseline(config: Config, folder: Path, before: str | None = None) -> frozenset[str]:
    """Give the fingerprints of all that the baseline found or had silenced. Raises ConfigError.

    With the commit `before`, a baseline inside the repository is read as it stood there: who wrote the change
    could have written into it what the review would say.
    """
    if config.baseline_file == "none":
        return frozenset()
    root = repository_root(folder) or folder
    path = Path(os.path.normpath(root / config.baseline_file))  # a link may be the change's own
    try:
        if before is not None and path.is_relative_to(root):
            review = load(_as_of(before, path.relative_to(root), folder))
        else:
            with path.open("rb") as file:
                review = load(file.read(LARGEST + 1))
    except OSError as error:
        raise ConfigError(
            f"{path}: the baseline can't be read: {error.strerror}; write one with: "
            f"review --baseline-file none --format json -o {config.baseline_file}"
        ) from None
    except ReportError as error:
        raise ConfigError(f"{path}: the baseline can't be used: {error}") from None
    silenced = (rejected.finding for rejected in review.rejected if rejected.silenced is not None)
    return frozenset(finding.fingerprint for finding in (*review.findings, *silenced))


def _as_of(commit: str, path: Path, folder: Path) -> bytes:
    name = f"{commit}:{path.as_posix()}"
    found = blobs(repository(folder), [name], LARGEST, LARGEST)
    if name not in found:
        raise ConfigError(
            f"{path}: the baseline is not in {commit[:12]}; with --untrusted it is read from the commit of --from"
        )
    return found[name]
