"""The report in JUnit's XML, as Jenkins and GitLab read it: a finding is a failed test."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.interchange.checkstyle import write
from hunkwise.reviewer.report.remark import plain_text, rule_id
from hunkwise.reviewer.report.summary import left_out
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Finding, Review


def render(review: Review, view: View) -> str:
    """Write one suite: findings fail, what could not be reviewed is an error, what was left out is skipped.

    A review without any of them is one test that passes.
    """
    faults = left_out(skip for skip in review.skipped if skip.fault)
    others = left_out(skip for skip in review.skipped if not skip.fault)
    suite = ET.Element("testsuite", name="hunkwise")
    for finding in review.findings:
        _failure(suite, finding)
    for tag, rows in (("error", faults), ("skipped", others)):
        for place, reason in rows:
            case = ET.SubElement(suite, "testcase", classname=visible_line(place), name="review")
            ET.SubElement(case, tag, message=visible_line(reason))
    if not len(suite):
        ET.SubElement(suite, "testcase", classname="hunkwise", name="review")
    counts = {
        "tests": len(suite),
        "failures": len(review.findings),
        "errors": len(faults),
        "skipped": len(others),
    }
    suite.attrib.update({name: str(count) for name, count in counts.items()})
    if review.seconds:
        suite.set("time", f"{review.seconds:.1f}")
    root = ET.Element("testsuites")
    root.append(suite)
    return write(root)


def _failure(suite: ET.Element, finding: Finding) -> None:
    path, title = visible_line(finding.path), visible_line(finding.title)
    name = f"line {finding.start_line}: {title}"
    case = ET.SubElement(suite, "testcase", classname=path, name=name, file=path)
    kind = f"{finding.severity} {rule_id(finding)}"
    failure = ET.SubElement(case, "failure", message=title, type=kind)
    failure.text = f"{path}:{finding.start_line}: {plain_text(finding)}"
