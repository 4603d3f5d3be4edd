"""What a GitHub Actions job can show without any permission: annotations in its log, and a step summary.

Grammar of workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from collections.abc import Iterable

from hunkwise.reviewer.types import Finding, Severity
from hunkwise.reviewer.visible import visible

_MOST_OF_A_LEVEL = 10  # GitHub shows no more of a step
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}
_LONGEST = 4000  # characters of a message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _annotation(finding: Finding) -> str:
    level = _LEVELS[finding.severity]
    where = f"file={_property(visible(finding.path))},line={finding.start_line},endLine={finding.end_line}"
    title = _property(visible(finding.title))
    return f"::{level} {where},title={title}::{_data(visible(finding.message)[:_LONGEST])}"


def annotations(findings: Iterable[Finding]) -> list[str]:
    """Write findings as workflow commands, best first, as many as GitHub shows."""
    room = dict.fromkeys(_LEVELS.values(), _MOST_OF_A_LEVEL)
    lines = []
    for finding in findings:
        level = _LEVELS[finding.severity]
        if room[level] > 0:
            room[level] -= 1
            lines.append(_annotation(finding))
    return lines
