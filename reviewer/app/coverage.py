"""What the coverage reports that somebody names tell of a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.types import Change, LineCoverage


def read_coverage(reports: Sequence[Path], change: Change, environment: Environment) -> LineCoverage | None:
    """Tell which new lines of code no test runs; None where no report is named. Raises UsageError."""
    if not reports:
        return None
    from hunkwise.reviewer.linters.covered import line_coverage

    folder = environment.folder
    known, odd = line_coverage(
        change.files, [folder / report for report in reports], repository_root(folder) or folder
    )
    for sentence in odd:
        environment.say(sentence)
    return known
