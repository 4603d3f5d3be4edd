"""One review in a process of its own, which holds no token and may be stopped at any time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hunkwise.reviewer.app.jobs.child import for_review, review_command, supervise
from hunkwise.reviewer.app.post import read_findings
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.source.git import asks, repository
from hunkwise.reviewer.types import Review

_TIME = 3600.0  # seconds that one review may take


def without_secrets(environ: Mapping[str, str], repository_folder: Path) -> dict[str, str]:
    """Give a child its environment: no token, nothing above its folder, and a cache as jobs of forks have it.

    So what is kept of one repository is seen by reviews of no other, and none of it by those whom nobody doubts.
    """
    folder, variables = repository_folder, for_review(environ)
    name = asks(repository(folder, environ), "config", "remote.origin.url") or str(folder)
    kept_apart = {"CI_PROJECT_PATH": name, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": ""}
    return {**variables, **kept_apart, "GIT_CEILING_DIRECTORIES": str(folder.parent)}


class NotReviewed(ReviewError):
    """The review ended without a report; the message says how."""


class Reviewer(Protocol):
    """What makes a review of a change that was fetched."""

    def __call__(self, folder: Path, commits: Range, wanted: Callable[[], bool], *options: str) -> Review:
        """Review, as long as it is wanted; `options` are more flags of `review`. Raises NotReviewed."""
        ...


@dataclass(frozen=True, slots=True)
class ChildReviewer:
    """Runs `hunkwise review --untrusted`; `options` are more of its flags, such as --engine."""

    environ: Mapping[str, str]
    options: Sequence[str] = ()
    seconds: float = _TIME

    def __call__(self, folder: Path, commits: Range, wanted: Callable[[], bool], *options: str) -> Review:
        """Review a change."""
        report = folder / ".git" / "review.json"
        source = [f"--from={commits.base}", f"--to={commits.head}", "--untrusted", f"--output=json={report}"]
        environ = without_secrets(self.environ, folder)
        command = review_command([*source, *self.options, *options])
        ending = supervise(command, self.seconds, environ=environ, folder=folder, wanted=wanted)
        if ending.code not in (0, 1, 3) or not report.is_file():
            raise NotReviewed(f"the review ended with {ending}")
        return read_findings(os.fspath(report))
