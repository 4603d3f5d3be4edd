"""Findings that people silenced: by a comment in the code, or because they are known from before.

A comment silences the line it stands on and the line below it:

    # hunkwise: ignore
    # hunkwise: ignore[security, performance] until 2027-06-30 -- checked by the caller

Case does not count, and the two dashes may be missing. A comment with a word in it that is not understood silences
less than it says, or nothing, and is remarked on (checks.py).

Nothing disappears: a silenced finding is a `Rejected` with its reason, and reports show it as such.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from hunkwise.reviewer.types import Category, Change, FileKey, Finding, Line, Rejected, SuppressionKind

_START = re.compile(r"hunkwise:[ \t]*ignore(?=[ \t\[:]|--|\*/|$)", re.IGNORECASE | re.ASCII)
_ENDS = ("*/", "-->", "#}", "%}")  # of comments that don't end with their line
# The id of a rule, ours or another tool's: it has a hyphen, a digit or a colon, which only one category has
_RULE = re.compile(r"[a-z][a-z0-9:/._]*[-0-9:/][a-z0-9:/._-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONGEST = 1_000  # characters of a comment that are read
_CLUES = frozenset({"until", *Category})  # words that mean more than a reason


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that silences. `categories` empty: all of them; `until` is the last day it holds."""

    categories: frozenset[str]  # and ids of rules
    until: dt.date | None
    reason: str

    def holds(self, finding: Finding, today: dt.date) -> bool:
        """Tell whether it silences a finding on a day, by its category or its rule."""
        if self.until is not None and today > self.until:
            return False
        return not self.categories or bool(self.categories & _names(finding))


def _names(finding: Finding) -> set[str]:
    rule = finding.source.rule.casefold()
    return {finding.category, rule, f"{finding.source.tool.casefold()}:{rule}"}


def read_comment(line: str) -> Comment | None:
    """Read the comment on a line; None where there is none, or where it silences nothing."""
    return _read(line)[0]


def idle(line: str, rules: Callable[[], Collection[str]] = frozenset) -> str:
    """Say why a comment on a line silences nothing, or less than it says; "" where all is well.

    `rules` gives the ids of the rules that there are.
    """
    comment, problem = _read(line)
    named = sorted(word for word in comment.categories if _is_rule(word)) if comment else []
    return problem or (_no_rule(named, rules()) if named else "")


def _no_rule(named: Sequence[str], rules: Collection[str]) -> str:
    """Say which word looks like one of our rules and is none; other tools have names of their own."""
    kinds = {rule.partition("-")[0] for rule in rules}
    for word in named:
        if word not in rules and ":" not in word:
            near = get_close_matches(word, rules, n=1, cutoff=0.6 if word.partition("-")[0] in kinds else 0.9)
            if near or word.partition("-")[0] in kinds:
                return f"there is no rule {word[:60]!r}{f'; did you mean {near[0]}?' if near else ''}"
    return ""


def _read(line: str) -> tuple[Comment | None, str]:
    """Read the first comment on a line: what it silences, and what of it is not understood."""
    start = _START.search(line)
    if start is None:
        return None, ""
    text = " ".join(line[start.end() : start.end() + _LONGEST].split())
    for end in _ENDS:
        text = text.removesuffix(end).rstrip()
    categories, text, problem = _categories(text)
    if categories is None:
        return None, problem
    until, text, wrong_date = _until(text)
    if wrong_date:
        return None, wrong_date
    reason = text.lstrip(" :-–—")
    first = reason.partition(" ")[0].strip(",.;").casefold()
    if reason == text and reason and (first in _CLUES or not first[:1].isalnum()):
        return (
            None,
            f"{reason[:40]!r} is not understood here; write ignore[category] until YYYY-MM-DD -- reason",
        )
    return Comment(categories, until, reason or "no reason given"), problem


