"""Which pull or merge request is meant: from a web address, or from what a CI job says about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hunkwise.reviewer.errors import UsageError

_GITHUB_PULL = re.compile(r"/(?P<project>[\w.-]+/[\w.-]+)/pull/(?P<number>[1-9][0-9]{0,9})(?:/.*)?")
_GITLAB_MERGE = re.compile(
    r"/(?P<project>[\w.][\w.-]*(?:/[\w.][\w.-]*)+)(?:/-)?/merge_requests/(?P<number>[1-9][0-9]{0,9})(?:/.*)?"
)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_LARGEST_EVENT = 10_000_000  # bytes; GitHub's webhooks stop at 25 MB, those about pull requests far below


@dataclass(frozen=True, slots=True)
class Address:
    """A pull or merge request. `api` is the base address of the forge's API as its SDK wants it.

    `project` is owner/name on GitHub, on GitLab a full path or the project's number. `number` is None where
    only `branch` (owner:name) and `head` (a commit) are known, as in GitHub's workflow_run.
    """

    api: str
    project: str
    number: int | None
    branch: str = ""
    head: str = ""


def _https(url: str, what: str) -> str:
    """Check an address that will be sent a token: https, or plain http to this machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.hostname is None or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError(f"{what} {url!r} is no https address; a token is not sent anywhere else")
    if parts.username or parts.password:
        raise UsageError(f"{what} holds a user name or password; put the token into the environment")
    return url.rstrip("/")


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).netloc.lower() == urlsplit(other).netloc.lower()


def github_address(url: str, environment: Mapping[str, str]) -> Address:
    """Read `https://HOST/OWNER/NAME/pull/NUMBER`; the API is the environment's if it is the same server."""
    _https(url, "the pull request's address")
    found = _GITHUB_PULL.fullmatch(unquote(urlsplit(url).path))
    if found is None:
        raise UsageError(f"{url!r} is no pull request; give https://HOST/OWNER/NAME/pull/NUMBER")
    api, server = environment.get("GITHUB_API_URL", ""), environment.get("GITHUB_SERVER_URL", "")
    if not api or (server and not _same_host(server, url)):
        parts = urlsplit(url)
        on_com = parts.hostname in ("github.com", "www.github.com")
        api = "https://api.github.com" if on_com else f"{parts.scheme}://{parts.netloc}/api/v3"
    return Address(_https(api, "GITHUB_API_URL"), found["project"], int(found["number"]))


def github_job(environment: Mapping[str, str]) -> Address:
    """Read which pull request a GitHub Actions job runs for, from its event's file."""
    event = _event(environment)
    project = environment.get("GITHUB_REPOSITORY", "")
    if _REPOSITORY.fullmatch(project) is None:
        raise UsageError("GITHUB_REPOSITORY is not set; give --pr URL")
    api = _https(environment.get("GITHUB_API_URL") or "https://api.github.com", "GITHUB_API_URL")
    issue, run = event.get("issue"), event.get("workflow_run")
    pull = issue if isinstance(issue, dict) and "pull_request" in issue else event.get("pull_request")
    if isinstance(pull, dict) and isinstance(pull.get("number"), int):
        return Address(api, project, pull["number"])
    if isinstance(run, dict):
        owner = (run.get("head_repository") or {}).get("owner", {}).get("login", "")
        return Address(api, project, None, f"{owner}:{run.get('head_branch')}", str(run.get("head_sha")))
    raise UsageError("this job runs for no pull request; give --pr URL")


def _event(environment: Mapping[str, str]) -> dict[str, Any]:
    path = environment.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise UsageError("no --pr URL is given and GITHUB_EVENT_PATH is not set")
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError) as error:
        raise UsageError(f"the event in GITHUB_EVENT_PATH can't be read: {error}; give --pr URL") from error
    return event if isinstance(event, dict) else {}


def gitlab_address(url: str, environment: Mapping[str, str]) -> Address:
    """Read `https://HOST/GROUP/…/NAME/-/merge_requests/NUMBER`.

    A GitLab below a path (`https://HOST/gitlab/…`) is known by CI_SERVER_URL.
    """
    _https(url, "the merge request's address")
    parts = urlsplit(url)
    server = environment.get("CI_SERVER_URL", "").rstrip("/")
    if not (server and f"{url}/".startswith(f"{server}/")):
        server = f"{parts.scheme}://{parts.netloc}"
    path = unquote(parts.path).removeprefix(urlsplit(server).path)
    found = _GITLAB_MERGE.fullmatch(path)
    if found is None:
        raise UsageError(f"{url!r} is no merge request; give https://HOST/GROUP/NAME/-/merge_requests/NUMBER")
    return Address(_https(server, "CI_SERVER_URL"), found["project"], int(found["number"]))


def gitlab_job(environment: Mapping[str, str]) -> Address:
    """Read which merge request a GitLab CI job runs for."""
    number = environment.get("CI_MERGE_REQUEST_IID", "")
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    server = environment.get("CI_SERVER_URL", "")
    if not (number.isdecimal() and project and server):
        raise UsageError("this job runs for no merge request (CI_MERGE_REQUEST_IID); give --mr URL")
    return Address(_https(server, "CI_SERVER_URL"), project, int(number))
