"""Where rules match in a text. Runs in a process of its own (serve.py), for the grammars are native code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.checks.flow import Functions, flow_needs, flows, triggers
from hunkwise.reviewer.checks.functions import CHECKS
from hunkwise.reviewer.checks.needs import META, Need, Text, every, needs, of_regex, once, words_of
from hunkwise.reviewer.checks.patterns import asked, bound, metavariables, named_kind, root_kind
from hunkwise.reviewer.checks.rule import Rule
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.languages.syntax import Refused, find, find_all, tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MOST_LINES = 8  # of a remark; of what is longer the first line is remarked on
MOST_HITS = 50  # of one rule in one file
_MOST_CANDIDATES = 3  # nodes that a rule is tried on one by one
_MOST_WITHIN = 8  # nodes that a rule is looked for in one by one
_MOST_TOGETHER = 200  # nodes that rules are asked about together
_LONGEST_NAME = 60  # characters of a metavariable in a text

_TESTS = re.compile(r"(?:^|_)tests?(?:_|$)")


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a rule matches, lines 1-based: `start`..`end` to remark on.

    `names` are the texts of metavariables; `fix` the characters to replace (0-based, end excluded) and by what.
    """

    rule: str
    start: int
    end: int
    names: Mapping[str, str]
    fix: tuple[int, int, str] | None = None

    def filled(self, text: str) -> str:
        """Put the names in view into a text of the rule; a value that a flow follows and nothing names is "it"."""

        def put(found: re.Match[str]) -> str:
            name = found[1] or found[2] or ""
            return self.names.get(name, "it" if name == "X" else found[0])

        return META.sub(put, text)


@dataclass(frozen=True, slots=True)
class Match:
    """A node that a rule matches, and what its metavariables stand for."""

    node: SgNode
    names: Mapping[str, SgNode | Sequence[SgNode]]


def hits(rules: Sequence[Rule], language: str, text: str) -> list[Hit]:
    """Find where rules match in a text, in order. Raises ConfigError for a rule that ast-grep refuses."""
    looked_at = Text(text)
    rules = [rule for rule in rules if language in rule.languages and _possible(rule, language, looked_at)]
    if not rules:
        return []
    root = tree(language, text)
    found: dict[tuple[str, int, int], Hit] = {}
    for rule, match in _matches(rules, root, language):
        if _in_error(match.node) or (not rule.tests and _in_test_module(match.node, language)):
            continue
        if not (rule.not_file and looked_at.matches(rule.not_file)):
            hit = _hit(rule, match, text)
            found.setdefault((hit.rule, hit.start, hit.end), hit)
    return sorted(found.values(), key=lambda hit: (hit.start, hit.end, hit.rule))


def _possible(rule: Rule, language: str, text: Text) -> bool:
    """Tell whether a rule can match in a text, as far as what it needs tells."""
    words = _words(rule, language)
    if words is not None and text.lacks(words):
        return False
    return text.meets(_needed(rule, language)) and (not rule.file or text.matches(rule.file))


@once
def _words(rule: Rule, language: str) -> frozenset[str] | None:
    return words_of(_needed(rule, language))


@once
def _needed(rule: Rule, language: str) -> Need:
    file = of_regex(rule.file) if rule.file else needs(None)
    return every(
        [
            file,
            needs(rule.within),
            flow_needs(rule.flow, language) if rule.flow else needs(rule.find.get("rule")),
        ]
    )


def _matches(rules: Sequence[Rule], root: SgNode, language: str) -> Iterator[tuple[Rule, Match]]:
    finding = [rule for rule in rules if rule.find]
    for rule, nodes in _found(finding, root, language):
        names = metavariables(rule.find)
        yield from ((rule, Match(node, bound(node, names))) for node in nodes[:MOST_HITS])
    if flowing := [rule for rule in rules if rule.flow]:
        functions = _functions(flowing, root, language)
        for rule in flowing:
            yield from ((rule, match) for match in _flowing(rule, functions, language)[:MOST_HITS])
    for rule in rules:
        if rule.check:
            yield from ((rule, Match(node, names)) for node, names in CHECKS[rule.check](root, language))


def _found(rules: Sequence[Rule], root: SgNode, language: str) -> Iterator[tuple[Rule, list[SgNode]]]:
    """Find where rules match: those that name a kind of nodes in one walk, for most texts hold no defect.

    Where that finds too much, and of the others, those for nodes of one kind are looked for in one walk.
    """
    groups: dict[tuple[str, bool], list[Rule]] = {}
    for rule in rules:
        if rule.within:
            yield rule, _within(rule, root, language)
            continue
        kind = "" if "utils" in rule.find else root_kind(rule.find["rule"], language)
        sure = kind == named_kind(rule.find["rule"]) and "constraints" not in rule.find
        groups.setdefault((kind, sure), []).append(rule)
    plain = [rule for (kind, sure), group in groups.items() if kind and sure for rule in group]
    together = _candidates(plain, root, language) if len(plain) > 1 else None
    for (kind, sure), group in groups.items():
        nodes = None
        if kind and sure and together is not None:
            nodes = [each for each in together if each[1] == kind]
        elif kind and len(group) > 1:
            nodes = _candidates(group, root, language)
        for rule in group:
            if nodes is None:
                yield rule, _find_all(rule, rule.find, root, language)
                continue
            near = [node for node, kind, text in nodes if _near(rule, kind, text)]
            if len(near) > _MOST_CANDIDATES:
                yield rule, _find_all(rule, rule.find, root, language)
            else:
                yield rule, [found for node in near if (found := _itself(rule, node, language)) is not None]


