"""GitLab, hosted and self-hosted: the only file that imports python-gitlab.

A review is a set of draft notes that are published together: one notification. python-gitlab repeats nothing
here, not even after a 429; that is `delivery`'s business, after a look at what is there.

Facts: https://docs.gitlab.com/api/draft_notes/, …/api/discussions/, …/api/merge_requests/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import gitlab
from gitlab.exceptions import GitlabError

from hunkwise.engine import retry_after
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.closing import closes, told
from hunkwise.reviewer.forges.gitlab.payload import own_comment, piece, review_calls
from hunkwise.reviewer.forges.patch import patch_text
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
    Refused,
    Unavailable,
    understood,
)
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Skipped

_PAGE = 100
_NOT_READY = 2.0  # seconds between two looks at a merge request whose diff is still being made


def meaning(error: GitlabError, doing: str, wait: float | None) -> ForgeError:
    """Translate an error of python-gitlab; the message has GitLab's own words and never a token."""
    status = error.response_code
    said = visible_line(str(error.error_message))[:300]
    text = f"GitLab answered {status or 'nothing readable'} to {doing}: {said}"
    if status == 429:
        return Unavailable(text, wait)
    if status == 401:
        return ForgeError(f"{text}; is the token still good?")
    if status in (403, 404):
        return NotAllowed(
            f"{text}; the token needs the `api` scope and the Reporter role (a CI_JOB_TOKEN can't post)"
        )
    if status in (400, 413, 422):
        return Refused(text)
    return Unavailable(text) if status is not None and status >= 500 else ForgeError(text)


def diff_refs(merge: Mapping[str, Any]) -> dict[str, Any]:
    """Read the commits of a merge request's diff. Raises Unavailable while GitLab still makes it."""
    if merge["diff_refs"] is None:
        raise Unavailable("GitLab has not made the merge request's diff yet", _NOT_READY)
    return dict(merge["diff_refs"])


