"""GitHub and GitHub Enterprise Server: the only file that imports PyGithub.

PyGithub gives authentication, the base address, proxies and certificates, pacing of writes, and the errors.
Its own retries are off: it would repeat a POST after a 5xx, which may have been accepted
(PyGithub 2.10, GithubRetry). Repeating is `delivery`'s business, after a look at what is there.

Facts: https://docs.github.com/en/rest/pulls/reviews, …/rest/pulls/comments, …/rest/issues/comments.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import github
from github.GithubException import GithubException

from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.base import (
    Action,
    Call,
    ChangeRequest,
    DropDraft,
    EditComment,
    EditSummary,
    Existing,
    HideComment,
    NotAllowed,
    OwnNote,
    PostReview,
    PostSummary,
    Refused,
    StaleHead,
    Unavailable,
    understood,
)
from hunkwise.reviewer.forges.github_payload import login, own_comment, piece, review_calls
from hunkwise.reviewer.forges.patch import patch_text
from hunkwise.reviewer.marker import is_summary, read_marker
from hunkwise.reviewer.visible import visible_line

_DIFF = "application/vnd.github.v3.diff"
_GITHUB_COM = "https://api.github.com"
_GRAPHQL = "/graphql"
_BOT = "github-actions[bot]"
_PAGE = 100
_MOST_PAGES = 100
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { isResolved resolvedBy { login } comments(first: 1) { nodes { databaseId isMinimized } } }
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


def meaning(error: GithubException, doing: str) -> ForgeError:
    """Translate an error of PyGithub; the message has GitHub's own words and never a token."""
    data = error.data if isinstance(error.data, Mapping) else {}
    said = visible_line(str(data.get("message") or error.message or "no reason given"))[:300]
    details = data.get("errors")
    if details:
        said += f" ({visible_line(str(details))[:300]})"
    text = f"GitHub answered {error.status} to {doing}: {said}"
    headers = {key.lower(): value for key, value in (error.headers or {}).items()}
    limited = error.status == 429 or (
        error.status == 403 and ("retry-after" in headers or "rate limit" in said.lower())
    )
    if limited:
        return Unavailable(text, _wait(headers))
    if error.status == 401:
        return ForgeError(f"{text}; is the token still good?")
    if error.status in (403, 404):
        return NotAllowed(f"{text}; the token needs `pull-requests: write` for this repository")
    if (error.status >= 500 and error.status != 501) or error.status == 408:
        return Unavailable(text)
    if "submitted too quickly" in said.lower():
        return Unavailable(text, _wait(headers))
    if "pending review" in said.lower():
        return ForgeError(f"{text}; submit or discard the review that this account has begun, then run again")
    return Refused(text) if error.status in (400, 405, 410, 413, 422, 501) else ForgeError(text)


