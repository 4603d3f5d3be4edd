"""A parsed file as the analyses see it: where rules match, and the functions around that, each lowered once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from hunkwise.reviewer.checks.flow.steps.grammar import Grammar, grammar
from hunkwise.reviewer.checks.flow.steps.graph import Graph
from hunkwise.reviewer.checks.flow.steps.lower import TooLong, lower
from hunkwise.reviewer.checks.flow.steps.tree import Key, Node, key
from hunkwise.reviewer.checks.needs import Text, needs, once
from hunkwise.reviewer.checks.patterns import asked, bound, metavariables
from hunkwise.reviewer.languages.syntax import find_all, of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MOST_MATCHES = 400  # of one rule in a file; generated code has more
_MOST_AREAS = 12  # functions that are looked through one by one; beyond, the file is


@dataclass(frozen=True, slots=True)
class Match:
    """A place where an entry of a spec matches. Of `$$$NAMES` there may be several nodes."""

    node: SgNode
    key: Key
    names: Mapping[str, tuple[SgNode, ...]]

    def one(self, name: str) -> SgNode | None:
        """Give what a metavariable stands for."""
        nodes = self.names.get(name, ())
        return nodes[0] if nodes else None


class Functions:
    """One file: made once, and handed to each rule that is tried on it.

    With `begins` (what each of those rules begins with, spec.triggers), only functions that hold one are read.
    """

    def __init__(
        self, root: SgNode, language: str, begins: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        self.root = root
        self.grammar: Grammar = grammar(language)
        self.text = "\n" * root.range().start.index + root.text()  # a tree may begin behind blank lines
        self._graphs: dict[tuple[Key, frozenset[Key], bool], Graph | None] = {}
        self._units: dict[Key, Node] = {}
        self._found: dict[str, list[Match]] = {}
        self._areas = [root] if begins is None else self._holding(begins)

    def _holding(self, begins: Sequence[Mapping[str, Any]]) -> list[SgNode]:
        """Find the functions that any of these can be in, in one walk. Constraints only narrow a rule."""
        rules = [asked(entry, self.grammar.language) for entry in begins if self.words.meets(needs(entry))]
        if not rules:
            return []
        if any("utils" in rule for rule in rules):
            return [self.root]
        areas: dict[Key, SgNode] = {}
        for node in find_all(self.root, {"rule": {"any": [rule["rule"] for rule in rules]}}):
            area = self._area(node)
            areas[key(area)] = area
            if len(areas) > _MOST_AREAS or area is self.root:
                return [self.root]
        return list(areas.values())

    def _area(self, node: SgNode) -> SgNode:
        """Give the outermost function around a node, or the whole file."""
        area = self.root
        for holder in node.ancestors():
            if holder.kind() in self.grammar.functions:
                area = holder
        return area

    @cached_property
    def words(self) -> Text:
        """What the text holds: what a rule needs one of can't match without it."""
        return Text(self.text)

    @cached_property
    def _errors(self) -> list[int]:
        return sorted(node.range().start.index for node in of_kind(self.root, "ERROR"))

    def sound(self, node: SgNode) -> bool:
        """Tell whether the grammar could read all of a node."""
        where = node.range()
        at = bisect_right(self._errors, where.start.index - 1)
        inside = at < len(self._errors) and self._errors[at] < where.end.index
        return not inside and not any(holder.kind() == "ERROR" for holder in node.ancestors())

    def matches(self, entries: Sequence[Mapping[str, Any]]) -> list[Match]:
        """Find where any of these entries matches, in order."""
        found: dict[Key, Match] = {}
        for entry in entries:
            for match in self._matches(entry):
                found.setdefault(match.key, match)
        return sorted(found.values(), key=lambda match: match.key)

    def every(self, entries: Sequence[Mapping[str, Any]]) -> list[Match]:
        """Find where these entries match; a node may come more than once, with other names."""
        return sorted(
            (match for entry in entries for match in self._matches(entry)), key=lambda match: match.key
        )

    def _matches(self, entry: Mapping[str, Any]) -> list[Match]:
        if not self.words.meets(needs(entry)):
            return []
        name = _written(entry)
        if name not in self._found:
            wanted = asked(entry, self.grammar.language)
            nodes = [node for area in self._areas for node in find_all(area, wanted)]
            names = metavariables(entry)
            self._found[name] = [Match(node, key(node), _named(node, names)) for node in nodes[:MOST_MATCHES]]
        return self._found[name]

    def unit(self, node: SgNode, *, outermost: bool) -> SgNode | None:
        """Give the function that a node stands in, or the whole file where code may stand outside of functions."""
        unit = None
        for holder in node.ancestors():
            kind = holder.kind()
            if kind in self.grammar.functions:
                unit = holder
                if not outermost:
                    break
            elif kind in self.grammar.opaque and unit is not None:
                break
        if unit is None and self.grammar.top:
            if any(holder.kind() in self.grammar.opaque for holder in node.ancestors()):
                return None
            unit = self.root
        return unit

    def by_unit(self, matches: Sequence[Match], *, outermost: bool) -> Iterator[tuple[SgNode, list[Match]]]:
        """Group matches by the function that they stand in; those that could not be read are left out."""
        units: dict[Key, tuple[SgNode, list[Match]]] = {}
        for match in matches:
            unit = self.unit(match.node, outermost=outermost)
            if unit is not None:
                units.setdefault(key(unit), (unit, []))[1].append(match)
        for unit, those in units.values():
            if self.sound(unit):
                yield unit, those

    def node(self, unit: SgNode) -> Node:
        """Give the mirror of a function."""
        return self._units.setdefault(key(unit), Node(unit, None, self.grammar, self.text))

    def graph(self, unit: SgNode, inline: frozenset[Key] = frozenset()) -> Graph | None:
        """Give the steps of a function; nothing where it is too long."""
        name = (key(unit), inline, True)
        if name not in self._graphs:
            try:
                self._graphs[name] = lower(self.node(unit), inline)
            except TooLong:
                self._graphs[name] = None
        return self._graphs[name]

    def between(self, node: SgNode, unit: SgNode) -> Iterator[Key]:
        """Give the functions between a node and the function that is looked at."""
        end = key(unit)
        for holder in node.ancestors():
            if key(holder) == end:
                return
            if holder.kind() in self.grammar.functions:
                yield key(holder)


_written = once(repr)


def _named(node: SgNode, names: set[str]) -> dict[str, tuple[SgNode, ...]]:
    found = bound(node, names)
    return {
        name: tuple(part for part in those if part.is_named())
        if isinstance(those, list)
        else (cast("Any", those),)
        for name, those in found.items()
    }
