"""A review as a check run of a commit, with its remarks as annotations, on any lines of any file.

A check run takes 50 annotations a request and never gives one back. So the next request is found from how many
the run has; a poster that was killed goes on where it stopped. The run's `external_id` names the annotations:
another review of the same commit gets a run of its own.

https://docs.github.com/en/rest/checks/runs; a token of a GitHub App is needed, such as a job's GITHUB_TOKEN.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from hunkwise.reviewer.forges.pulls import CHECK
from hunkwise.reviewer.publish.comment import GITHUB, cut
from hunkwise.reviewer.publish.port import Call
from hunkwise.reviewer.report.remark import LEVELS
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Finding, Review

MOST = 50  # annotations in a request
_LONGEST_TITLE = 255
_LONGEST_MESSAGE = 16_000  # characters; the limit is 64 KB
_LEVELS = {"error": "failure", "warning": "warning", "note": "notice"}


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run that is there already."""

    id: int
    annotations: int
    completed: bool


def _annotation(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "start_line": finding.start_line,
        "end_line": finding.end_line,
        "annotation_level": _LEVELS[LEVELS[finding.severity]],
        "title": visible_line(f"{finding.severity}: {finding.title}")[:_LONGEST_TITLE],
        "message": visible(finding.message)[:_LONGEST_MESSAGE] or "no message",
    }


def external_id(review: Review) -> str:
    """Name the annotations of a review, in 32 hex digits."""
    text = json.dumps([_annotation(finding) for finding in review.findings])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def next_call(repo: str, review: Review, summary: str, there: CheckRun | None) -> Call | None:
    """Write the request that comes next, None if the check run is complete. `repo` is the repository's path.

    The conclusion is "success" only if everything was reviewed and nothing found; a remark is "neutral", since
    whether it blocks is said by the exit code of `review`.
    """
    if there is not None and there.completed:
        return None
    done = there.annotations if there is not None else 0
    batch = [_annotation(finding) for finding in review.findings[done : done + MOST]]
    last = done + len(batch) >= len(review.findings)
    green = review.complete and not review.findings
    output = {
        "title": f"{len(review.findings)} remarks" + ("" if review.complete else ", review incomplete"),
        "summary": cut(summary, GITHUB.limit),
        "annotations": batch,
    }
    state = {"status": "completed", "conclusion": "success" if green else "neutral"}
    body = {"output": output, **(state if last else {"status": "in_progress"})}
    if there is not None:
        return Call("PATCH", f"{repo}/check-runs/{there.id}", body)
    named = {"name": CHECK, "head_sha": review.head, "external_id": external_id(review)}
    return Call("POST", f"{repo}/check-runs", {**named, **body})
