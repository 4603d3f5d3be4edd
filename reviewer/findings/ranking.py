"""From answers to findings: reading a draft, and settling which of the candidates are said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from hunkwise.engine import Choice, Generated
from hunkwise.reviewer.types import Category, Finding, Rejected, Severity

MOST_CERTAIN = 100  # secrets are said beyond --max-comments, up to so many


@dataclass(frozen=True, slots=True)
class Draft:
    """A defect as the model worded it. `line` is a commentable new-side line."""

    line: int
    severity: Severity
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What a finding must reach to be said, and how many may."""

    min_severity: Severity
    min_confidence: float
    max_comments: int


def read_draft(answer: Generated, lines: Sequence[int]) -> Draft | None:
    """Read a generated answer; None where it names no defect that can be used.

    The grammar makes every complete answer valid; an answer cut at its token limit is not complete. The check
    is made anyway, because an answer may also come from a cache or another engine.
    """
    try:
        found = json.loads(answer.text)
        draft = Draft(
            int(found["line"]),
            Severity(found["severity"]),
            _one_line(found["title"]),
            _one_line(found["message"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
    return draft if draft.line in lines and draft.title and draft.message else None


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def truth(answers: Sequence[Choice]) -> float:
    """Give how true the model finds its own remark (0..1), from both polarities of the question."""
    by_id = {choice.id: choice.probabilities[0] for choice in answers}
    return (by_id["true"] + (1 - by_id["false"])) / 2


def category_of(answers: Sequence[Choice], categories: Sequence[Category]) -> Category:
    """Give the likeliest category of a remark, once it is worded; of one alone nothing was asked."""
    if len(categories) == 1:
        return categories[0]
    (choice,) = (answer for answer in answers if answer.id == "category")
    return categories[max(range(len(categories)), key=lambda place: choice.probabilities[place])]


def rank_and_filter(
    findings: Sequence[Finding], bar_for: Bar, overrides: Sequence[tuple[str, Severity]] = ()
) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
    """Decide what is said: merge twins, apply the bar, keep the best of each kind, best first.

    Twins are remarks on the same lines with the same fingerprint: the same thing in the same place, and nothing
    else, whatever their words. `max_comments` holds for the model's remarks, for those of the checks, and for
    those of other tools, each by itself, so that none crowds out the others; of what is critical and certain
    MOST_CERTAIN are said.
    """
    severities = dict(overrides)
    kept: dict[tuple[str, int, int, int, str], Finding] = {}
    said: Counter[_Kind] = Counter()
    rejected: list[Rejected] = []
    ruled: set[tuple[str, int, int]] = set()  # lines that a rule speaks of: it knows more than the model
    kinds: dict[tuple[str, int, int, Category], str] = {}  # and what ours say of which line
    for found in sorted(findings, key=_order):
        name = (found.path, found.part, found.start_line, found.end_line, found.fingerprint)
        kind = _kind(found)
        floor = severities.get(found.path, bar_for.min_severity)
        if name in kept:
            rejected.append(Rejected(found, f"the same remark stands at {found.path}:{found.start_line}"))
        elif found.severity.rank > floor.rank:
            rejected.append(Rejected(found, f"below --min-severity {floor}"))
        elif kind is _Kind.JUDGED and any(line in ruled for line in _lines(found)):
            rejected.append(Rejected(found, "a rule speaks of the same line"))
        elif _ours(found) and (other := kinds.get(_place(found))):
            rejected.append(Rejected(found, f"{other} says it of the same line"))
        elif found.confidence < bar_for.min_confidence and not found.unmeasured:
            rejected.append(Rejected(found, f"below --min-confidence {bar_for.min_confidence:g}"))
        elif said[kind] >= max(bar_for.max_comments, MOST_CERTAIN if kind is _Kind.CERTAIN else 0):
            rejected.append(Rejected(found, f"over --max-comments {bar_for.max_comments}"))
        else:
            kept[name] = found
            said[kind] += 1
            if found.source.rule:
                ruled.update(_lines(found))
            if _ours(found):
                kinds[_place(found)] = found.source.rule
    return tuple(kept.values()), tuple(rejected)


def _ours(found: Finding) -> bool:
    return bool(found.source.rule) and found.source.tool == "hunkwise"


def beside(findings: Sequence[Finding], checked: Sequence[Finding]) -> tuple[Finding, ...]:
    """Leave out what rules say of lines of which a check says a thing of that kind."""
    places = {_place(found) for found in checked}
    return tuple(found for found in findings if _place(found) not in places)


def _place(found: Finding) -> tuple[str, int, int, Category]:
    return found.path, found.part, found.start_line, found.category


def _lines(found: Finding) -> Iterator[tuple[str, int, int]]:
    return ((found.path, found.part, number) for number in range(found.start_line, found.end_line + 1))


class _Kind(Enum):
    """Remarks of one kind take each other's room, and no other's."""

    JUDGED = auto()  # by the model
    CHECKED = auto()  # without it
    CERTAIN = auto()  # checked, and critical: a secret
    REPORTED = auto()  # by another tool


def _kind(found: Finding) -> _Kind:
    if found.source.tool != "hunkwise":
        return _Kind.REPORTED
    if found.confidence < 1 and not found.source.rule:
        return _Kind.JUDGED
    certain = found.confidence == 1 and found.severity is Severity.CRITICAL
    return _Kind.CERTAIN if certain else _Kind.CHECKED


def _order(found: Finding) -> tuple[bool, float, float, str, int, int]:
    """Order remarks best first: what is checked by severity, then what is judged by confidence."""
    judged = _kind(found) is _Kind.JUDGED
    worth = (-found.confidence, found.severity.rank) if judged else (found.severity.rank, -found.confidence)
    return (judged, *worth, found.path, found.part, found.start_line)
