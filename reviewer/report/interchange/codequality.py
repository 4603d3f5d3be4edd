"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

from typing import Any

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.json import dump
from hunkwise.reviewer.report.remark import one_line, rule_id
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Finding, Review, Severity

_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(review: Review, view: View) -> str:
    """Write the list of issues. GitLab shows one of those that share a fingerprint, so ours differ."""
    return dump([_issue(finding) for finding in review.findings])


def _issue(finding: Finding) -> dict[str, Any]:
    return {
        "type": "issue",
        "check_name": rule_id(finding),
        "description": one_line(finding),
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITY[finding.severity],
        "location": {
            "path": visible_line(finding.path),
            "lines": {"begin": finding.start_line, "end": finding.end_line},
        },
    }
