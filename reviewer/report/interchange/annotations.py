"""Workflow commands that GitHub Actions turns into annotations.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions; escaping as in the toolkit's
packages/core/src/command.ts.
"""

from __future__ import annotations

from collections import Counter

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.remark import LEVELS, said
from hunkwise.reviewer.report.summary import found, looked_at, plural, took
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Finding, Review

MOST = 10  # annotations of one level that GitHub keeps from one step
_COMMAND = {"error": "error", "warning": "warning", "note": "notice"}


def render(review: Review, view: View) -> str:
    """Write at most `MOST` commands of each level, best findings first, and count the others."""
    seen: Counter[str] = Counter()
    lines = []
    for finding in review.findings:
        command = _COMMAND[LEVELS[finding.severity]]
        seen[command] += 1
        if seen[command] <= MOST:
            lines.append(_annotation(command, finding))
    over = sum(max(0, count - MOST) for count in seen.values())
    if over:
        lines.append(f"{plural(over, 'more remark')} not shown; a step keeps {MOST} annotations of a level")
    lines.append(f"{found(review)}; {looked_at(review)}{took(review)}")
    return "\n".join(lines) + "\n"


def _annotation(command: str, finding: Finding) -> str:
    properties = {
        "file": finding.path,
        "line": str(finding.start_line),
        "endLine": str(finding.end_line),
        "title": f"{finding.severity}: {finding.title}",
    }
    written = ",".join(f"{name}={_property(visible_line(value))}" for name, value in properties.items())
    return f"::{command} {written}::{_data(visible(said(finding)))}"


def _data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace("##[", "#\u2060#[")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