class GitLabMerge:
    """One merge request. Satisfies `ChangeSource` and `ReviewSink`."""

    def __init__(
        self, address: Address, token: str, *, certificates: str | None = None, timeout: float = 30.0
    ) -> None:
        """`certificates` is a file with the certificates to trust instead of the usual ones."""
        self._client = gitlab.Gitlab(
            address.api,
            private_token=token,
            timeout=timeout,
            per_page=_PAGE,
            ssl_verify=certificates or True,
            keep_base_url=True,  # the list's next page is asked where the token may go
            user_agent="hunkwise",
        )
        self._api, self._name = address.api, address.project
        self._client.session.hooks["response"].append(self._watch)
        self._project = f"/projects/{quote(address.project, safe='')}"
        self._merge = f"{self._project}/merge_requests/{address.number}"
        self._wait: float | None = None
        self._account: int | None = None

    def fetch(self) -> ChangeRequest:
        """Read the merge request and its diff. Raises Unavailable while GitLab still makes the diff."""
        with understood("GitLab"):
            merge = self._read(self._merge)
            refs = diff_refs(merge)
            files = self._list(f"{self._merge}/diffs")
            patch = "".join(patch_text(piece(file)) for file in files)
            change = parse_diff(patch.encode("utf-8", "surrogateescape"))
            cut = tuple(
                Skipped(str(file["new_path"]), "GitLab does not show so large a diff", fault=True)
                for file in files
                if file.get("collapsed") or file.get("too_large")
            )
            base, head = refs["base_sha"], refs["head_sha"]
            change = replace(change, skipped=change.skipped + cut, base=base, head=head)
            return ChangeRequest(merge["title"], base, head, change, start=refs["start_sha"])

    def issue(self) -> bytes:
        """Read the issue that the merge request closes; not a confidential one, for others read the answer."""
        with understood("GitLab"):
            number = closes(self._read(self._merge).get("description") or "", self._name)
            try:
                found = self._read(f"{self._project}/issues/{number}") if number else {"confidential": True}
            except NotAllowed:
                return b""
            return b"" if found["confidential"] else told(number, found["title"], found["description"])

    def existing(self) -> Existing:
        """Read our threads, summaries and drafts; marks in others' notes count for nothing."""
        with understood("GitLab"):
            me = self._me()
            comments, summaries = [], []
            for thread in self._list(f"{self._merge}/discussions"):
                first = thread["notes"][0]
                if first["author"]["id"] != me:
                    continue
                if is_summary(first["body"]):
                    summaries.append(OwnNote(str(first["id"]), first["body"]))
                elif read_marker(first["body"]) is not None:
                    comments.append(own_comment(thread, me))
            try:
                drafts = self._list(f"{self._merge}/draft_notes")
            except NotAllowed:  # GitLab before 15.9 has none
                return Existing(tuple(comments), tuple(summaries), foreign_drafts=True)
            ours = [draft for draft in drafts if read_marker(draft["note"]) is not None]
            return Existing(
                comments=tuple(comments),
                summaries=tuple(summaries),
                drafts=tuple(OwnNote(str(draft["id"]), draft["note"]) for draft in ours),
                foreign_drafts=len(ours) < len(drafts),
            )

    def calls(self, action: Action, request: ChangeRequest) -> tuple[Call, ...]:
        """Write an action as requests to the REST API."""
        match action:
            case PostReview():
                return review_calls(self._merge, action, request)
            case PostSummary(body):
                return (Call("POST", f"{self._merge}/notes", {"body": body}),)
            case EditSummary(note, body):
                return (Call("PUT", f"{self._merge}/notes/{note.id}", {"body": body}),)
            case EditComment(comment, body):
                path = f"{self._merge}/discussions/{comment.thread}/notes/{comment.id}"
                return (Call("PUT", path, {"body": body}),)
            case HideComment(comment):
                return (Call("PUT", f"{self._merge}/discussions/{comment.thread}", {"resolved": True}),)
            case DropSummary(note):
                return (Call("DELETE", f"{self._merge}/notes/{note.id}"),)
            case DropDraft(note):
                return (Call("DELETE", f"{self._merge}/draft_notes/{note.id}"),)

    def send(self, call: Call) -> None:
        """Send one request, once."""
        body = dict(call.body) if call.body is not None else None
        with self._translated(f"{call.verb} {call.path}"):
            self._client.http_request(call.verb.lower(), call.path, post_data=body, obey_rate_limit=False)

    def _me(self) -> int:
        if self._account is None:
            self._account = int(self._read("/user")["id"])
        return self._account

    def _read(self, path: str) -> dict[str, Any]:
        with self._translated(f"GET {path}"):
            answer = self._client.http_get(path, obey_rate_limit=False)
        if not isinstance(answer, dict):
            raise ForgeError(f"GitLab answered something else than JSON to GET {path}")
        return answer

    def _list(self, path: str) -> list[dict[str, Any]]:
        with self._translated(f"GET {path}"):
            return list(self._client.http_list(path, get_all=True, obey_rate_limit=False))

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        self._wait = None
        try:
            yield
        except GitlabError as error:
            raise meaning(error, doing, self._wait) from error
        except OSError as error:  # what `requests` raises, time-outs and resets included
            raise Unavailable(f"{doing}: no answer ({type(error).__name__})") from error

    def _watch(self, response: Any, *_: Any, **__: Any) -> None:
        """Keep what python-gitlab's errors don't, and what `requests` doesn't: the wait, and the token.

        On a redirection to another server `requests` takes away the header Authorization, but not GitLab's
        PRIVATE-TOKEN.
        """
        self._wait = retry_after(response.headers.get("Retry-After"))
        target = urljoin(response.url, response.headers.get("Location", ""))
        if response.is_redirect and urlsplit(target)[:2] != urlsplit(self._api)[:2]:
            raise ForgeError(
                f"{self._api} sends us to another server, which is not given the token; use its address"
            )
