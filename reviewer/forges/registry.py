"""The forges by name, and the opening of a request. An SDK is imported when its forge is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from hunkwise.engine import Registry, RetryPolicy, with_retries
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.port import Flag, Forge, IssueSource, Request, Variables
from hunkwise.reviewer.publish.port import Unavailable
from hunkwise.reviewer.types import Change

FORGES: Registry[Forge] = Registry(
    "hunkwise.forges",
    "forge",
    {
        "github": "hunkwise.reviewer.forges.github.forge:FORGE",
        "gitlab": "hunkwise.reviewer.forges.gitlab.forge:FORGE",
        "gitea": "hunkwise.reviewer.forges.gitea.forge:FORGE",
    },
    fits=lambda offered: isinstance(offered, Forge),
)

_ONE_FORGE = "--pr and --to github belong together, and --mr and --to gitlab; choose one forge"


@dataclass(frozen=True, slots=True)
class Remote:
    """An opened request and its forge."""

    request: Request
    forge: Forge
    address: Address


def forge_of(flag: Flag, url: str, environment: Variables) -> str:
    """Tell the forge from the web address of a request: the first that can read it, ours before others.

    An address that none can read is taken for one of the flag's first forge, which says what is wrong with it.
    """
    fallback = ""
    for name in FORGES:
        forge = FORGES.load(name)
        if forge.flag != flag:
            continue
        try:
            forge.address(url, environment)
        except UsageError:
            fallback = fallback or name
        else:
            return name
    return fallback


def chosen_forge(name: str | None, pr: str | None, mr: str | None, environment: Variables) -> str:
    """Say which forge is meant. Raises UsageError if nothing says it, or two things disagree."""
    if name is not None and name not in FORGES:
        raise UsageError(f"unknown forge {name!r}; forges are {', '.join(FORGES)}")
    flags: set[Flag] = set()
    if pr is not None:
        flags.add("pr")
    if mr is not None:
        flags.add("mr")
    if name is not None:
        flags.add(FORGES.load(name).flag)
    if len(flags) > 1:
        raise UsageError(_ONE_FORGE)
    if name is not None:
        return name
    url = pr or mr
    for flag in flags:
        return forge_of(flag, url or "", environment)
    return _forge_of_job(environment)


def _forge_of_job(environment: Variables) -> str:
    ours = [name for name in FORGES.rows if FORGES.load(name).in_job(environment)]
    if len(ours) > 1:
        raise UsageError(_ONE_FORGE)
    here = (name for name in FORGES if FORGES.load(name).in_job(environment))
    if name := ours[0] if ours else next(here, None):
        return name
    raise UsageError("where to post is not said: give --to github, --to gitlab, --pr URL or --mr URL")


def open_request(name: str, url: str | None, environment: Variables) -> Remote:
    """Open the request at a web address, or without one the request a CI job runs for.

    Raises UsageError, ForgeError, PluginError, and MissingExtra if the forge's SDK is not installed.
    """
    forge = FORGES.load(name)
    address = forge.address(url, environment) if url else forge.job(environment)
    return Remote(forge.open(address, forge.token(environment), environment), forge, address)


def requested_change(
    name: str, url: str, environment: Variables, policy: RetryPolicy | None = None
) -> Change:
    """Read the change of a pull or merge request, with its base and head commit."""
    request = open_request(name, url, environment).request
    return with_retries(request.fetch, Unavailable, policy or RetryPolicy()).change


def requested_issue(name: str, url: str, environment: Variables, policy: RetryPolicy | None = None) -> bytes:
    """Read the issue that a pull or merge request closes, as JSON; nothing without one. Raises as above."""
    request = open_request(name, url, environment).request
    if not isinstance(request, IssueSource):
        return b""
    return with_retries(request.issue, Unavailable, policy or RetryPolicy())