def _within(rule: Rule, root: SgNode, language: str) -> list[SgNode]:
    """Find where a rule matches, in the nodes that it can match in: those are few, and to ask all is dear."""
    holders = _find_all(rule, _as_rule(rule.within), root, language)
    inside = holders if len(holders) <= _MOST_WITHIN else [root]
    return [found for node in inside for found in _find_all(rule, rule.find, node, language)]


@once
def _as_rule(within: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the nodes that a rule can match in as a rule for them: the very same each time, which `asked` keeps."""
    return {"rule": within}


def _candidates(rules: Sequence[Rule], root: SgNode, language: str) -> list[tuple[SgNode, str, Text]] | None:
    """Give the nodes that one of these rules may match, their kinds and words; None: too many to try one by one.

    Constraints only narrow a rule, so they are left out here: beside others they would be asked of the wrong one.
    """
    try:
        nodes = find_all(root, {"rule": {"any": [asked(rule.find, language)["rule"] for rule in rules]}})
    except Refused:
        return None  # which of them is refused is told where each is looked for
    if len(nodes) > _MOST_TOGETHER:
        return None
    return [(node, node.kind(), Text(node.text())) for node in nodes]


def _near(rule: Rule, kind: str, text: Text) -> bool:
    """Tell whether a rule can match a node of a kind and a text."""
    wanted = rule.find["rule"]
    return wanted.get("kind", kind) == kind and text.meets(needs(wanted, False))


def _itself(rule: Rule, node: SgNode, language: str) -> SgNode | None:
    """Give a node as a rule matches it, with what its metavariables stand for; None where it does not."""
    try:
        found = find(node, asked(rule.find, language))
    except Refused as error:
        raise ConfigError(f"rule {rule.id}: {error}") from None
    return found if found is not None and _place(found) == _place(node) else None


def _place(node: SgNode) -> tuple[int, int, str]:
    where = node.range()
    return where.start.index, where.end.index, node.kind()


def _find_all(rule: Rule, wanted: Mapping[str, Any], root: SgNode, language: str) -> list[SgNode]:
    """Find what a rule, or a part of it, says. Raises ConfigError."""
    try:
        return find_all(root, asked(wanted, language))
    except Refused as error:
        raise ConfigError(f"rule {rule.id}: {error}") from None


def _functions(rules: Sequence[Rule], root: SgNode, language: str) -> Functions:
    try:
        return Functions(root, language, [entry for rule in rules for entry in triggers(rule.flow)])
    except Refused:
        return Functions(root, language)  # which of them is refused is told where each is looked for


def _flowing(rule: Rule, functions: Functions, language: str) -> list[Match]:
    try:
        return [Match(flow.node, flow.names) for flow in flows(rule.flow, functions, language)]
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"rule {rule.id}: {error}") from None


def _in_error(node: SgNode) -> bool:
    """Tell whether a node stands in what the grammar could not read."""
    return any(holder.kind() == "ERROR" for holder in node.ancestors()) and node.kind() != "program"


def _in_test_module(node: SgNode, language: str) -> bool:
    """Tell whether a node stands in the module of a file of Rust that holds its tests."""
    if language != "rust":
        return False
    modules = (holder for holder in node.ancestors() if holder.kind() == "mod_item")
    return any((name := module.field("name")) and _TESTS.search(name.text()) for module in modules)


def _hit(rule: Rule, match: Match, text: str) -> Hit:
    at = match.names.get(rule.at, match.node) if rule.at else match.node
    place = at[0] if isinstance(at, Sequence) else at
    start, end = place.range().start.line + 1, _last_line(place)
    return Hit(
        rule.id,
        start,
        end if end - start < MOST_LINES else start,
        {name: _shown(_text(value, text)) for name, value in match.names.items()},
        _fix(rule, match, text),
    )


def _last_line(node: SgNode) -> int:
    """Give the last line of a node; the newline that some nodes end with is not of the next one."""
    end = node.range().end
    return max(node.range().start.line, end.line - (end.column == 0)) + 1


def _text(value: SgNode | Sequence[SgNode], text: str) -> str:
    if isinstance(value, Sequence):
        return text[value[0].range().start.index : value[-1].range().end.index] if value else ""
    return value.text()


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"


def _fix(rule: Rule, match: Match, text: str) -> tuple[int, int, str] | None:
    if rule.fix is None:
        return None
    where = match.node.range()

    def put(found: re.Match[str]) -> str:
        value = match.names.get(found[1] or found[2] or "")
        return _text(value, text) if value is not None else ""

    return where.start.index, where.end.index, META.sub(put, rule.fix)
