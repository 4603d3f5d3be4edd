"""SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ (section numbers below are of that text)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hunkwise.reviewer.linters.places import Root, path_of
from hunkwise.reviewer.linters.reading.fields import MISSING, Part, Unreadable, read_json
from hunkwise.reviewer.linters.reported import (
    LONGEST_MESSAGE,
    Edit,
    Reported,
    address,
    lines,
    name,
    plain_rule,
)
from hunkwise.reviewer.types import Severity

_LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
_CWE = re.compile(r"cwe[-/](\d{1,5})\b", re.ASCII | re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(\d{1,2})\}", re.ASCII)
_MOST_BASES = 20  # of which one is relative to the next


def read(data: bytes, root: Root) -> Iterator[Reported]:
    """Read a log: what failed in any of its runs, and was not suppressed there."""
    log = read_json(data)
    if not log["runs"]:
        raise Unreadable("runs", "is missing, so this is no SARIF log")
    for run in log["runs"]:
        yield from _Run(run, root).reported()


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a run says of a rule, beside its name."""

    url: str = ""
    level: str = ""
    severity: Severity | None = None
    cwe: int | None = None
    security: bool = False
    messages: Part = MISSING


class _Run:
    """One run of one tool."""

    def __init__(self, run: Part, root: Root) -> None:
        self._run, self._root = run, root
        self._places: dict[tuple[str, str], str] = {}
        driver = run["tool"]["driver"]
        self._tool = name(driver["name"].text())
        if not self._tool:
            raise Unreadable(f"{run.where}.tool.driver.name", "is missing")
        components = [driver, *run["tool"]["extensions"]]
        self._rules = [[_rule(rule) for rule in part["rules"]] for part in components]
        self._ids = [[rule["id"].text() for rule in part["rules"]] for part in components]
        self._by_id = {
            at: rule
            for ids, rules in zip(reversed(self._ids), reversed(self._rules), strict=True)
            for at, rule in zip(ids, rules, strict=True)
        }

    def reported(self) -> Iterator[Reported]:
        """Give the results that are remarks."""
        for result in self._run["results"]:
            kind, state = result["kind"].text() or "fail", result["baselineState"].text()
            if kind in ("fail", "open", "review") and state != "absent" and not _suppressed(result):
                yield self._result(result)

    def _result(self, result: Part) -> Reported:
        rule_id, rule = self._rule_of(result)
        level = result["level"].text() or rule.level or "warning"
        where = result["locations"].at(0)["physicalLocation"]
        path = self._path(where["artifactLocation"])
        region = where["region"]
        first = region["startLine"].number()
        last = region["endLine"].number(first)
        if last > first and region["endColumn"].number() == 1:
            last -= 1  # the end is not included (3.30.7)
        first, last = lines(first, last)
        tool, rule_name = plain_rule(self._tool, rule_id)
        return Reported(
            tool=tool,
            rule=rule_name,
            path=path,
            start_line=first,
            end_line=last,
            severity=rule.severity or _LEVELS.get(level, Severity.MEDIUM),
            message=_message(result["message"], rule.messages),
            url=rule.url,
            cwe=rule.cwe,
            security=rule.security,
            edits=self._edits(result["fixes"].at(0)["artifactChanges"], path),
        )

    def _rule_of(self, result: Part) -> tuple[str, _Rule]:
        """Find a result's rule by name, or by its place in the list of the tool or of an extension (3.27.5)."""
        named = result["ruleId"].text() or result["rule"]["id"].text()
        at = result["ruleIndex"].number(result["rule"]["index"].number(-1))
        component = result["rule"]["toolComponent"]["index"].number(-1) + 1
        if 0 <= component < len(self._rules) and 0 <= at < len(self._rules[component]):
            return named or self._ids[component][at], self._rules[component][at]
        while (rule := self._by_id.get(named)) is None and "/" in named:  # `CA1000/1` is a case of `CA1000`
            named = named.rpartition("/")[0]
        return result["ruleId"].text() or named, rule or _Rule()

    def _path(self, artifact: Part) -> str:
        if not artifact["uri"] and artifact["index"]:
            artifact = self._run["artifacts"].at(artifact["index"].number())["location"]
        place = artifact["uri"].text(), artifact["uriBaseId"].text()
        if place not in self._places:
            self._places[place] = self._root.relative(path_of(place[0]), self._base(place[1]))
        return self._places[place]

    def _base(self, base_id: str) -> str:
        """Give the folder that a name of one stands for; "" where the log does not say (3.14.14)."""
        path, bases = "", self._run["originalUriBaseIds"]
        for _ in range(_MOST_BASES):
            base = bases[base_id] if base_id else MISSING
            path = path_of(base["uri"].text()).rstrip("/") + (f"/{path}" if path else "")
            if not base or path.startswith("/"):
                break
            base_id = base["uriBaseId"].text()
        return path if path.startswith("/") else ""

    def _edits(self, changes: Part, path: str) -> tuple[Edit, ...]:
        """Give the edits of a fix that concerns the remark's file alone, and text alone."""
        if not changes or changes.at(1) or self._path(changes.at(0)["artifactLocation"]) != path:
            return ()
        edits = []
        for replacement in changes.at(0)["replacements"]:
            region = replacement["deletedRegion"]
            first, start = region["startLine"].number(), region["startColumn"].number(1)
            last, end = region["endLine"].number(first), region["endColumn"].number()
            if first < 1 or start < 1 or last < first or not (end or last > first or region["endLine"]):
                return ()
            edits.append(Edit(first, start, last, end, replacement["insertedContent"]["text"].text()))
        return tuple(edits)


def _rule(rule: Part) -> _Rule:
    properties = rule["properties"]
    tags = [tag.value for tag in properties["tags"] if isinstance(tag.value, str)]
    found = (_CWE.search(tag) for tag in tags)
    grade = properties["security-severity"].value
    return _Rule(
        url=address(rule["helpUri"].text()),
        level=rule["defaultConfiguration"]["level"].text(),
        severity=_graded(str(grade)) if isinstance(grade, str | int | float) else None,
        cwe=next((int(cwe[1]) for cwe in found if cwe), None),
        security="security" in tags or grade is not None,
        messages=rule["messageStrings"],
    )


def _graded(grade: str) -> Severity | None:
    """Read a number from 0 to 10 as GitHub does."""
    try:
        number = float(grade)
    except ValueError:
        return None
    steps = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
    return next((severity for least, severity in steps if number >= least), None)


def _message(message: Part, strings: Part) -> str:
    """Give the text of a message, or the rule's with the message's arguments in their places (3.11)."""
    text = message["text"].text(LONGEST_MESSAGE)
    if not text and message["id"]:
        text = strings[message["id"].text()]["text"].text(LONGEST_MESSAGE)
    if not message["arguments"]:
        return text
    arguments = [part.text(LONGEST_MESSAGE) for part in message["arguments"]]

    def put(found: re.Match[str]) -> str:
        at = int(found[1])
        return arguments[at] if at < len(arguments) else found[0]

    return _PLACEHOLDER.sub(put, text)[:LONGEST_MESSAGE]


def _suppressed(result: Part) -> bool:
    """Tell whether people silenced a result: any suppression that nobody rejected (3.27.23)."""
    states = [part["status"].text() or "accepted" for part in result["suppressions"]]
    return "accepted" in states
