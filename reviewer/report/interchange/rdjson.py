"""The report for reviewdog, as one JSON value: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf.

reviewdog posts messages as Markdown, so they are escaped as such.
"""

from __future__ import annotations

from typing import Any

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.json import dump
from hunkwise.reviewer.report.remark import LEVELS, page, rule_id, said
from hunkwise.reviewer.text.markdown import escape
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Finding, Review

SOURCE = {"name": "hunkwise"}
_SEVERITY = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}


def render(review: Review, view: View) -> str:
    """Write a DiagnosticResult."""
    return dump({"source": SOURCE, "diagnostics": [diagnostic(finding) for finding in review.findings]})


def diagnostic(finding: Finding) -> dict[str, Any]:
    """Write a Diagnostic. Ranges have no columns, so both ends are included."""
    lines = _lines(finding.start_line, finding.end_line)
    written: dict[str, Any] = {
        "message": f"**{escape(finding.title)}**\n\n{escape(said(finding))}",
        "location": {"path": visible_line(finding.path), "range": lines},
        "severity": _SEVERITY[LEVELS[finding.severity]],
        "source": SOURCE,
        "code": {"value": rule_id(finding), **({"url": address} if (address := page(finding)) else {})},
    }
    if finding.suggestion is not None:
        fix = finding.suggestion
        written["suggestions"] = [{"range": _lines(fix.start_line, fix.end_line), "text": fix.replacement}]
    return written


def _lines(first: int, last: int) -> dict[str, dict[str, int]]:
    return {"start": {"line": first}, "end": {"line": last}}
