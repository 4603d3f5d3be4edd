"""What the bot says of a review's progress, in a line and in a page."""

from __future__ import annotations

from hunkwise.reviewer.bot.hooks.delivery import SKIP, is_skipped
from hunkwise.reviewer.forges.attended import Progress, Stage, Standing
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.report.summary import looked_at
from hunkwise.reviewer.text.markdown import escape
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Review


def done(review: Review) -> Progress:
    """Count remarks, and say how much was looked at."""
    count = len(review.findings)
    remarks = f"{count} remark{'' if count == 1 else 's'}" if count else "no remarks"
    return Progress(
        Stage.DONE,
        f"{remarks}; {looked_at(review)}" + ("" if review.complete else "; incomplete"),
        renderer("markdown")(review, View()),
    )


def why_not(standing: Standing, *, asked: bool) -> str:
    """Say why a change is not to be reviewed as it stands, "" if it is; drafts are if somebody `asked`."""
    if not standing.open:
        return "it is closed"
    if standing.archived:
        return "its repository is archived"
    if is_skipped(standing.labels):
        return f"it has the label `{SKIP}`"
    return "it is a draft" if standing.draft and not asked else ""


def left(why: str) -> Progress:
    """Say that a review was left."""
    return Progress(Stage.LEFT, why)


def failed(reason: str) -> Progress:
    """Say that a change could not be reviewed."""
    return Progress(Stage.FAILED, f"not reviewed: {visible_line(reason)}"[:120], escape(reason))
