"""The report in checkstyle's XML, which most build servers read."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as ET

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.remark import LEVELS, one_line, rule_id
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Review

_SEVERITY = {"error": "error", "warning": "warning", "note": "info"}


def render(review: Review, view: View) -> str:
    """Write the findings by file."""
    root = ET.Element("checkstyle", version="4.3")
    ordered = sorted(review.findings, key=lambda finding: (finding.path, finding.start_line))
    for path, findings in groupby(ordered, key=lambda finding: finding.path):
        file = ET.SubElement(root, "file", name=visible_line(path))
        for finding in findings:
            attributes = {
                "line": str(finding.start_line),
                "severity": _SEVERITY[LEVELS[finding.severity]],
                "message": one_line(finding),
                "source": rule_id(finding),
            }
            ET.SubElement(file, "error", attributes)
    return write(root)


def write(root: ET.Element) -> str:
    """Write an XML document."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
