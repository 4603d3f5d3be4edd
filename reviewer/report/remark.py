"""One finding as other tools want it: a level, a plain text, a path, an identifier of its kind."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Change, Finding, Hunk, Severity

Level = Literal["error", "warning", "note"]

# The three levels that SARIF, reviewdog and GitHub's annotations know.
LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}


_URL = re.compile(r"https://[\w.~:/?#&=%+-]{1,400}", re.ASCII)


def plain_text(finding: Finding) -> str:
    """Join title, message and advice, with nothing unseen in them."""
    return f"{visible_line(finding.title)}\n{visible(said(finding))}{_numbered(finding)}"


def one_line(finding: Finding) -> str:
    """Join title, message and advice on one line."""
    return visible_line(f"{finding.title}: {said(finding)}{_numbered(finding)}")


def said(finding: Finding) -> str:
    """Join the message and how to mend it."""
    return " ".join(filter(None, (finding.message, finding.advice)))


def _numbered(finding: Finding) -> str:
    return f" (Line numbers are those of patch {finding.part} of this file.)" if finding.part else ""


def of_patch(finding: Finding) -> str:
    """Say beside a remark's place which of its file's patches it is on, where there are several."""
    return f", lines of patch {finding.part}" if finding.part else ""


def rule_id(finding: Finding) -> str:
    """Name the kind of a finding: its rule, or its category. The name never changes, as tools keep state by it."""
    return f"{finding.source.tool}/{finding.source.rule or finding.category}"


def page(finding: Finding) -> str:
    """Give the address of the page about a finding's rule, or about its weakness; "" where there is none."""
    cwe, url = finding.source.cwe, finding.source.url
    if _URL.fullmatch(url):
        return url
    return f"https://cwe.mitre.org/data/definitions/{cwe}.html" if cwe else ""


def facts(finding: Finding) -> str:
    """Name category, rule and weakness of a finding, and how sure it is."""
    source = finding.source
    tool = "" if source.tool == "hunkwise" else f"{source.tool} "
    named = (
        finding.category,
        visible_line(f"{tool}{source.rule}"),
        f"CWE-{source.cwe}" if source.cwe else "",
        sure(finding),
    )
    return ", ".join(filter(None, named)) + of_patch(finding)


def uri(path: str) -> str:
    """Write a path as a relative URI (RFC 3986), without the secrets in it."""
    return quote(redact(path).encode("utf-8", "surrogateescape"))


def sure(finding: Finding) -> str:
    """Write what is known of a remark's worth: measured of its rule, fitted for the model, or nothing.

    A rule's share is of its hits in real code that were right when people read them. Nothing is sure to 100 %.
    """
    if not finding.calibrated:
        return "not measured"
    share = "over 99%" if finding.confidence >= 0.995 else f"{finding.confidence:.0%}"
    return f"{share} of such are right" if finding.source.rule else f"{share} likely"


def replaced(finding: Finding, change: Change | None) -> tuple[str, ...]:
    """Give the lines that a finding's suggestion replaces; () where neither finding nor change holds them."""
    fix = finding.suggestion
    if fix is None:
        return ()
    if finding.start_line <= fix.start_line and fix.end_line <= finding.end_line:
        return finding.code[fix.start_line - finding.start_line : fix.end_line - finding.start_line + 1]
    for file in change.files if change is not None else ():
        for hunk in file.hunks if file.key == (finding.path, finding.part) else ():
            lines = tuple(map(redact, _new_lines(hunk, fix.start_line, fix.end_line)))
            at = finding.start_line - fix.start_line
            if lines and lines[at : at + len(finding.code)] == tuple(map(redact, finding.code)):
                return lines
    return ()


def _new_lines(hunk: Hunk, first: int, last: int) -> tuple[str, ...]:
    """Give the new side's lines `first` to `last`; () unless the hunk holds them all."""
    lines = tuple(line.text for line in hunk.lines if line.new_no and first <= line.new_no <= last)
    return lines if len(lines) == last - first + 1 else ()
