"""One finding as other tools want it: a level, a plain text, a path, an identifier of its kind."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.text.visible import visible, visible_line
from hunkwise.reviewer.types import Category, Change, Finding, Hunk, Severity

Level = Literal["error", "warning", "note"]

# The three levels that SARIF, reviewdog and GitHub's annotations know.
LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}


def plain_text(finding: Finding) -> str:
    """Join title and message, with nothing unseen in them."""
    return f"{visible_line(finding.title)}\n{visible(finding.message)}{_numbered(finding)}"


def one_line(finding: Finding) -> str:
    """Join title and message on one line."""
    return visible_line(f"{finding.title}: {finding.message}{_numbered(finding)}")


def _numbered(finding: Finding) -> str:
    return f" (Line numbers are those of patch {finding.part} of this file.)" if finding.part else ""


def of_patch(finding: Finding) -> str:
    """Say beside a remark's place which of its file's patches it is on, where there are several."""
    return f", lines of patch {finding.part}" if finding.part else ""


def rule_id(category: Category) -> str:
    """Name the kind of a finding; the name never changes, since tools keep state by it."""
    return f"hunkwise/{category}"


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
