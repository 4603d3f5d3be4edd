"""GitHub and GitHub Enterprise Server as a forge: addresses, jobs, tokens. The SDK is imported on opening."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from hunkwise.engine import errors
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address, https
from hunkwise.reviewer.forges.attended import Attended
from hunkwise.reviewer.forges.port import Forge, Request
from hunkwise.reviewer.publish.comment import GITHUB
from hunkwise.reviewer.source.ci import github_event

_PULL = re.compile(r"/(?P<project>[\w.-]+/[\w.-]+)/pull/(?P<number>[1-9][0-9]{0,9})(?:/.*)?")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def _address(url: str, environment: Mapping[str, str]) -> Address:
    """Read `https://HOST/OWNER/NAME/pull/NUMBER`; the API is the environment's if it is the same server."""
    https(url, "the pull request's address")
    found = _PULL.fullmatch(unquote(urlsplit(url).path))
    if found is None:
        raise UsageError(f"{url!r} is no pull request; give https://HOST/OWNER/NAME/pull/NUMBER")
    api, server = environment.get("GITHUB_API_URL", ""), environment.get("GITHUB_SERVER_URL", "")
    if not api or (server and not _same_host(server, url)):
        parts = urlsplit(url)
        on_com = parts.hostname in ("github.com", "www.github.com")
        api = "https://api.github.com" if on_com else f"{parts.scheme}://{parts.netloc}/api/v3"
    return Address(https(api, "GITHUB_API_URL"), found["project"], int(found["number"]))


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).netloc.lower() == urlsplit(other).netloc.lower()


def _job(environment: Mapping[str, str]) -> Address:
    """Read which pull request a GitHub Actions job runs for, from its event's file."""
    try:
        event = github_event(environment)
    except UsageError as error:
        raise UsageError(f"{error}; give --pr URL") from error
    project = environment.get("GITHUB_REPOSITORY", "")
    if _REPOSITORY.fullmatch(project) is None:
        raise UsageError("GITHUB_REPOSITORY is not set; give --pr URL")
    api = https(environment.get("GITHUB_API_URL") or "https://api.github.com", "GITHUB_API_URL")
    issue, run = event.get("issue"), event.get("workflow_run")
    pull = issue if isinstance(issue, dict) and "pull_request" in issue else event.get("pull_request")
    if isinstance(pull, dict) and isinstance(pull.get("number"), int):
        return Address(api, project, pull["number"])
    if isinstance(run, dict):
        owner = (run.get("head_repository") or {}).get("owner", {}).get("login", "")
        return Address(api, project, None, f"{owner}:{run.get('head_branch')}", str(run.get("head_sha")))
    raise UsageError("this job runs for no pull request; give --pr URL")


def _open(address: Address, token: str, environment: Mapping[str, str]) -> Request:
    try:
        from hunkwise.reviewer.forges.github.pull import GitHubPull
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("PyGithub", "github") from error
    return GitHubPull(address, token)


def _attend(address: Address, token: str, by_app: bool) -> Attended:
    try:
        from hunkwise.reviewer.forges.github.attended import GitHubAttended
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("PyGithub", "github") from error
    return GitHubAttended(address, token, checks=by_app)


def _check_app(app: str, key: str) -> None:
    try:
        from hunkwise.reviewer.forges.github.api import app_auth
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("PyGithub", "github") from error
    app_auth(app, key)


def _app_token(api: str, app: str, key: str, installation: int, permissions: Mapping[str, str]) -> str:
    try:
        from hunkwise.reviewer.forges.github.api import installation_token
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("PyGithub", "github") from error
    return installation_token(api, app, key, installation, permissions)


FORGE = Forge(
    title="GitHub",
    flag="pr",
    tokens=("GITHUB_TOKEN", "HUNKWISE_GITHUB_TOKEN"),
    dialect=GITHUB,
    job_variable="GITHUB_ACTIONS",
    address=_address,
    job=_job,
    open=_open,
    annotates=True,
    attend=_attend,
    check_app=_check_app,
    app_token=_app_token,
    setup="On GitHub, add the action to a workflow: see docs/github.md of hunkwise.",
)
