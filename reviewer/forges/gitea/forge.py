"""Gitea and Forgejo as a forge: addresses and tokens. httpx is imported on opening."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from hunkwise.engine import errors
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address, https
from hunkwise.reviewer.forges.attended import Attended
from hunkwise.reviewer.forges.port import Forge, Request
from hunkwise.reviewer.publish.comment import GITEA

_PULL = re.compile(r"/(?P<project>[\w.-]+/[\w.-]+)/pulls/(?P<number>[1-9][0-9]{0,9})(?:/.*)?")


def _address(url: str, environment: Mapping[str, str]) -> Address:
    """Read `https://HOST/OWNER/NAME/pulls/NUMBER`."""
    https(url, "the pull request's address")
    parts = urlsplit(url)
    found = _PULL.fullmatch(unquote(parts.path))
    if found is None:
        raise UsageError(f"{url!r} is no pull request of Gitea; give https://HOST/OWNER/NAME/pulls/NUMBER")
    return Address(f"{parts.scheme}://{parts.netloc}/api/v1", found["project"], int(found["number"]))


def _job(environment: Mapping[str, str]) -> Address:
    raise UsageError("a job of Gitea Actions does not say which pull request it runs for; give --pr URL")


def _open(address: Address, token: str, environment: Mapping[str, str]) -> Request:
    return _attend(address, token, by_app=False)


def _attend(address: Address, token: str, by_app: bool) -> Attended:
    try:
        from hunkwise.reviewer.forges.gitea.pull import GiteaPull
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("httpx", "http") from error
    return GiteaPull(address, token)


FORGE = Forge(
    title="Gitea",
    flag="pr",
    tokens=("GITEA_TOKEN", "HUNKWISE_GITEA_TOKEN"),
    dialect=GITEA,
    job_variable="HUNKWISE_NO_JOB",  # its jobs look like GitHub's, and are taken for them
    address=_address,
    job=_job,
    open=_open,
    attend=_attend,
)
