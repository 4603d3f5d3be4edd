"""Claims of a free review: the form in which the model makes them, what can be read of them, and their merging."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hunkwise.engine import Generated
from hunkwise.reviewer.judge.prompt import SAYABLE, quoting
from hunkwise.reviewer.types import Category, Severity

MOST = 3  # claims of one sample
NEAR = 1  # lines within which two samples speak of the same thing
MAX_CLAIM, MAX_WHEN, MAX_FIX = 140, 240, 200  # characters


@dataclass(frozen=True, slots=True)
class Claim:
    """What the model holds against a line; `fix` is the line as it should stand, "" where one can't mend it."""

    line: int
    category: Category
    claim: str
    when: str
    severity: Severity
    fix: str


@dataclass(frozen=True, slots=True)
class Supported:
    """A claim, in the words of the first sample that made it, and how many of the samples made it."""

    claim: Claim
    samples: int


def schema(lines: Sequence[int], quotes: Sequence[str], categories: Sequence[Category]) -> dict[str, Any]:
    """Give the JSON schema of an answer; between backticks only `quotes` can be said."""
    text = quoting(quotes)
    properties = {
        "line": {"enum": list(lines)},
        "dimension": {"enum": [str(category) for category in categories]},
        "claim": {**text, "minLength": 8, "maxLength": MAX_CLAIM},
        "when": {**text, "minLength": 8, "maxLength": MAX_WHEN},
        "severity": {"enum": [str(severity) for severity in SAYABLE]},
        "fix": {"type": "string", "maxLength": MAX_FIX},
    }
    claim = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"defects": {"type": "array", "items": claim, "maxItems": MOST}},
        "required": ["defects"],
        "additionalProperties": False,
    }


def read_claims(
    answer: Generated, lines: Sequence[int], categories: Sequence[Category]
) -> tuple[Claim, ...] | None:
    """Read an answer; None of one that holds no list. What is no claim about one of `lines` is passed over.

    Not every engine keeps to a schema: around the JSON there may be other words.
    """
    text = answer.text
    try:
        listed = json.loads(text[text.index("{") : text.rindex("}") + 1])["defects"]
        rows = [row for row in listed if isinstance(row, dict)][:MOST]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    read = (_claim(row, lines, categories) for row in rows)
    return tuple(claim for claim in read if claim is not None)


def _claim(row: dict[str, Any], lines: Sequence[int], categories: Sequence[Category]) -> Claim | None:
    try:
        found = Claim(
            int(row["line"]),
            Category(row["dimension"]),
            " ".join(str(row["claim"]).split())[:MAX_CLAIM],
            " ".join(str(row["when"]).split())[:MAX_WHEN],
            Severity(row["severity"]),
            str(row.get("fix") or "")[:MAX_FIX],
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    known = found.line in lines and found.category in categories and found.severity in SAYABLE
    return found if known and found.claim and found.when else None


def merged(samples: Sequence[Sequence[Claim]]) -> tuple[Supported, ...]:
    """Merge what several samples say of the same place, what most of them say first."""
    groups: list[tuple[Claim, set[int]]] = []
    for number, claims in enumerate(samples):
        for claim in claims:
            same = next((by for first, by in groups if abs(first.line - claim.line) <= NEAR), None)
            if same is None:
                groups.append((claim, {number}))
            else:
                same.add(number)
    found = [Supported(claim, len(by)) for claim, by in groups]
    return tuple(sorted(found, key=lambda each: (-each.samples, each.claim.severity.rank, each.claim.line)))