def _categories(text: str) -> tuple[frozenset[str] | None, str, str]:
    """Take the categories off the beginning; None instead of them if none of those named is known."""
    if not text.startswith("["):
        return frozenset(), text, ""
    inside, closed, rest = text[1:].partition("]")
    if not closed:
        return None, text, "the [ is not closed, so nothing is silenced"
    named = [word for word in (part.strip().casefold() for part in inside.split(",")) if word]
    known = frozenset(word for word in named if word in list(Category) or _is_rule(word))
    unknown = next((word for word in named if word not in known), "")
    near = get_close_matches(unknown, list(Category), n=1)
    problem = (
        f"{unknown[:40]!r} is no category{f'; did you mean {near[0]}?' if near else ''}" if unknown else ""
    )
    if unknown and not near:
        problem += f"; there are {', '.join(Category)}"
    return (known if known or not named else None), rest.lstrip(), problem


def _is_rule(word: str) -> bool:
    return bool(_RULE.fullmatch(word)) and not get_close_matches(word, list(Category), n=1, cutoff=0.8)


def _until(text: str) -> tuple[dt.date | None, str, str]:
    """Take the last day off the beginning, if there is one, or say what is wrong with it."""
    word, _, rest = text.partition(" ")
    if word.casefold() != "until":
        return None, text, ""
    day, _, rest = rest.lstrip().partition(" ")
    try:
        if not _DATE.fullmatch(day):
            raise ValueError
        return dt.date.fromisoformat(day), rest.lstrip(), ""
    except ValueError:
        return None, text, f"{day[:40]!r} is no day, so nothing is silenced; write until YYYY-MM-DD"


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of the baseline: why it is left as it is, and the last day on which it is not said again."""

    reason: str = ""
    until: dt.date | None = None

    def holds(self, today: dt.date) -> bool:
        """Tell whether it still silences on a day."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True)
class Suppressions:
    """What people do not want to hear. `known` is the baseline, by fingerprint; `today` decides what still holds.

    With `trusted` False comments on lines that the change adds do not count: who wrote the change could have
    written them to pass.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    today: dt.date = dt.date.min
    trusted: bool = True


NOTHING = Suppressions()  # silences nothing but what comments without a date silence


def part(
    findings: Sequence[Finding], change: Change, silence: Suppressions
) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
    """Part the findings into those to be heard and those that people silenced."""
    comments = _comments({(found.path, found.part) for found in findings}, change, trusted=silence.trusted)
    heard: list[Finding] = []
    silenced: list[Rejected] = []
    for finding in findings:
        comment = _comment(finding, comments, silence.today)
        known = silence.known.get(finding.fingerprint)
        if known is not None and known.holds(silence.today):
            reason = f"known from the baseline: {known.reason or 'no reason given'}"
            silenced.append(Rejected(finding, reason, SuppressionKind.BASELINE))
        elif comment is not None:
            silenced.append(
                Rejected(finding, f"silenced in the code: {comment.reason}", SuppressionKind.INLINE)
            )
        else:
            heard.append(finding)
    return tuple(heard), tuple(silenced)


def expired(findings: Sequence[Finding], silence: Suppressions) -> int:
    """Count the findings that the baseline knows, but no longer silences."""
    known = (silence.known.get(finding.fingerprint) for finding in findings)
    return sum(one is not None and not one.holds(silence.today) for one in known)


_Comments = Mapping[tuple[FileKey, int], Comment]
"""The comments of a change by file and number of their line on the new side."""


def _comments(files: set[FileKey], change: Change, *, trusted: bool) -> _Comments:
    """Read the comments of some files, each line once; what nobody trusted adds does not count."""
    lines = (
        (file.key, line)
        for file in change.files
        if file.key in files
        for hunk in file.hunks
        for line in hunk.lines
        if line.new_no is not None and (trusted or line.kind != "added")
    )
    return {(key, _number(line)): comment for key, line in lines if (comment := read_comment(line.text))}


def _number(line: Line) -> int:
    assert line.new_no is not None
    return line.new_no


def _comment(finding: Finding, comments: _Comments, today: dt.date) -> Comment | None:
    """Find a comment on the lines remarked on, or the one above them, as far as the diff shows them."""
    for number in range(finding.start_line - 1, finding.end_line + 1) if comments else ():
        comment = comments.get(((finding.path, finding.part), number))
        if comment is not None and comment.holds(finding, today):
            return comment
    return None
