"""GitHub's JSON, read and written: pure, and without PyGithub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hunkwise.reviewer.forges.patch import Piece
from hunkwise.reviewer.forges.pulls import WRITERS, login
from hunkwise.reviewer.publish.marker import run_of
from hunkwise.reviewer.publish.port import Call, NewComment, OwnComment, Reply


def review_calls(pull: str, comments: Iterable[NewComment], head: str) -> tuple[Call, ...]:
    """Write comments as one review of commit `head`; those on whole files need a call each.

    `pull` is the pull request's path. A review can't hold a comment on a file: its comments have no
    subject_type (https://docs.github.com/en/rest/pulls/reviews).
    """
    comments = tuple(comments)
    on_lines = [comment for comment in comments if comment.lines]
    calls = [] if not on_lines else [_review_call(pull, on_lines, head)]
    for comment in comments:
        if not comment.lines:
            one = {"body": comment.body, "commit_id": head, "path": comment.file.path, "subject_type": "file"}
            calls.append(Call("POST", f"{pull}/comments", one, (comment.fingerprint,)))
    return tuple(calls)


def _review_call(pull: str, comments: list[NewComment], head: str) -> Call:
    review = {
        "commit_id": head,
        "event": "COMMENT",  # never APPROVE or REQUEST_CHANGES: a model does not decide
        "body": f"Remarks on {run_of(head)}; the summary comment counts them all.",
        "comments": [_line_comment(comment) for comment in comments],
    }
    return Call("POST", f"{pull}/reviews", review, tuple(comment.fingerprint for comment in comments))


def own_comment(
    comment: Mapping[str, Any], listed: Iterable[Mapping[str, Any]], thread: Mapping[str, Any], me: str
) -> OwnComment:
    """Read a comment of ours, the answers to it among all `listed`, and its thread ({} if unknown)."""
    resolver = (thread.get("resolvedBy") or {}).get("login") or "somebody"
    replies = (one for one in listed if one.get("in_reply_to_id") == comment["id"])
    return OwnComment(
        id=str(comment["id"]),
        thread=comment["node_id"],
        path=comment["path"],
        body=comment["body"],
        resolved_by=resolver if thread.get("isResolved") else None,
        hidden=thread["comments"]["nodes"][0].get("isMinimized") if thread else None,
        replies=tuple(Reply(login(one), one["body"] or "", _may_write(one, me)) for one in replies),
    )


def _may_write(comment: Mapping[str, Any], me: str) -> bool:
    return comment.get("author_association") in WRITERS or login(comment) == me


def _line_comment(comment: NewComment) -> dict[str, Any]:
    """`start_line` must be strictly above `line`; equal is a 422 (ubuntu/WSL#244)."""
    first, last = comment.lines[0].new_no, comment.lines[-1].new_no
    body: dict[str, Any] = {"path": comment.file.path, "body": comment.body, "line": last, "side": "RIGHT"}
    return body if first == last else {**body, "start_line": first, "start_side": "RIGHT"}


def piece(file: Mapping[str, Any]) -> Piece:
    """Read an entry of `GET pulls/N/files`; large and binary files have no patch."""
    name = str(file["filename"])
    old = None if file["status"] == "added" else str(file.get("previous_filename") or name)
    new = None if file["status"] == "removed" else name
    return Piece(old, new, str(file.get("patch") or ""))
