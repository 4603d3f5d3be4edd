"""What a CI job says of itself in its variables: the change that it runs for, and whose that is.

This is the one reader of GITHUB_EVENT_PATH and of GitLab's CI_… variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hunkwise.engine import read_regular
from hunkwise.reviewer.errors import UsageError

Variables = Mapping[str, str]

_LARGEST_EVENT = 10_000_000  # bytes; GitHub's webhooks stop at 25 MB, those about pull requests far below
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # an id of one, whole
_ZEROS = "0" * 40  # `before` of a push that makes a branch


@dataclass(frozen=True, slots=True)
class Range:
    """The commits to review: what changed since `base` and `head` parted."""

    base: str
    head: str


@dataclass(frozen=True, slots=True)
class MergeJob:
    """What a job of GitLab says of its server, its project and its merge request; "" where it says nothing."""

    server: str
    project: str  # number
    merge: str  # number in the project
    certificates: str | None


def on_github(environ: Variables) -> bool:
    """Tell whether this is a job of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def github_event(environ: Variables) -> Mapping[str, Any]:
    """Read what a job of GitHub runs for. Raises UsageError."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise UsageError("GITHUB_EVENT_PATH is not set")
    try:
        event = json.loads(read_regular(path, _LARGEST_EVENT))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the event in GITHUB_EVENT_PATH can't be read: {error}") from error
    return event if isinstance(event, dict) else {}


def merge_job(environ: Variables) -> MergeJob:
    """Read what a job of GitLab runs for."""
    return MergeJob(
        environ.get("CI_SERVER_URL", ""),
        environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", ""),
        environ.get("CI_MERGE_REQUEST_IID", ""),
        environ.get("CI_SERVER_TLS_CA_FILE"),
    )


def read_range(environ: Variables) -> Range:
    """Read the commits of GitHub's event: those of a pull request, a merge group or a push.

    Raises UsageError for other events, and for commits that are none.
    """
    event = github_event(environ)
    base = (
        inside(event, "pull_request", "base", "sha")
        or inside(event, "merge_group", "base_sha")
        or event.get("before")
    )
    head = (
        inside(event, "pull_request", "head", "sha")
        or inside(event, "merge_group", "head_sha")
        or event.get("after")
    )
    if not (isinstance(base, str) and isinstance(head, str)):
        raise UsageError(
            "this event has no change to review; run the action on pull_request, merge_group or push"
        )
    if not (COMMIT.fullmatch(base) and COMMIT.fullmatch(head)):
        raise UsageError("the event names commits that are none")
    return Range(f"{head}^" if base == _ZEROS else base, head)


def read_merge_range(environ: Variables) -> Range:
    """Read the commits of a GitLab job's merge request. Raises UsageError."""
    base = environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    # the first stands only where the job checks out the merged result
    head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
    if not (COMMIT.fullmatch(base) and COMMIT.fullmatch(head)):
        raise UsageError("this job is of no merge request; run it in merge request pipelines")
    return Range(base, head)


def repository_name(environ: Variables) -> str:
    """Give the name that CI has for the repository; "" elsewhere."""
    return environ.get("GITHUB_REPOSITORY") or environ.get("CI_PROJECT_PATH") or ""


def is_foreign(environ: Variables) -> bool:
    """Tell whether the job's change is another repository's, or may be for what can be told."""
    if on_github(environ) and environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        try:
            event = github_event(environ)
        except UsageError:
            return True
        head = inside(event, "pull_request", "head", "repo", "full_name")  # a deleted fork has no repository
        return head is None or bool(head != environ.get("GITHUB_REPOSITORY"))
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")  # GitLab
    return source is not None and source != environ.get("CI_PROJECT_PATH")


def inside(value: Any, *keys: str) -> Any:
    """Give what lies in objects of JSON at these keys; None if something is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
