"""One finding as other tools want it: a level, a plain text, a path, an identifier of its kind."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from hunkwise.reviewer.types import Category, Finding, Severity
from hunkwise.reviewer.visible import visible, visible_line

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
    return f"{visible_line(finding.title)}\n{visible(finding.message)}"


def one_line(finding: Finding) -> str:
    """Join title and message on one line."""
    return visible_line(f"{finding.title}: {finding.message}")


def rule_id(category: Category) -> str:
    """Name the kind of a finding; the name never changes, since tools keep state by it."""
    return f"hunkwise/{category}"


def uri(path: str) -> str:
    """Write a path as a relative URI (RFC 3986)."""
    return quote(path.encode("utf-8", "surrogateescape"))
