"""What has to be done so that a pull request shows a review: pure, and empty once it does.

The plan depends only on the review, the forge's diff and what is there already. So a poster that was killed
is run again, and ends where it would have ended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hunkwise.reviewer.findings.fingerprint import distinguish
from hunkwise.reviewer.publish.anchor import Anchored, anchor
from hunkwise.reviewer.publish.comment import Dialect, comment_body, outdated_body
from hunkwise.reviewer.publish.marker import read_marker
from hunkwise.reviewer.publish.port import (
    Action,
    ChangeRequest,
    DropDraft,
    DropSummary,
    EditComment,
    EditSummary,
    Existing,
    HideComment,
    NewComment,
    OwnComment,
    PostReview,
    PostSummary,
)
from hunkwise.reviewer.publish.summary import Counts, Told, Where, summary_body
from hunkwise.reviewer.types import Finding, Review

MOST_INLINE = 30  # comments on lines; more in one review has set off GitHub's abuse detection (reviewdog)
MOST_ON_FILES = 10  # each is a request of its own

_IGNORE = re.compile(r"^[ \t]*hunkwise:[ \t]*ignore\b", re.IGNORECASE | re.MULTILINE)


class Kind(StrEnum):
    """How a comment sits in the diff."""

    LINES = "on its lines"
    FILE = "on its file"


Refusals = frozenset[tuple[str, Kind]]  # (fingerprint, kind) the forge would not take


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions that are left, in order, and the counts once they are done."""

    actions: tuple[Action, ...]
    counts: Counts


def _named(comments: Sequence[OwnComment]) -> dict[str, list[OwnComment]]:
    """Our comments by fingerprint, oldest first."""
    named: dict[str, list[OwnComment]] = {}
    for comment in comments:
        marker = read_marker(comment.body)
        if marker is not None:
            named.setdefault(marker.fingerprint, []).append(comment)
    return named


def _is_outdated(comment: OwnComment) -> bool:
    marker = read_marker(comment.body)
    return marker is not None and marker.outdated is not None


def silenced_by(comments: Sequence[OwnComment]) -> str | None:
    """Say how people silenced a finding in its threads, None if they did not."""
    for comment in comments:
        for reply in comment.replies:
            if reply.trusted and _IGNORE.search(reply.body):
                return f"ignored by {reply.author}"
        if comment.resolved_by is not None:
            return f"resolved by {comment.resolved_by}"
    return None


class _Desk:
    """Sorts findings, best first, into what is shown where; owns the room that is left."""

    def __init__(
        self, request: ChangeRequest, existing: Existing, refused: Refusals, dialect: Dialect
    ) -> None:
        self._head = request.head
        self._files = {file.path: file for file in request.change.files}
        self._refused = refused
        self._dialect = dialect
        self._own = _named(existing.comments)
        self._room = {Kind.LINES: MOST_INLINE, Kind.FILE: MOST_ON_FILES}
        self.told: list[Told] = []
        self.new: dict[Kind, list[NewComment]] = {Kind.LINES: [], Kind.FILE: []}

    def sort(self, finding: Finding) -> None:
        """Decide where one finding is shown."""
        own = self._own.get(finding.fingerprint, [])
        silence = silenced_by(own)
        if silence is not None:
            self.told.append(Told(finding, Where.SILENCED, silence))
            return
        placed = self._placed(finding)
        live = any(not _is_outdated(one) for one in own)
        if isinstance(placed, NewComment):
            kind = Kind.LINES if placed.lines else Kind.FILE
            self._room[kind] -= 1
            self.told.append(Told(finding, Where.INLINE))
            if not live:
                self.new[kind].append(placed)
        elif live:
            self.told.append(Told(finding, Where.INLINE))
        else:
            refused = any((finding.fingerprint, kind) in self._refused for kind in Kind)
            self.told.append(Told(finding, Where.FAILED if refused else Where.SUMMARY, placed))

    def _placed(self, finding: Finding) -> NewComment | str:
        """Write the comment on a finding's lines or else its file, or say why it can't have one."""
        if self._room[Kind.LINES] == 0:
            return f"over {MOST_INLINE} comments"
        name = finding.fingerprint
        spot = anchor(finding, self._files.get(finding.path))
        if isinstance(spot, Anchored) and (name, Kind.LINES) not in self._refused:
            body = comment_body(finding, spot.suggestion, self._head, self._dialect)
            return NewComment(name, body, spot.file, spot.lines)
        if spot.file is not None and (name, Kind.FILE) not in self._refused and self._room[Kind.FILE] > 0:
            body = comment_body(finding, None, self._head, self._dialect, on_file=True)
            return NewComment(name, body, spot.file)
        return "the forge refused the line" if isinstance(spot, Anchored) else spot.reason


def _farewells(
    review: Review, named: Mapping[str, list[OwnComment]], wanted: frozenset[str], dialect: Dialect
) -> list[Action]:
    """Mark our comments whose finding is gone; where people answered, nothing is folded away.

    A file that should have been reviewed and was not keeps its comments: nobody knows if they are gone.
    """
    unknown = {skip.path for skip in review.skipped if skip.fault}
    actions: list[Action] = []
    for name, comments in named.items():
        first_live = True
        for comment in comments:
            twin = not first_live and name in wanted  # two posters ran at once
            gone = (name not in wanted and comment.path not in unknown) or twin
            if not _is_outdated(comment):
                first_live = False
                if gone and comment.resolved_by is None:
                    body = outdated_body(comment.body, review.head or "", dialect)
                    actions.append(EditComment(comment, body))
            elif comment.hidden is False and not comment.replies and comment.resolved_by is None:
                actions.append(HideComment(comment))
    return actions


def _summary_actions(existing: Existing, body: str) -> list[Action]:
    if not existing.summaries:
        return [PostSummary(body)]
    first, *others = existing.summaries
    actions: list[Action] = [DropSummary(note) for note in others]
    if first.body.replace("\r\n", "\n").strip() != body.strip():
        actions.append(EditSummary(first, body))
    return actions


def plan(
    review: Review,
    request: ChangeRequest,
    existing: Existing,
    dialect: Dialect,
    refused: Refusals = frozenset(),
) -> Plan:
    """Compare what should be there with what is.

    Findings the forge refused on a line (`refused`) move to their file, then to the summary. Comments that
    wait in drafts are dropped and written anew. Raises nothing.
    """
    desk = _Desk(request, existing, refused, dialect)
    findings = distinguish(review.findings)
    for finding in findings:
        desk.sort(finding)
    actions: list[Action] = [DropDraft(note) for note in existing.drafts]
    wanted = frozenset(finding.fingerprint for finding in findings)
    actions += _farewells(review, _named(existing.comments), wanted, dialect)
    if desk.new[Kind.LINES]:
        actions.append(PostReview(tuple(desk.new[Kind.LINES]), one_by_one=existing.foreign_drafts))
    actions += [PostReview((comment,), existing.foreign_drafts) for comment in desk.new[Kind.FILE]]
    body, counts = summary_body(review, desk.told, request.head, dialect)
    actions += _summary_actions(existing, body)
    return Plan(tuple(actions), counts)
