"""What a tool says, whatever the form in which it says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hunkwise.reviewer.types import Severity

LONGEST_MESSAGE = 2_000  # characters that are kept of what a tool says
_LONGEST_NAME = 100  # of a tool or a rule
_UNNAMED = re.compile(r"[^\w.:/@()+#-]+")
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(?:[/?#][\w.~:/?#@!$&'*+,;=%-]*)?", re.ASCII)
_LONGEST_URL = 500
# Who says it, where a form has the rule alone: `eslint.rules.no-eval`, `ShellCheck.SC2086`, `eslint(no-eval)`
_SOURCES = (
    (re.compile(r"eslint\.rules\.(.+)"), "eslint"),
    (re.compile(r"ShellCheck\.(.+)"), "shellcheck"),
    (re.compile(r"([\w-]+\([\w/-]+\))"), "oxlint"),
)
_TOOL_AND_RULE = re.compile(
    r"(hunkwise|ruff|oxlint|eslint|shellcheck|hadolint|actionlint|zizmor|clang-tidy|cppcheck|bandit|semgrep)/(.+)",
    re.IGNORECASE,
)  # as reports of ours write it


@dataclass(frozen=True, slots=True)
class Edit:
    """Text to put in the place of other text. Lines and columns are 1-based; the end's column is not included."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Reported:
    """One remark of a tool. `path` is relative to the repository's root, "" for a file that is not in it.

    A remark on a whole file has the line 0. `severity` is the tool's own level in our words; `security` says that
    the tool counts the rule as one about security. All `edits` together mend it; () where the tool has no fix that
    it calls safe. Texts may hold anything: whoever shows them must escape them.
    """

    tool: str
    rule: str
    path: str
    start_line: int
    end_line: int
    severity: Severity
    message: str
    url: str = ""
    cwe: int | None = None
    security: bool = False
    edits: tuple[Edit, ...] = ()


def name(text: str) -> str:
    """Make a name of a tool or a rule fit to be one: a word, and not a long one."""
    return _UNNAMED.sub("-", text.strip()[:_LONGEST_NAME]).strip("-")


def by_rule(text: str, unknown: str) -> tuple[str, str]:
    """Tell tool and rule by the name of the rule alone; the tool is `unknown` where it does not tell."""
    if both := _TOOL_AND_RULE.fullmatch(text):
        return both[1], name(both[2])
    for form, tool in _SOURCES:
        if found := form.fullmatch(text):
            return tool, name(found[1])
    return unknown, name(text)


def plain_rule(tool: str, rule: str) -> tuple[str, str]:
    """Take the tool off the name of a rule; in a report of ours it says whose rule it is."""
    own, slash, rest = rule.partition("/")
    return (own, name(rest)) if slash and tool in ("hunkwise", own) else (tool, name(rule))


def address(text: str) -> str:
    """Give a web address as it is, and "" for what is none."""
    return text if len(text) <= _LONGEST_URL and _URL.fullmatch(text) else ""


def lines(first: int, last: int) -> tuple[int, int]:
    """Give the lines of a remark as a range; (0, 0) where it has none."""
    return (first, max(first, last)) if first > 0 else (0, 0)
