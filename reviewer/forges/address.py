"""Which pull or merge request is meant, and what may be sent a token."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hunkwise.reviewer.errors import UsageError


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


def https(url: str, what: str) -> str:
    """Check an address that will be sent a token: https, or plain http to this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{what} {url!r} is no address: {error}") from None
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.hostname is None or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError(f"{what} {url!r} is no https address; a token is not sent anywhere else")
    if parts.username or parts.password:
        raise UsageError(f"{what} holds a user name or password; put the token into the environment")
    if parts.query or parts.fragment:
        raise UsageError(f"{what} {url!r} has a ? or a #; give the address of the forge alone")
    return url.rstrip("/")
