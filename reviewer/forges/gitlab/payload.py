"""GitLab's JSON, read and written: pure, and without python-gitlab."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hunkwise.reviewer.forges.patch import Piece
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.port import Call, ChangeRequest, NewComment, OwnComment, PostReview, Reply
from hunkwise.reviewer.types import FileDiff, Hunk, Line


def review_calls(merge: str, action: PostReview, request: ChangeRequest) -> tuple[Call, ...]:
    """Write a review as drafts that are published together, or one by one as threads.

    `merge` is the merge request's path. Publishing takes all drafts of the account, a person's own too.
    """
    place, text = ("discussions", "body") if action.one_by_one else ("draft_notes", "note")
    calls = [
        Call(
            "POST",
            f"{merge}/{place}",
            {text: comment.body, "position": position(comment, request)},
            (comment.fingerprint,),
        )
        for comment in action.comments
    ]
    publish = [] if action.one_by_one else [Call("POST", f"{merge}/draft_notes/bulk_publish", {})]
    return (*calls, *publish)


def own_comment(thread: Mapping[str, Any], me: int) -> OwnComment:
    """Read a thread that we began, and how people answered."""
    first, *others = thread["notes"]
    marker = read_marker(first["body"])
    resolver = first.get("resolved_by") or {}
    # we resolve only what we marked as outdated; anything else a person resolved, if with our account
    by_us = resolver.get("id") == me and marker is not None and marker.outdated is not None
    resolved = bool(first.get("resolved"))
    return OwnComment(
        id=str(first["id"]),
        thread=str(thread["id"]),
        path=(first.get("position") or {}).get("new_path") or "",
        body=first["body"],
        resolved_by=str(resolver.get("username") or "somebody") if resolved and not by_us else None,
        hidden=resolved if first.get("resolvable") else None,
        replies=tuple(
            Reply(note["author"]["username"], note["body"], trusted=True)
            for note in others
            if not note["system"] and read_marker(note["body"]) is None
        ),
    )


def piece(file: Mapping[str, Any]) -> Piece:
    """Read an entry of `GET merge_requests/N/diffs`; large files have no diff."""
    return Piece(
        None if file["new_file"] else str(file["old_path"]),
        None if file["deleted_file"] else str(file["new_path"]),
        str(file["diff"]),
    )


def position(comment: NewComment, request: ChangeRequest) -> dict[str, Any]:
    """Where a comment sits: an added line has a new number only, an unchanged one both.

    Both paths are given even for a new file (gitlab-org/gitlab#35935); numbers are JSON integers, since
    GitLab refuses numbers as text (gitlab-org/gitlab#325706).
    """
    file = comment.file
    base: dict[str, Any] = {
        "base_sha": request.base,
        "start_sha": request.start,
        "head_sha": request.head,
        "old_path": file.old_path if file.old_path is not None else file.path,
        "new_path": file.path,
    }
    if not comment.lines:
        return {**base, "position_type": "file"}
    last = comment.lines[-1]
    text = {**base, "position_type": "text", **_numbers(last)}
    if len(comment.lines) == 1:
        return text
    return {**text, "line_range": {"start": _end(file, comment.lines[0]), "end": _end(file, last)}}


def _numbers(line: Line) -> dict[str, int]:
    sides = {"new_line": line.new_no, "old_line": line.old_no if line.kind == "context" else None}
    return {side: number for side, number in sides.items() if number is not None}


def _end(file: FileDiff, line: Line) -> dict[str, Any]:
    """One end of a range. A line's code is sha1(path), its old and its new number, joined by underscores."""
    old = line.old_no if line.old_no is not None else _old_number_before(file, line)
    code = hashlib.sha1(file.path.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    kind = "new" if line.kind == "added" else "old"
    return {"line_code": f"{code}_{old}_{line.new_no}", "type": kind, **_numbers(line)}


def _old_number_before(file: FileDiff, wanted: Line) -> int:
    """Where the old side stands at an added line: the number its next line has or would have."""
    for hunk in file.hunks:
        if wanted in hunk.lines:
            return _counted(hunk, wanted)
    return 0


def _counted(hunk: Hunk, wanted: Line) -> int:
    number = hunk.old_start
    for line in hunk.lines:
        if line == wanted:
            break
        number += line.old_no is not None
    return number