def _wait(headers: Mapping[str, str]) -> float:
    """Read how long to wait, in seconds; a minute where GitHub names no time (its own advice)."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(0.0, float(reset) - time.time()) + 1
    return 60.0


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except GithubException as error:
        raise meaning(error, doing) from error
    except OSError as error:  # what `requests` raises, time-outs and resets included
        raise Unavailable(f"{doing}: no answer ({type(error).__name__})") from error
    except RuntimeError as error:  # PyGithub, on a redirection to another server
        raise ForgeError(f"{doing}: {error}") from error


class GitHubPull:
    """One pull request. Satisfies `ChangeSource` and `ReviewSink`."""

    def __init__(self, address: Address, token: str, *, timeout: int = 30) -> None:
        """`timeout` is in seconds, for one answer."""
        client = github.Github(
            base_url=address.api,
            auth=github.Auth.Token(token),
            retry=None,
            timeout=timeout,
            seconds_between_requests=0,
            # 80 writes a minute set off github.com's secondary limit; GitHub Enterprise Server has none
            seconds_between_writes=1 if address.api == _GITHUB_COM else 0,
            user_agent="hunkwise",
        )
        self._requester = client.requester
        self._api = address.api
        self._repo = f"/repos/{address.project}"
        self._owner, _, self._name = address.project.partition("/")
        self._number = self._find(address) if address.number is None else address.number
        self._login: str | None = None

    def fetch(self) -> ChangeRequest:
        """Read the pull request and its diff."""
        with understood("GitHub"):
            pull = self._get(self._pull)
            base, head = pull["base"]["sha"], pull["head"]["sha"]
            change = replace(parse_diff(self._diff()), base=base, head=head)
            return ChangeRequest(pull["title"], base, head, change)

    def existing(self) -> Existing:
        """Read our comments, and how their threads stand; marks in others' comments count for nothing."""
        with understood("GitHub"):
            me = self._me()
            listed = list(self._pages(f"{self._pull}/comments"))
            threads = self._threads()
            notes = [note for note in self._pages(f"{self._issue}/comments") if login(note) == me]
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
                return (Call("POST", _GRAPHQL, {"query": _MINIMIZE, "variables": wish}),)
            case DropDraft():
                return ()

    def send(self, call: Call) -> None:
        """Send one request, once."""
        body = dict(call.body) if call.body is not None else None
        with _translated(f"{call.verb} {call.path}"):
            if call.path == _GRAPHQL and body is not None:
                self._requester.graphql_query(body["query"], body["variables"])
            else:
                self._requester.requestJsonAndCheck(call.verb, call.path, input=body)

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
        for _ in range(_MOST_PAGES):
            data = self._ask(_THREADS, where)
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
                self._login = str(self._get("/user")["login"])
            except NotAllowed:
                viewer = self._ask("query { viewer { login } }", {}).get("viewer") or {}
                self._login = str(viewer.get("login") or _BOT)
        return self._login

    def _find(self, address: Address) -> int:
        """Find the open pull request of a workflow_run: by its branch, and only at the same commit."""
        where = urlencode({"head": address.branch, "state": "open", "per_page": _PAGE})
        for pull in self._pages(f"{self._repo}/pulls?{where}"):
            if pull["head"]["sha"] == address.head:
                return int(pull["number"])
        branch = visible_line(address.branch)
        raise StaleHead(
            f"no open pull request of {branch} is at commit {address.head[:12]}; nothing was posted"
        )

    def _diff(self) -> bytes:
        """Read the whole diff; where it is too big (406), file by file, some of them without hunks."""
        with _translated(f"GET {self._pull}"):
            status, headers, text = self._requester.requestBlob("GET", self._pull, headers={"Accept": _DIFF})
        if status == 200 and not headers.get("content-type", "").startswith("application/json"):
            return text.encode("utf-8", "surrogateescape")
        if status >= 500:
            raise Unavailable(f"GitHub answered {status} to GET {self._pull}")
        return "".join(patch_text(piece(file)) for file in self._pages(f"{self._pull}/files")).encode(
            "utf-8", "surrogateescape"
        )

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        url = f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}" if "per_page" not in path else path
        for _ in range(_MOST_PAGES):
            headers, items = self._request(url)
            yield from items
            following = _NEXT.search(headers.get("link", ""))
            if following is None:
                return
            url = following[1]
            if not url.startswith(f"{self._api}/"):
                raise ForgeError(f"GitHub's list goes on at another address than {self._api}; not followed")
        raise ForgeError(f"GitHub's list {path} has more than {_MOST_PAGES} pages")

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._request(path)[1]
        return answer

    def _request(self, path: str) -> tuple[Mapping[str, str], Any]:
        with _translated(f"GET {path}"):
            return self._requester.requestJsonAndCheck("GET", path)

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Ask GraphQL; {} where it can't be used (an old server, a token without the right)."""
        try:
            with _translated("a GraphQL query"):
                return self._requester.graphql_query(query, dict(variables))[1].get("data") or {}
        except (NotAllowed, Refused):
            return {}
