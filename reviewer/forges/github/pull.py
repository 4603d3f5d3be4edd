"""A pull request on GitHub or GitHub Enterprise Server: what is read of it, and what is posted to it.

Facts: https://docs.github.com/en/rest/pulls/reviews, …/rest/pulls/comments, …/rest/issues/comments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.closing import closes, told
from hunkwise.reviewer.forges.github.api import GRAPHQL, MOST_PAGES, PAGE, GitHubApi
from hunkwise.reviewer.forges.github.check_run import CheckRun, external_id, next_call
from hunkwise.reviewer.forges.github.payload import own_comment, piece, review_calls
from hunkwise.reviewer.forges.patch import patch_text
from hunkwise.reviewer.forges.pulls import CHECK, login
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
    OwnNote,
    PostReview,
    PostSummary,
    StaleHead,
    understood,
)
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Review

_DIFF = "application/vnd.github.v3.diff"
_BOT = "github-actions[bot]"
_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved resolvedBy { login } comments(first: 1) { nodes { databaseId isMinimized } } }
      }
    }
  }
}
"""
_MINIMIZE = """
mutation($input: MinimizeCommentInput!) {
  minimizeComment(input: $input) { minimizedComment { isMinimized } }
}
"""


class GitHubPull:
    """One pull request. Satisfies `ChangeSource` and `ReviewSink`."""

    def __init__(self, address: Address, token: str, *, timeout: int = 30) -> None:
        """`timeout` is in seconds, for one answer."""
        self._api = GitHubApi(address.api, token, timeout=timeout)
        self._repo = f"/repos/{address.project}"
        self._owner, _, self._name = address.project.partition("/")
        self._address = address
        self._found = address.number
        self._login: str | None = None

    def fetch(self) -> ChangeRequest:
        """Read the pull request and its diff."""
        with understood("GitHub"):
            pull = self._api.get(self._pull)
            base, head = pull["base"]["sha"], pull["head"]["sha"]
            change = replace(parse_diff(self._diff()), base=base, head=head)
            return ChangeRequest(pull["title"], base, head, change)

    def issue(self) -> bytes:
        """Read the issue that the pull request closes."""
        with understood("GitHub"):
            pull = self._api.get(self._pull)
            number = closes(pull["body"] or "", self._address.project)
            try:
                found = self._api.get(f"{self._repo}/issues/{number}") if number else {"pull_request": {}}
            except NotAllowed:
                return b""
            return b"" if "pull_request" in found else told(number, found["title"], found["body"])

    def existing(self) -> Existing:
        """Read our comments, and how their threads stand; marks in others' comments count for nothing."""
        with understood("GitHub"):
            me = self._me()
            listed = list(self._api.pages(f"{self._pull}/comments"))
            threads = self._threads()
            notes = [note for note in self._api.pages(f"{self._issue}/comments") if login(note) == me]
            return Existing(
                comments=tuple(
                    own_comment(comment, listed, threads.get(comment["id"], {}), me)
                    for comment in listed
                    if login(comment) == me and read_marker(comment["body"]) is not None
                ),
                summaries=tuple(
                    OwnNote(str(note["id"]), note["body"]) for note in notes if is_summary(note["body"] or "")
                ),
            )

    def calls(self, action: Action, request: ChangeRequest) -> tuple[Call, ...]:
        """Write an action as requests to the REST API, or to GraphQL where REST has none."""
        match action:
            case PostReview(comments):
                return review_calls(self._pull, comments, request.head)
            case PostSummary(body):
                return (Call("POST", f"{self._issue}/comments", {"body": body}),)
            case EditSummary(note, body):
                return (Call("PATCH", f"{self._repo}/issues/comments/{note.id}", {"body": body}),)
            case EditComment(comment, body):
                return (Call("PATCH", f"{self._repo}/pulls/comments/{comment.id}", {"body": body}),)
            case HideComment(comment):
                wish = {"input": {"subjectId": comment.thread, "classifier": "OUTDATED"}}
                return (Call("POST", GRAPHQL, {"query": _MINIMIZE, "variables": wish}),)
            case DropSummary(note):
                return (Call("DELETE", f"{self._repo}/issues/comments/{note.id}"),)
            case DropDraft():
                return ()

    def send(self, call: Call) -> None:
        """Send one request, once."""
        self._api.send(call)

    def check(self, review: Review, summary: str) -> bool:
        """Send what comes next of the review's check run; False if it is complete. Raises as `send` does."""
        with understood("GitHub"):
            call = next_call(self._repo, review, summary, self._check_run(review))
        if call is not None:
            self.send(call)
        return call is not None

    def _check_run(self, review: Review) -> CheckRun | None:
        where = urlencode({"check_name": CHECK, "filter": "all", "per_page": PAGE})
        listed = self._api.get(f"{self._repo}/commits/{review.head}/check-runs?{where}")["check_runs"]
        for run in listed:
            if run["external_id"] == external_id(review):
                return CheckRun(run["id"], run["output"]["annotations_count"], run["status"] == "completed")
        return None

    @property
    def _number(self) -> int:
        if self._found is None:
            self._found = self._find(self._address)
        return self._found

    @property
    def _pull(self) -> str:
        return f"{self._repo}/pulls/{self._number}"

    @property
    def _issue(self) -> str:
        return f"{self._repo}/issues/{self._number}"

    def _threads(self) -> dict[int, dict[str, Any]]:
        """Read the threads by their first comment's number; none where GraphQL can't be used."""
        where = {"owner": self._owner, "name": self._name, "number": self._number, "after": None}
        threads: dict[int, dict[str, Any]] = {}
        for _ in range(MOST_PAGES):
            data = self._api.ask(_THREADS, where)
            page = ((data.get("repository") or {}).get("pullRequest") or {}).get("reviewThreads")
            if page is None:
                return {}
            for node in page["nodes"]:
                for first in node["comments"]["nodes"]:
                    threads[first["databaseId"]] = node
            if not page["pageInfo"]["hasNextPage"]:
                break
            where["after"] = page["pageInfo"]["endCursor"]
        return threads

    def _me(self) -> str:
        """Our login. A job's GITHUB_TOKEN may not ask GET /user, but may ask GraphQL."""
        if self._login is None:
            try:
                self._login = str(self._api.get("/user")["login"])
            except NotAllowed:
                viewer = self._api.ask("query { viewer { login } }", {}).get("viewer") or {}
                self._login = str(viewer.get("login") or _BOT)
        return self._login

    def _find(self, address: Address) -> int:
        """Find the open pull request of a workflow_run: by its branch, and only at the same commit."""
        where = urlencode({"head": address.branch, "state": "open", "per_page": PAGE})
        for pull in self._api.pages(f"{self._repo}/pulls?{where}"):
            if pull["head"]["sha"] == address.head:
                return int(pull["number"])
        branch = visible_line(address.branch)
        raise StaleHead(
            f"no open pull request of {branch} is at commit {address.head[:12]}; nothing was posted"
        )

    def _diff(self) -> bytes:
        """Read the whole diff; where it is too big (406), file by file, some of them without hunks."""
        text = self._api.text(self._pull, _DIFF)
        if text is None:
            text = "".join(patch_text(piece(file)) for file in self._api.pages(f"{self._pull}/files"))
        return text.encode("utf-8", "surrogateescape")
