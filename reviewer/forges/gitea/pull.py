"""A pull request on Gitea or Forgejo: what is read of it, and what is posted to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.attended import Heard, Progress, Standing
from hunkwise.reviewer.forges.closing import closes, told
from hunkwise.reviewer.forges.gitea.api import GiteaApi
from hunkwise.reviewer.forges.gitea.payload import own_comment, review_call
from hunkwise.reviewer.forges.pulls import CHECK, login, standing_of, status_state
from hunkwise.reviewer.publish.marker import is_summary, read_marker
from hunkwise.reviewer.publish.port import (
    Action,
    Call,
    ChangeRequest,
    DropDraft,
    DropSummary,
    EditComment,
    EditSummary,
    Existing,
    HideComment,
    NotAllowed,
    OwnComment,
    OwnNote,
    PostReview,
    PostSummary,
    understood,
)
from hunkwise.reviewer.types import Review


class GiteaPull:
    """One pull request. Satisfies `ChangeSource`, `ReviewSink` and `Attended`."""

    def __init__(self, address: Address, token: str, *, timeout: float = 30.0) -> None:
        self._api = GiteaApi(address.api, token, timeout=timeout)
        self._project = address.project
        self._repo = f"/repos/{quote(address.project)}"
        self._pull = f"{self._repo}/pulls/{address.number}"
        self._issue = f"{self._repo}/issues/{address.number}"
        self._login: str | None = None

    def fetch(self) -> ChangeRequest:
        """Read the pull request and its diff."""
        with understood("Gitea"):
            pull = self._api.get(self._pull)
            base = str(pull.get("merge_base") or pull["base"]["sha"])
            head = str(pull["head"]["sha"])
            diff = self._api.text(f"{self._pull}.diff").encode("utf-8", "surrogateescape")
            change = replace(parse_diff(diff), base=base, head=head)
            return ChangeRequest(str(pull["title"]), base, head, change)

    def issue(self) -> bytes:
        """Read the issue that the pull request closes."""
        with understood("Gitea"):
            number = closes(self._api.get(self._pull).get("body") or "", self._project)
            try:
                found = self._api.get(f"{self._repo}/issues/{number}") if number else {"pull_request": {}}
            except NotAllowed:
                return b""
            ours = found.get("pull_request") is None
            return told(number, found["title"], found["body"]) if ours else b""

    def existing(self) -> Existing:
        """Read our comments; marks in others' count for nothing."""
        with understood("Gitea"):
            me = self._me()
            reviews = [review for review in self._api.pages(f"{self._pull}/reviews") if login(review) == me]
            comments = [
                comment
                for review in reviews
                if review["comments_count"]
                for comment in self._api.pages(f"{self._pull}/reviews/{review['id']}/comments")
            ]
            notes = [note for note in self._api.pages(f"{self._issue}/comments") if login(note) == me]
            return Existing(
                comments=tuple(
                    own_comment(comment) for comment in comments if read_marker(comment["body"]) is not None
                ),
                summaries=tuple(
                    OwnNote(str(note["id"]), note["body"]) for note in notes if is_summary(note["body"] or "")
                ),
            )

    def calls(self, action: Action, request: ChangeRequest) -> tuple[Call, ...]:
        """Write an action as requests to the API; it can't fold comments away."""
        match action:
            case PostReview(comments):
                return (review_call(self._pull, comments, request.head),)
            case PostSummary(body):
                return (Call("POST", f"{self._issue}/comments", {"body": body}),)
            case EditSummary(note, body):
                return (self._edit(note.id, body),)
            case EditComment(comment, body):
                return (self._edit(comment.id, body),)
            case DropSummary(note):
                return (Call("DELETE", f"{self._repo}/issues/comments/{note.id}"),)
            case HideComment() | DropDraft():
                return ()

    def send(self, call: Call) -> None:
        """Send one request, once."""
        self._api.send(call)

    def standing(self) -> Standing:
        """Say how the pull request stands."""
        with understood("Gitea"):
            return standing_of(self._api.get(self._pull))

    def show(self, head: str, progress: Progress, review: Review | None = None) -> None:
        """Set the commit's status; Gitea has no checks."""
        state = status_state(progress.stage)
        body = {"state": state, "context": CHECK, "description": progress.title, "target_url": ""}
        self._api.send(Call("POST", f"{self._repo}/statuses/{head}", body))

    def may_write(self, user: str) -> bool:
        """Ask what an account may do."""
        with understood("Gitea"):
            path = f"{self._repo}/collaborators/{quote(user, safe='')}/permission"
            try:
                return self._api.get(path)["permission"] in ("owner", "admin", "write")
            except NotAllowed:
                return False

    def answer(self, heard: Heard, body: str) -> str:
        """Write an answer below the pull request: threads take none over the API."""
        with understood("Gitea"):
            return str(self._api.answer(Call("POST", f"{self._issue}/comments", {"body": body}))["id"])

    def answers(self, heard: Heard) -> Iterable[OwnNote]:
        """List our own comments below the pull request."""
        with understood("Gitea"):
            me = self._me()
            for note in self._api.pages(f"{self._issue}/comments"):
                if login(note) == me:
                    yield OwnNote(str(note["id"]), note["body"] or "")

    def resolve(self, own: OwnComment) -> None:
        """Refuse: the API has no way to it."""
        raise NotAllowed("the API of Gitea resolves no threads; press the button below it")

    def edit(self, heard: Heard, note: str, body: str) -> None:
        """Rewrite an answer."""
        self._api.send(self._edit(note, body))

    def react(self, heard: Heard) -> None:
        """Show that a comment was seen."""
        path = f"{self._repo}/issues/comments/{heard.id}/reactions"
        self._api.send(Call("POST", path, {"content": "eyes"}))

    def _edit(self, note: str, body: str) -> Call:
        return Call("PATCH", f"{self._repo}/issues/comments/{note}", {"body": body})

    def _me(self) -> str:
        if self._login is None:
            user: dict[str, Any] = self._api.get("/user")
            self._login = str(user["login"])
        return self._login
