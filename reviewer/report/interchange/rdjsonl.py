"""The report for reviewdog, one JSON value on each line."""

from __future__ import annotations

import json

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.rdjson import diagnostic
from hunkwise.reviewer.types import Review


def render(review: Review, view: View) -> str:
    """Write a Diagnostic on each line."""
    return "".join(
        json.dumps(diagnostic(finding), sort_keys=True).replace("##[", "#\\u0023[") + "\n"
        for finding in review.findings
    )
