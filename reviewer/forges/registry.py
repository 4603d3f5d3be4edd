"""Opens a pull or merge request; an SDK is imported when its forge is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from hunkwise.engine import errors
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import (
    Address,
    github_address,
    github_job,
    gitlab_address,
    gitlab_job,
)
from hunkwise.reviewer.publish.comment import GITHUB, GITLAB, Dialect
from hunkwise.reviewer.publish.port import ChangeSource, ReviewSink
from hunkwise.reviewer.publish.retry import Patience, patiently
from hunkwise.reviewer.types import Change

ForgeName = Literal["github", "gitlab"]

_TOKENS: dict[ForgeName, tuple[str, str]] = {
    "github": ("HUNKWISE_GITHUB_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("HUNKWISE_GITLAB_TOKEN", "GITLAB_TOKEN"),
}


class Forge(ChangeSource, ReviewSink, Protocol):
    """A request that can be read and written to."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An opened request and the words of its forge."""

    forge: Forge
    dialect: Dialect
    address: Address


def token_for(name: ForgeName, environment: Mapping[str, str]) -> str:
    """Read the token; hunkwise's own variable comes first. Raises UsageError naming both."""
    own, usual = _TOKENS[name]
    token = (environment.get(own) or environment.get(usual) or "").strip()
    if not token:
        raise UsageError(f"no token: set {usual} (or {own}) in the environment")
    if not (token.isascii() and token.isprintable()):
        raise UsageError(
            f"the token in {usual} or {own} has characters that no token has; was it copied whole?"
        )
    return token


def open_request(name: ForgeName, url: str | None, environment: Mapping[str, str]) -> Remote:
    """Open the request at a web address, or without one the request a CI job runs for.

    Raises UsageError, ForgeError, and MissingExtra if the forge's SDK is not installed.
    """
    if name == "github":
        address = github_address(url, environment) if url else github_job(environment)
        return Remote(_github(address, token_for(name, environment)), GITHUB, address)
    address = gitlab_address(url, environment) if url else gitlab_job(environment)
    token = token_for(name, environment)
    return Remote(_gitlab(address, token, environment.get("CI_SERVER_TLS_CA_FILE")), GITLAB, address)


def requested_change(
    name: ForgeName, url: str, environment: Mapping[str, str], patience: Patience | None = None
) -> Change:
    """Read the change of a pull or merge request, with its base and head commit."""
    forge = open_request(name, url, environment).forge
    return patiently(forge.fetch, patience or Patience()).change


def _github(address: Address, token: str) -> Forge:
    try:
        from hunkwise.reviewer.forges.github.pull import GitHubPull
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("PyGithub", "github") from error
    return GitHubPull(address, token)


def _gitlab(address: Address, token: str, certificates: str | None) -> Forge:
    try:
        from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("python-gitlab", "gitlab") from error
    return GitLabMerge(address, token, certificates=certificates)
