"""GitLab, hosted and self-hosted, as a forge: addresses, jobs, tokens. The SDK is imported on opening."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from hunkwise.engine import errors
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address, https
from hunkwise.reviewer.forges.attended import Attended
from hunkwise.reviewer.forges.port import Forge, Request
from hunkwise.reviewer.publish.comment import GITLAB
from hunkwise.reviewer.source.ci import merge_job

_MERGE = re.compile(
    r"/(?P<project>[\w.][\w.-]*(?:/[\w.][\w.-]*)+)(?:/-)?/merge_requests/(?P<number>[1-9][0-9]{0,9})(?:/.*)?"
)


def _address(url: str, environment: Mapping[str, str]) -> Address:
    """Read `https://HOST/GROUP/…/NAME/-/merge_requests/NUMBER`.

    A GitLab below a path (`https://HOST/gitlab/…`) is known by CI_SERVER_URL.
    """
    https(url, "the merge request's address")
    parts = urlsplit(url)
    server = merge_job(environment).server.rstrip("/")
    if not (server and f"{url}/".startswith(f"{server}/")):
        server = f"{parts.scheme}://{parts.netloc}"
    path = unquote(parts.path).removeprefix(urlsplit(server).path)
    found = _MERGE.fullmatch(path)
    if found is None:
        raise UsageError(f"{url!r} is no merge request; give https://HOST/GROUP/NAME/-/merge_requests/NUMBER")
    return Address(https(server, "CI_SERVER_URL"), found["project"], int(found["number"]))


def _job(environment: Mapping[str, str]) -> Address:
    """Read which merge request a GitLab CI job runs for."""
    job = merge_job(environment)
    if not (job.merge.isdecimal() and job.project and job.server):
        raise UsageError("this job runs for no merge request (CI_MERGE_REQUEST_IID); give --mr URL")
    return Address(https(job.server, "CI_SERVER_URL"), job.project, int(job.merge))


def _open(address: Address, token: str, environment: Mapping[str, str]) -> Request:
    try:
        from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("python-gitlab", "gitlab") from error
    return GitLabMerge(address, token, certificates=merge_job(environment).certificates)


def _attend(address: Address, token: str, by_app: bool) -> Attended:
    try:
        from hunkwise.reviewer.forges.gitlab.attended import GitLabAttended
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("python-gitlab", "gitlab") from error
    return GitLabAttended(address, token)


FORGE = Forge(
    title="GitLab",
    flag="mr",
    tokens=("GITLAB_TOKEN", "HUNKWISE_GITLAB_TOKEN"),
    dialect=GITLAB,
    job_variable="GITLAB_CI",
    address=_address,
    job=_job,
    open=_open,
    attend=_attend,
    setup="On GitLab, include the template in .gitlab-ci.yml: see docs/gitlab.md of hunkwise.",
)
