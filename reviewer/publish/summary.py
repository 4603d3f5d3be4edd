"""The one comment that sums a review up, and the counts it states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hunkwise.reviewer.publish.comment import Dialect, headline, place, sealed
from hunkwise.reviewer.publish.marker import run_of, summary_marker
from hunkwise.reviewer.report.summary import left_out, looked_at, made_by, unrun
from hunkwise.reviewer.text.markdown import code_span, escape
from hunkwise.reviewer.types import Finding, Review

_MOST_ROWS = 50  # of a list that nobody has to read to the end
_MESSAGE = 600  # characters of a message in the summary
_SHARE = 0.7  # of the limit, for the findings; the rest is for what else there is to say


class Where(StrEnum):
    """Where a finding is shown, or why it is not."""

    INLINE = "inline"
    SUMMARY = "summary"
    SILENCED = "silenced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, where it is shown, and why not inline."""

    finding: Finding
    where: Where
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings went where; the four add up to those found.

    `failed` are those the forge refused; they are in the summary's text. `skipped` are silenced by people, or
    did not fit the summary.
    """

    inline: int
    summary: int
    skipped: int
    failed: int

    @property
    def found(self) -> int:
        """All findings of the review."""
        return self.inline + self.summary + self.skipped + self.failed

    def __str__(self) -> str:
        return (
            f"{self.found} found: {self.inline} inline, {self.summary} in the summary, "
            f"{self.skipped} skipped, {self.failed} refused by the forge"
        )


def _item(told: Told) -> str:
    message = escape(told.finding.message, _MESSAGE).replace("\n", "\n  ")
    return f"- {headline(told.finding)} at {place(told.finding)}; {told.reason}\n\n  {message}\n"


def _listed(told: Sequence[Told], room: int) -> tuple[list[str], list[Told]]:
    """Write as many findings as fit the room, best first; also what did not fit."""
    items: list[str] = []
    for number, one in enumerate(told):
        item = _item(one)
        room -= len(item) + 1
        if room < 0:
            return items, list(told[number:])
        items.append(item)
    return items, []


def _folded(title: str, rows: Sequence[str]) -> list[str]:
    """A folded list; `title` is one of our own words."""
    if not rows:
        return []
    more = [f"- and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
    return [
        f"<details>\n<summary>{title} ({len(rows)})</summary>\n",
        *rows[:_MOST_ROWS],
        *more,
        "\n</details>\n",
    ]


def _coverage(review: Review) -> str:
    text = " ".join(
        [
            f"{looked_at(review).capitalize()}.",
            *(escape(one, _MESSAGE) for one in unrun(review.line_coverage)),
        ]
    )
    return text if review.complete else f"**Incomplete.** {text}"


def _skipped_rows(review: Review) -> list[str]:
    first = sorted(review.skipped, key=lambda skip: not skip.fault)
    return [f"- {code_span(place)}: {' '.join(escape(why, 200).split())}" for place, why in left_out(first)]


def summary_body(review: Review, told: Sequence[Told], head: str, dialect: Dialect) -> tuple[str, Counts]:
    """Write the summary with its marker, and count what it then holds."""
    below = [one for one in told if one.where in (Where.SUMMARY, Where.FAILED)]
    items, lost = _listed(below, int(dialect.limit * _SHARE))
    lost_where = Counter(one.where for one in lost)
    where = Counter(one.where for one in told)
    counts = Counts(
        inline=where[Where.INLINE],
        summary=where[Where.SUMMARY] - lost_where[Where.SUMMARY],
        skipped=where[Where.SILENCED] + len(lost),
        failed=where[Where.FAILED] - lost_where[Where.FAILED],
    )
    silenced = [
        f"- {headline(one.finding)} at {place(one.finding)}: {code_span(one.reason)}"
        for one in told
        if one.where is Where.SILENCED
    ]
    unlisted = [f"{len(lost)} more did not fit here; the review's own report has them.\n"] if lost else []
    parts = [
        f"### Review of {run_of(head)}\n",
        f"{counts}. {_coverage(review)}\n",
        *items,
        *unlisted,
        *_folded("Silenced by people", silenced),
        *_folded("Not reviewed", _skipped_rows(review)),
        f"Machine-made by {code_span(made_by(review)[:160])}; a person should decide.",
    ]
    return sealed("\n".join(parts), summary_marker(head), dialect.limit), counts
