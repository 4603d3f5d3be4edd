"""Findings that people silenced: by a comment in the code, or because they are known from before.

A comment silences the line it stands on and the line below it:

    # hunkwise: ignore
    # hunkwise: ignore[security, performance] until 2027-06-30 -- checked by the caller

Nothing disappears: a silenced finding is a `Rejected` with its reason, and reports show it as such.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hunkwise.reviewer.types import Category, Change, Finding, Line, Rejected, Silencer

_COMMENT = re.compile(
    r"hunkwise:\s*ignore\b"
    r"(?:\[(?P<categories>[^\]]*)\])?"
    r"(?:\s+until\s+(?P<until>\d{4}-\d\d-\d\d))?"
    r"(?:\s*--\s*(?P<reason>.*?))?"
    r"\s*(?:\*/|-->|#\}|%\})?\s*$"
)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that silences. `categories` empty: all of them; `until` is the last day it holds."""

    categories: frozenset[str]
    until: dt.date | None
    reason: str

    def holds(self, category: Category, today: dt.date) -> bool:
        """Tell whether it silences a category on a day."""
        if self.until is not None and today > self.until:
            return False
        return not self.categories or category in self.categories


def read_comment(line: str) -> Comment | None:
    """Read the comment on a line; None where there is none, or where its date is no date."""
    found = _COMMENT.search(line)
    if found is None:
        return None
    try:
        until = dt.date.fromisoformat(found["until"]) if found["until"] else None
    except ValueError:
        return None
    names = (found["categories"] or "").split(",")
    return Comment(
        frozenset(filter(None, map(str.strip, names))), until, found["reason"] or "no reason given"
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of the baseline: why it is left as it is, and the last day on which it is not said again."""

    reason: str = ""
    until: dt.date | None = None

    def holds(self, today: dt.date) -> bool:
        """Tell whether it still silences on a day."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True)
class Silence:
    """What people do not want to hear. `known` is the baseline, by fingerprint; `today` decides what still holds.

    With `trusted` False comments on lines that the change adds do not count: who wrote the change could have
    written them to pass.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    today: dt.date = dt.date.min
    trusted: bool = True


NOTHING = Silence()  # silences nothing but what comments without a date silence


def part(
    findings: Sequence[Finding], change: Change, silence: Silence
) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
    """Part the findings into those to be heard and those that people silenced."""
    heard: list[Finding] = []
    silenced: list[Rejected] = []
    for finding in findings:
        comment = _comment(finding, change, silence.today, trusted=silence.trusted)
        known = silence.known.get(finding.fingerprint)
        if known is not None and known.holds(silence.today):
            reason = f"known from the baseline: {known.reason or 'no reason given'}"
            silenced.append(Rejected(finding, reason, Silencer.BASELINE))
        elif comment is not None:
            silenced.append(Rejected(finding, f"silenced in the code: {comment.reason}", Silencer.INLINE))
        else:
            heard.append(finding)
    return tuple(heard), tuple(silenced)


def expired(findings: Sequence[Finding], silence: Silence) -> int:
    """Count the findings that the baseline knows, but no longer silences."""
    known = (silence.known.get(finding.fingerprint) for finding in findings)
    return sum(one is not None and not one.holds(silence.today) for one in known)


def _comment(finding: Finding, change: Change, today: dt.date, *, trusted: bool) -> Comment | None:
    for line in _lines(finding, change):
        comment = read_comment(line.text) if trusted or line.kind != "added" else None
        if comment is not None and comment.holds(finding.category, today):
            return comment
    return None


def _lines(finding: Finding, change: Change) -> list[Line]:
    """List the lines remarked on, and the one above them, as far as the diff shows them."""
    return [
        line
        for file in change.files
        if file.path == finding.path
        for hunk in file.hunks
        for line in hunk.lines
        if line.new_no is not None and finding.start_line - 1 <= line.new_no <= finding.end_line
    ]
