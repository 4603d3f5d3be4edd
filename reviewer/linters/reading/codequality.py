"""GitLab's Code Quality report, and Code Climate's that it comes from, as one list."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading.fields import Part, Unreadable, read_json
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Reported, by_rule, lines, name
from hunkwise.reviewer.types import Severity

_LEVELS = {
    "blocker": Severity.CRITICAL,
    "critical": Severity.HIGH,
    "major": Severity.MEDIUM,
    "minor": Severity.LOW,
    "info": Severity.INFO,
}
_UNNAMED = "codequality"


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a list of issues."""
    issues = read_json(data)
    if not isinstance(issues.value, list):
        raise Unreadable("the report", "must be a list of issues")
    for issue in issues:
        if issue["type"].text() in ("", "issue"):
            yield _issue(issue, root)


def _issue(issue: Part, root: Root) -> Reported:
    where = issue["location"]
    tool, rule = by_rule(issue["check_name"].text(), name(issue["engine_name"].text()) or _UNNAMED)
    first, last = _lines(where)
    return Reported(
        tool=tool,
        rule=rule,
        path=root.relative(where["path"].text()),
        start_line=first,
        end_line=last,
        severity=_LEVELS.get(issue["severity"].text(), Severity.MEDIUM),
        message=issue["description"].text(LONGEST_MESSAGE).removeprefix(f"{rule}: "),
        security=any(category.value == "Security" for category in issue["categories"]),
    )


def _lines(where: Part) -> tuple[int, int]:
    """Read a place by its lines, or by positions with lines and columns."""
    if where["lines"]:
        first = where["lines"]["begin"].number()
        return lines(first, where["lines"]["end"].number(first))
    first = where["positions"]["begin"]["line"].number()
    return lines(first, where["positions"]["end"]["line"].number(first))
