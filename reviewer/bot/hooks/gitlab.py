"""Webhooks of GitLab: with a secret token, or signed as Standard Webhooks are.

https://docs.gitlab.com/user/project/integrations/webhooks/, https://www.standardwebhooks.com
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hunkwise.reviewer.bot.hooks.delivery import (
    SKIP,
    Delivery,
    Forged,
    Ignored,
    Notice,
    Payload,
    digest_name,
    is_skipped,
)
from hunkwise.reviewer.bot.port import ChangeId, Closed, Comment, Commented, Event, Pushed

TOLERANCE = 300.0  # seconds that a signed delivery may be old, or clocks may differ
_SHORTEST_KEY = 16  # bytes; Standard Webhooks wants 24
_BOT = re.compile(r"(?:project|group)_\d{1,18}_bot(?:_\w{1,80})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class GitLabHook:
    """Reads what a project's or group's webhook delivers; with both secrets either one will do."""

    token: str = field(default="", repr=False)
    signing: str = field(default="", repr=False)  # `whsec_` and a key in base64
    host: str = "https://gitlab.com"
    clock: Callable[[], float] = time.time

    def look(self, headers: Delivery) -> None:
        """Look for a signature that is not too old, else for the token."""
        if self.signing and headers.header("webhook-signature"):
            self._check_time(headers)
        elif not self.token or not _same(self.token, headers.header("x-gitlab-token")):
            raise Forged("the delivery does not hold the secret token of this webhook")

    def read(self, delivery: Delivery) -> Notice:
        """Verify and read a delivery. Raises Forged, Ignored."""
        self.look(delivery)
        if self.signing and (signature := delivery.header("webhook-signature")):
            self._check(delivery, signature)
        payload = Payload.of(delivery.body)
        named = delivery.header("webhook-id", "idempotency-key")
        name = f"gitlab:{named[:200]}" if named else digest_name("gitlab", delivery.body)
        return Notice(name, self._event(payload))

    def _check(self, delivery: Delivery, signature: str) -> None:
        name, stamp = delivery.header("webhook-id"), delivery.header("webhook-timestamp")
        signed = f"{name}.{stamp}.".encode() + delivery.body
        digest = hmac.new(signing_key(self.signing), signed, hashlib.sha256).digest()
        wanted = base64.b64encode(digest).decode()
        given = [part.removeprefix("v1,") for part in signature.split(" ")[:10] if part.startswith("v1,")]
        if True not in [_same(wanted, one) for one in given]:  # each is compared, whatever came before
            raise Forged("the delivery is not signed with the signing token of this webhook")

    def _check_time(self, headers: Delivery) -> None:
        try:
            age = abs(self.clock() - int(headers.header("webhook-timestamp")[:20]))
        except ValueError:
            raise Forged("the delivery has no time") from None
        if age > TOLERANCE:
            raise Forged("the delivery is too old; it may have been sent again by somebody else")

    def _event(self, payload: Payload) -> Event:
        if payload.true("project.archived"):
            raise Ignored("the project is archived")
        match payload.text("object_kind"):
            case "merge_request":
                return self._merge(payload)
            case "note":
                return self._note(payload)
        raise Ignored(f"nothing to do on {payload.text('object_kind')!r:.60}")

    def _change(self, payload: Payload, number: int) -> ChangeId:
        repository = payload.text("project.path_with_namespace")
        return payload.change(ChangeId("gitlab", self.host, repository, number))

    def _merge(self, payload: Payload) -> Event:
        change = self._change(payload, payload.number("object_attributes.iid"))
        action = payload.text("object_attributes.action")
        skipped = is_skipped(payload.words("labels", "title"))
        draft = payload.true("object_attributes.draft") or payload.true("object_attributes.work_in_progress")
        labelled = payload.at("changes.labels") is not None
        if action in ("close", "merge"):
            return Closed(change)
        if action == "update" and (payload.true("changes.draft.current") or (skipped and labelled)):
            return Closed(change)
        moved = payload.at("changes.target_branch") is not None
        freed = payload.at("changes.draft.current") is False or labelled
        pushed = action in ("open", "reopen") or bool(payload.text("object_attributes.oldrev"))
        if not (pushed or (action == "update" and (moved or freed))):
            raise Ignored(f"nothing to do when a merge request is told {action!r:.60}")
        if draft or skipped:
            raise Ignored("a draft" if draft else f"labelled {SKIP!r}")
        return Pushed(change, payload.head("object_attributes.last_commit.id"), again=moved)

    def _note(self, payload: Payload) -> Event:
        if payload.text("object_attributes.noteable_type") != "MergeRequest":
            raise Ignored("no comment on a merge request")
        if payload.true("object_attributes.system") or payload.text("object_attributes.action") == "update":
            raise Ignored("only new comments of people are read")
        writer, author = payload.number("object_attributes.author_id"), payload.at("merge_request.author_id")
        name = payload.text("user.username")
        comment = Comment(
            id=payload.number("object_attributes.id"),
            author=name,
            body=payload.comment("object_attributes.note"),
            trusted=False,  # GitLab does not say; the worker asks
            by_bot=_BOT.fullmatch(name) is not None,
            path=payload.text("object_attributes.position.new_path"),
            line=payload.number("object_attributes.position.new_line"),
            thread=payload.text("object_attributes.discussion_id"),
        )
        change = self._change(payload, payload.number("merge_request.iid"))
        head = payload.text("merge_request.last_commit.id")
        return Commented(change, comment, name if writer and writer == author else "", head)


def signing_key(token: str) -> bytes:
    """Read the key of a signing token. Raises ValueError; a key that can be guessed is none."""
    key = base64.b64decode(token.removeprefix("whsec_"), validate=True)
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"its key has {len(key)} bytes, and {_SHORTEST_KEY} are the least")
    return key


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
