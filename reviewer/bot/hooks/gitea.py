"""Webhooks of Gitea and Forgejo, in GitHub's form with some words of their own.

https://docs.gitea.com/usage/webhooks, https://forgejo.org/docs/latest/user/webhooks/
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hunkwise.reviewer.bot.hooks.delivery import (
    Delivery,
    Ignored,
    Notice,
    Payload,
    check_signature,
    digest_name,
    look_at_signature,
)
from hunkwise.reviewer.bot.hooks.github import pull_event
from hunkwise.reviewer.bot.port import ChangeId, Comment, Commented, Event

_ON_PULLS = ("pull_request", "pull_request_sync", "pull_request_label")
_SIGNED = ("x-gitea-signature", "x-forgejo-signature")
_COMMENTS = ("issue_comment", "pull_request_comment")


@dataclass(frozen=True, slots=True)
class GiteaHook:
    """Reads what a repository's or organisation's webhook delivers. `host` is where the forge is on the web."""

    secret: str = field(repr=False)
    host: str

    def look(self, headers: Delivery) -> None:
        """Look for a signature."""
        look_at_signature(headers.header(*_SIGNED))

    def read(self, delivery: Delivery) -> Notice:
        """Verify and read a delivery. Raises Forged, Ignored."""
        check_signature(self.secret, delivery.header(*_SIGNED), delivery.body)
        payload = Payload.of(delivery.body)
        kind = delivery.header("x-gitea-event", "x-forgejo-event", "x-github-event")
        return Notice(digest_name("gitea", delivery.body), self._event(kind, payload))

    def _event(self, kind: str, payload: Payload) -> Event:
        if payload.true("repository.archived"):
            raise Ignored("the repository is archived")
        if kind in _ON_PULLS:
            return pull_event(payload, self._change(payload, payload.number("pull_request.number")))
        if kind in _COMMENTS and payload.true("is_pull"):
            return self._comment(payload)
        raise Ignored(f"nothing to do on {kind!r:.60}")

    def _change(self, payload: Payload, number: int) -> ChangeId:
        return payload.change(ChangeId("gitea", self.host, payload.text("repository.full_name"), number))

    def _comment(self, payload: Payload) -> Event:
        if payload.text("action") != "created":
            raise Ignored("only new comments are read")
        writer = payload.text("comment.user.login")
        comment = Comment(
            id=payload.number("comment.id"),
            author=writer,
            body=payload.comment("comment.body"),
            # what the sender may do; who is asked later answers administrators of the repository alone
            trusted=payload.true("repository.permissions.push") and payload.text("sender.login") == writer,
        )
        author = payload.text("issue.user.login") or payload.text("pull_request.user.login")
        return Commented(self._change(payload, payload.number("issue.number")), comment, author)
