"""The baseline: a JSON report of an earlier review, kept in the repository."""

from __future__ import annotations

from pathlib import Path

from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_files import repository_root
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.report.json import LARGEST, ReportError, load


def read_baseline(config: Config, folder: Path) -> frozenset[str]:
    """Give the fingerprints of all that the baseline found or had silenced. Raises ConfigError."""
    if config.baseline_file == "none":
        return frozenset()
    path = (repository_root(folder) or folder) / config.baseline_file
    try:
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
