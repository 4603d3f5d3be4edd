"""A delivery of a webhook: its headers and the bytes of its body, and what reads one."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hunkwise.reviewer.bot.port import ChangeId, Event
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.source.ci import COMMIT

LARGEST = 25 << 20  # bytes of a body: GitHub sends none that is larger
SKIP = "hunkwise: skip"  # the label of a change that is not to be reviewed
_REPOSITORY = re.compile(r"(?!\.)[\w.-]+(?:/(?!\.\.?(?:/|$))[\w.-]+){1,20}", re.ASCII)
_HMAC = re.compile(r"[0-9a-fA-F]{64}")
_LONGEST_NAME = 1_000  # characters of a repository's, with its groups
_LONGEST_COMMENT = 64_000  # characters


class Forged(ReviewError):
    """A delivery is not signed as one of ours; nothing of it was read."""


class Ignored(ReviewError):
    """A delivery is genuine, and nothing has to be done about it; the message says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came. Names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def header(self, *names: str) -> str:
        """Give the first of these headers that is there, "" if none is."""
        return next((self.headers[name] for name in names if self.headers.get(name)), "")


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery's name, by which it is known when it comes again, and what it tells."""

    name: str
    event: Event


class Hook(Protocol):
    """What reads the deliveries of one forge."""

    def look(self, headers: Delivery) -> None:
        """Look at what came before a body. Raises Forged where no body can be signed by it."""
        ...

    def read(self, delivery: Delivery) -> Notice:
        """Verify and read a delivery. Raises Forged, Ignored."""
        ...


def look_at_signature(given: str) -> None:
    """Raise Forged for what is no HMAC-SHA256 in hex."""
    if not _HMAC.fullmatch(given):
        raise Forged("the delivery is not signed; set a secret for the webhook")


def check_signature(secret: str, given: str, body: bytes) -> None:
    """Compare an HMAC-SHA256 in hex, in the same time for all. Raises Forged."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise Forged("the delivery is not signed with the secret of this webhook")


def digest_name(forge: str, body: bytes) -> str:
    """Name a delivery by what was signed: its number stands in a header, which anybody may change."""
    return f"{forge}:{hashlib.sha256(body).hexdigest()}"


class Payload:
    """A JSON object of a forge, read by paths such as `pull_request.head.sha`; what is not there is "" or 0."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def of(cls, body: bytes) -> Payload:
        """Read a body that was verified. Raises Ignored."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Ignored("the body is no JSON object; set the webhook's content type to application/json")
        return cls(value)

    def at(self, path: str) -> Any:
        """Give what stands at a path, None if there is nothing."""
        value = self._value
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def text(self, path: str) -> str:
        """Read a text, without halves of characters."""
        value = self.at(path)
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""

    def number(self, path: str) -> int:
        """Read a number."""
        value = self.at(path)
        return value if type(value) is int and 0 < value < 2**53 else 0

    def true(self, path: str) -> bool:
        """Tell whether it says so."""
        return self.at(path) is True

    def words(self, path: str, name: str) -> frozenset[str]:
        """Read one field of each object in a list."""
        value = self.at(path)
        items = value if isinstance(value, list) else []
        return frozenset(item[name] for item in items if isinstance(item, dict) and _is_text(item.get(name)))

    def change(self, named: ChangeId) -> ChangeId:
        """Check what a delivery calls a change. Raises Ignored."""
        name = named.repository
        if not named.number or len(name) > _LONGEST_NAME or _REPOSITORY.fullmatch(name) is None:
            raise Ignored("the delivery names no change")
        return named

    def head(self, path: str) -> str:
        """Read a commit. Raises Ignored."""
        head = self.text(path)
        if COMMIT.fullmatch(head) is None:
            raise Ignored("the delivery names no commit")
        return head

    def comment(self, path: str) -> str:
        """Read the text of a comment, without what no command is as long as."""
        return self.text(path)[:_LONGEST_COMMENT]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def is_skipped(labels: frozenset[str]) -> bool:
    """Tell whether a label says that a change is not to be reviewed."""
    return any(" ".join(label.lower().split()) == SKIP for label in labels)
