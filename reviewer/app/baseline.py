"""The findings that are known already, read for a review."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from hunkwise.reviewer.config.named_files import placed, read_as_of, read_regular, repository_root
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.findings.baseline import known, parse
from hunkwise.reviewer.findings.suppressions import Known
from hunkwise.reviewer.report.interchange.json import LARGEST, ReportError
from hunkwise.reviewer.source.ci import Variables


def today() -> date:
    """Give the day that decides what still holds, the same everywhere on earth."""
    return datetime.now(UTC).date()


def read_baseline(
    config: Config, folder: Path, environ: Variables, before: str | None = None
) -> dict[str, Known]:
    """Give all that the baseline knows, by fingerprint. Raises ConfigError.

    With the commit `before`, a baseline inside the repository is read as it stood there: who wrote the change
    could have written into it what the review would say.
    """
    if config.baseline_file == "none":
        return {}
    path = placed(config.baseline_file, folder)  # a link may be the change's own
    root = repository_root(folder) or folder.resolve()
    try:
        if before is None or not path.is_relative_to(root):
            return known(parse(read_regular(path, LARGEST + 1)))
        found = read_as_of(before, [path], LARGEST + 1, environ)
        if path not in found:
            raise ConfigError(
                f"{path}: the baseline is not in {before:.12}, the commit of --from; "
                "with --untrusted it is read from there"
            )
        return known(parse(found[path]))
    except OSError as error:
        raise ConfigError(
            f"{path}: the baseline can't be read: {error.strerror}; write one with: "
            f"hunkwise baseline FINDINGS.json --file {config.baseline_file}"
        ) from None
    except ReportError as error:
        raise ConfigError(f"{path}: the baseline can't be used: {error}") from None
