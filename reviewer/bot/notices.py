"""What the bot says of a review's progress, in a line and in a page."""

from __future__ import annotations

from hunkwise.reviewer.forges.attended import Progress, Stage
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


def left(why: str) -> Progress:
    """Say that a review was left."""
    return Progress(Stage.LEFT, why)


def failed(reason: str) -> Progress:
    """Say that a change could not be reviewed."""
    return Progress(Stage.FAILED, f"not reviewed: {visible_line(reason)}"[:120], escape(reason))
