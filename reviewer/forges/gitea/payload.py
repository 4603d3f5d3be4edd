"""Gitea's JSON, read and written: pure, and without a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hunkwise.reviewer.publish.marker import run_of
from hunkwise.reviewer.publish.port import Call, NewComment, OwnComment


def review_call(pull: str, comments: Iterable[NewComment], head: str) -> Call:
    """Write comments as one review of commit `head`. `pull` is the pull request's path.

    Gitea has comments on single lines alone: one on several sits at the last, one on a file at its first that the
    diff shows.
    """
    comments = tuple(comments)
    body = {
        "commit_id": head,
        "event": "COMMENT",  # never APPROVED or REQUEST_CHANGES: a model does not decide
        "body": f"Remarks on {run_of(head)}; the summary comment counts them all.",
        "comments": [
            {
                "path": comment.file.path,
                "body": comment.body,
                "new_position": _line(comment),
                "old_position": 0,
            }
            for comment in comments
        ],
    }
    return Call("POST", f"{pull}/reviews", body, tuple(comment.fingerprint for comment in comments))


def _line(comment: NewComment) -> int:
    lines = (
        comment.lines or tuple(line for hunk in comment.file.hunks for line in hunk.lines if line.new_no)[:1]
    )
    return (lines[-1].new_no or 1) if lines else 1


def own_comment(comment: Mapping[str, Any]) -> OwnComment:
    """Read a comment of ours on a line. Gitea tells no answers; who resolved the thread it does tell."""
    resolver = comment.get("resolver") or {}
    return OwnComment(
        id=str(comment["id"]),
        thread=str(comment["pull_request_review_id"]),
        path=str(comment["path"]),
        body=comment["body"],
        resolved_by=str(resolver.get("login") or "somebody") if resolver else None,
    )
