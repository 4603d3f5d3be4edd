"""What the rules of other tools are in our words: data, `maps/TOOL.rules.toml`, and `maps/kinds.toml`.

A pattern is the name of a rule, or its beginning and "*"; the longest one that fits a rule counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from hunkwise.reviewer.linters.reported import Reported, address
from hunkwise.reviewer.types import Category, Severity

_FOLDER = resources.files("hunkwise.reviewer.linters") / "maps"
_MOST_UNMAPPED = Severity.MEDIUM  # a rule that nobody here has looked at is not called worse
_IN_BRACKETS = re.compile(r"([\w-]+)\(([\w/-]+)\)")  # as oxlint writes `plugin(rule)`
_SYNONYMS = (("eslint-plugin-", ""), ("@", ""), ("typescript/", "typescript-eslint/"), ("eslint/", ""))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of remark, whichever tool makes it. `name` is "" where the rule is in no map."""

    name: str
    category: Category
    severity: Severity
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Map:
    """What is known of the rules of a tool; the kind "" is noise, and so is a message with one of `phrases`.

    `borrowed` says how rules of other tools begin.
    """

    tool: str
    kinds: Mapping[str, str]
    severities: Mapping[str, Severity] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    borrowed: Mapping[str, str] = field(default_factory=dict)
    phrases: tuple[str, ...] = ()


def kind_of(said: Reported) -> Kind | None:
    """Say what a remark is about; None for noise: style, naming, docs, complexity."""
    if said.tool == "hunkwise":  # a report of ours: it is graded already
        known_as = Category(said.rule) if said.rule in list(Category) else _unmapped(said).category
        return Kind("", known_as, said.severity)
    rule, known = plain(said.rule), _map_for(said.tool, said.rule)
    if known is None:
        return _unmapped(said)
    pattern = _longest(rule, known.kinds)
    if pattern is None:
        return _unmapped(said)
    if not known.kinds[pattern] or any(phrase in said.message for phrase in known.phrases):
        return None
    kind = _kinds()[known.kinds[pattern]]
    return Kind(kind.name, kind.category, known.severities.get(rule, kind.severity), kind.about)


def names_of(said: Reported) -> frozenset[str]:
    """Give what a rule is called where rules of ours name it: `ruff:S506`, `eslint:no-eval`."""
    known = _map_for(said.tool, said.rule)
    tools = {said.tool.lower(), *([known.tool] if known else ())}
    return frozenset(f"{tool}:{plain(said.rule)}" for tool in tools)


def page_of(said: Reported) -> str:
    """Give the page of a rule: as the report says, or as the tool's pages are called."""
    known = _map_for(said.tool, said.rule)
    if said.url or known is None:
        return said.url
    rule = plain(said.rule)
    prefix = max((start for start in known.pages if rule.startswith(start)), key=len, default=None)
    return "" if prefix is None else address(known.pages[prefix].format(rule=rule.removeprefix(prefix)))


def plain(rule: str) -> str:
    """Write the name of a rule as the maps do."""
    if found := _IN_BRACKETS.fullmatch(rule):
        rule = f"{found[1]}/{found[2]}"
    for start, instead in _SYNONYMS:
        if rule.startswith(start):
            rule = instead + rule.removeprefix(start)
    return rule


def _unmapped(said: Reported) -> Kind:
    category = Category.SECURITY if said.security else Category.CORRECTNESS
    return Kind("", category, max(said.severity, _MOST_UNMAPPED, key=lambda severity: severity.rank))


def _longest(rule: str, patterns: Mapping[str, str]) -> str | None:
    if rule in patterns:
        return rule
    starts = (f"{rule[:length]}*" for length in range(len(rule), -1, -1))
    return next((start for start in starts if start in patterns), None)


def _map_for(tool: str, rule: str) -> _Map | None:
    known = _maps().get(tool.lower())
    other = (
        next((name for start, name in known.borrowed.items() if rule.startswith(start)), "") if known else ""
    )
    return _maps()[other] if other else known


@cache
def _kinds() -> Mapping[str, Kind]:
    table = tomllib.loads((_FOLDER / "kinds.toml").read_text("utf-8"))
    return {
        name: Kind(name, Category(kind["category"]), Severity(kind["severity"]), kind["about"])
        for name, kind in table.items()
    }


@cache
def _maps() -> Mapping[str, _Map]:
    """Read all maps, by each name that their tools have in reports."""
    known: dict[str, _Map] = {}
    for file in _FOLDER.iterdir():
        if file.name.endswith(".rules.toml"):
            table = tomllib.loads(file.read_text("utf-8"))
            patterns = {pattern: kind for kind, rules in table["rules"].items() for pattern in rules}
            one = _Map(
                table["aliases"][0],
                {**dict.fromkeys(table["off"], ""), **patterns},
                {rule: Severity(severity) for rule, severity in table.get("severities", {}).items()},
                table.get("pages", {}),
                table.get("borrowed", {}),
                tuple(table.get("phrases", ())),
            )
            known |= dict.fromkeys(table["aliases"], one)
    return known
