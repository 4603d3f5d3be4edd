"""Webhooks of GitHub and GitHub Enterprise Server.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hunkwise.reviewer.bot.hooks.delivery import (
    SKIP,
    Delivery,
    Ignored,
    Notice,
    Payload,
    check_signature,
    digest_name,
    is_skipped,
    look_at_signature,
)
from hunkwise.reviewer.bot.port import ChangeId, Closed, Comment, Commented, Event, Pushed
from hunkwise.reviewer.forges.pulls import CHECK, MADE_BY

_NEW_HEAD = ("opened", "reopened", "synchronize", "synchronized", "ready_for_review")
_NOT_NOW = ("closed", "converted_to_draft")


def pull_event(payload: Payload, change: ChangeId) -> Event:
    """Read what happened to a pull request. Raises Ignored."""
    action, draft = payload.text("action"), payload.true("pull_request.draft")
    if action in _NOT_NOW:
        return Closed(change)
    skipped = is_skipped(payload.words("pull_request.labels", "name"))
    if action in ("labeled", "label_updated", "label_cleared") and skipped:
        return Closed(change)
    freed = action == "unlabeled" and is_skipped(frozenset({payload.text("label.name")}))
    moved = action == "edited" and payload.at("changes.base") is not None
    if not (action in _NEW_HEAD or freed or moved or action in ("label_updated", "label_cleared")):
        raise Ignored(f"nothing to do when a pull request is {action!r:.60}")
    if draft or skipped:
        raise Ignored("a draft" if draft else f"labelled {SKIP!r}")
    return Pushed(change, payload.head("pull_request.head.sha"), again=moved)


@dataclass(frozen=True, slots=True)
class GitHubHook:
    """Reads what an App or a repository's webhook delivers. `host` is where the forge is on the web."""

    secret: str = field(repr=False)
    host: str = "https://github.com"

    def look(self, headers: Delivery) -> None:
        """Look for a signature."""
        look_at_signature(_signature(headers))

    def read(self, delivery: Delivery) -> Notice:
        """Verify and read a delivery. Raises Forged, Ignored."""
        check_signature(self.secret, _signature(delivery), delivery.body)
        payload = Payload.of(delivery.body)
        event = self._event(delivery.header("x-github-event"), payload)
        return Notice(digest_name("github", delivery.body), event)

    def _event(self, kind: str, payload: Payload) -> Event:
        if payload.true("repository.archived"):
            raise Ignored("the repository is archived")
        match kind:
            case "pull_request":
                return pull_event(payload, self._change(payload, payload.number("pull_request.number")))
            case "issue_comment":
                return self._comment(payload, payload.number("issue.number"))
            case "pull_request_review_comment":
                return self._comment(payload, payload.number("pull_request.number"))
            case "check_run":
                return self._again(payload)
            case "check_suite":
                return self._all_again(payload)
        raise Ignored(f"nothing to do on {kind!r:.60}")

    def _change(self, payload: Payload, number: int) -> ChangeId:
        repository = payload.text("repository.full_name")
        change = ChangeId("github", self.host, repository, number, payload.number("installation.id"))
        return payload.change(change)

    def _comment(self, payload: Payload, number: int) -> Event:
        if payload.text("action") != "created":
            raise Ignored("only new comments are read")
        on_pull = payload.at("pull_request") or payload.at("issue.pull_request")
        if on_pull is None:
            raise Ignored("a comment on an issue")
        by_bot = payload.text("sender.type") == "Bot" or payload.text("comment.user.type") == "Bot"
        comment = Comment(
            id=payload.number("comment.id"),
            author=payload.text("comment.user.login"),
            body=payload.comment("comment.body"),
            trusted=False,  # members of an organisation may be readers alone; the worker asks
            by_bot=by_bot,
            reply_to=payload.number("comment.in_reply_to_id") or None,
            path=payload.text("comment.path"),
            line=payload.number("comment.line"),
        )
        author = payload.text("issue.user.login") or payload.text("pull_request.user.login")
        head = payload.text("pull_request.head.sha")
        return Commented(self._change(payload, number), comment, author, head)

    def _again(self, payload: Payload) -> Event:
        """Read that somebody pressed the button to run our check again; of forks GitHub names no pull request."""
        ours = payload.text("check_run.name") == CHECK and payload.text("action") == "rerequested"
        made_by, _, number = payload.text("check_run.external_id").partition("/")
        if not ours or made_by != MADE_BY or not number.isdecimal():
            raise Ignored("no check of ours is to be run again")
        return Pushed(self._change(payload, int(number[:15])), payload.head("check_run.head_sha"), again=True)

    def _all_again(self, payload: Payload) -> Event:
        """Read that somebody pressed the button to run all checks again."""
        pulls = payload.at("check_suite.pull_requests")
        if payload.text("action") != "rerequested" or not isinstance(pulls, list) or not pulls:
            raise Ignored("no checks are to be run again for a pull request of this repository")
        number = Payload(pulls[0]).number("number")
        return Pushed(self._change(payload, number), payload.head("check_suite.head_sha"), again=True)


def _signature(delivery: Delivery) -> str:
    method, _, given = delivery.header("x-hub-signature-256").partition("=")
    return given if method == "sha256" else ""
