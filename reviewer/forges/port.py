"""What a forge is: how its requests are named, opened and written to. One value for each forge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.publish.comment import Dialect
from hunkwise.reviewer.publish.port import ChangeSource, ReviewSink
from hunkwise.reviewer.types import Review

if TYPE_CHECKING:
    from hunkwise.reviewer.forges.attended import Attended

Flag = Literal["pr", "mr"]
Variables = Mapping[str, str]


class Request(ChangeSource, ReviewSink, Protocol):
    """A pull or merge request that can be read and written to."""


@runtime_checkable
class CheckSink(Protocol):
    """What a request has beside, where its forge shows a check run at a commit."""

    def check(self, review: Review, summary: str) -> bool:
        """Send what comes next of the review's check run; False if it is complete. Raises as `send` does."""
        ...


@runtime_checkable
class IssueSource(Protocol):
    """What a request has beside, where its forge has issues."""

    def issue(self) -> bytes:
        """Read the issue of the same repository that the request says it closes, as JSON; nothing without one.

        What the public may not see is not read. Raises ForgeError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Forge:
    """One forge.

    `flag` is the option that takes the web address of a request: --pr or --mr. `tokens` are the variables that
    hold a token: the usual one, and others that come before it. `job_variable` is "true" in the forge's own
    jobs. `address` reads a web address, `job` the request that a job runs for; both raise UsageError, and
    `address` does so for what is another forge's. `open` raises MissingExtra without the forge's SDK.

    `annotates`: its jobs show workflow commands beside the code, where a token may not post. `setup` says how
    a project begins; "" if there is nothing to say.

    `attend` opens a request for a bot, with a token and whether it is an App's. `app_token` asks an API for a
    token of an App, by its number and key, an installation of it, and the permissions; `check_app` checks the
    number and key, and asks nobody. All raise as `open` does, and ForgeError.
    """

    title: str
    flag: Flag
    tokens: tuple[str, ...]
    dialect: Dialect
    job_variable: str
    address: Callable[[str, Variables], Address]
    job: Callable[[Variables], Address]
    open: Callable[[Address, str, Variables], Request]
    annotates: bool = False
    setup: str = ""
    attend: Callable[[Address, str, bool], Attended] | None = None
    check_app: Callable[[str, str], None] | None = None
    app_token: Callable[[str, str, str, int, Mapping[str, str]], str] | None = None

    def in_job(self, environment: Variables) -> bool:
        """Tell whether this is a job of the forge."""
        return environment.get(self.job_variable) == "true"

    def token(self, environment: Variables) -> str:
        """Read the token. Raises UsageError naming the variables."""
        usual, *own = self.tokens
        token = next(filter(None, (environment.get(name) for name in (*own, usual))), "").strip()
        if not token:
            others = f" (or {', '.join(own)})" if own else ""
            raise UsageError(f"no token: set {usual}{others} in the environment")
        if not (token.isascii() and token.isprintable()):
            names = " or ".join(self.tokens)
            raise UsageError(f"the token in {names} has characters that no token has; was it copied whole?")
        return token
