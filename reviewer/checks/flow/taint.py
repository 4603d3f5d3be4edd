"""Values from outside that reach a place where they do harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.checks.flow.facts import Facts, Taint, clear, join
from hunkwise.reviewer.checks.flow.functions import Functions, Match
from hunkwise.reviewer.checks.flow.spec import Flow, Spec
from hunkwise.reviewer.checks.flow.steps.graph import Graph, Step
from hunkwise.reviewer.checks.flow.steps.tree import Key, Node, inner, key, label, path
from hunkwise.reviewer.checks.flow.values import Values

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def tainted(spec: Spec, file: Functions) -> Iterator[Flow]:
    """Find the sinks that something from one of the sources reaches."""
    sinks = file.every(spec["sinks"])
    if not sinks:
        return
    entries: list[Mapping[str, Any]] = [
        *spec["sources"], *(entry for name in spec.sets for entry in file.grammar.sources.get(name, ()))
    ]  # fmt: skip
    sources = file.matches(entries)
    if not sources and "parameter" not in spec.sets:
        return
    cleaners = [match.key for match in file.matches(spec["cleaners"])]
    for unit, those in file.by_unit(sinks, outermost=True):
        where = unit.range()
        near = [one for one in sources if where.start.index <= one.key[0] and one.key[1] <= where.end.index]
        if not near and "parameter" not in spec.sets:
            continue
        inline = frozenset(name for match in those for name in file.between(match.node, unit))
        graph = file.graph(unit, inline)
        if graph is not None:
            taints = _Taints(graph, near, cleaners, file.every(spec["checks"]), spec)
            yield from taints.reached(those)


class _Taints(Values):
    def __init__(
        self, graph: Graph, sources: list[Match], cleaners: list[Key], checks: list[Match], spec: Spec
    ) -> None:
        self.filled = [match for match in sources if match.one("OUT") is not None]
        super().__init__({match.key: match.node for match in sources if match.one("OUT") is None}, cleaners)
        self.graph = graph
        self.checks = checks
        self.parameters = "parameter" in spec.sets
        self.start = spec.start

    def reached(self, sinks: list[Match]) -> Iterator[Flow]:
        """Give the sinks that are reached, each once."""
        fills = self._by_step(self.filled)
        checks = self._by_step(self.checks)

        def transfer(step: Step, facts: Facts) -> Facts:
            facts = self.after(step, facts)
            for match in fills.get(step.at, ()):
                facts = self._fill(step, match, facts)
            for match in checks.get(step.at, ()):
                facts = _check(step, match, facts)
            return facts

        nothing: Facts = {}
        before = self.graph.forward(nothing, transfer, join, raising=True)
        said: set[Key] = set()
        for match in sinks:
            for step in self.graph.holding(match.key[0], match.key[1]):
                if match.key in said or step.at not in before:
                    continue
                found = self._reached(match, step, before[step.at])
                if found is not None:
                    said.add(match.key)
                    names = {name: nodes[0] for name, nodes in match.names.items()}
                    yield Flow(match.node, {**names, "SINK": found[0], "SOURCE": found[1].source})

    def _by_step(self, matches: list[Match]) -> dict[int, list[Match]]:
        steps: dict[int, list[Match]] = {}
        unit = self.graph.unit
        for match in matches:
            if unit.start <= match.key[0] and match.key[1] <= unit.end:
                for step in self.graph.holding(match.key[0], match.key[1]):
                    steps.setdefault(step.at, []).append(match)
        return steps

    def _reached(self, match: Match, step: Step, facts: Facts) -> tuple[SgNode, Taint] | None:
        for part in match.names.get("SINK", ()):
            node = find(step.node, key(part))
            if node is not None:
                taint = self.of(node, self.inside(node, step, facts))
                if taint is not None and (taint.leads or not self.start):
                    return part, taint
        return None

    def _fill(self, step: Step, match: Match, facts: Facts) -> Facts:
        out = match.one("OUT")
        node = find(step.node, key(out)) if out is not None else None
        while node is not None and not path(node) and node.named:
            node = node.named[0]
        if node is None or not (name := path(node)):
            return facts
        return {**facts, name: Taint(match.node, match.key[0], frozenset({name}))}

    def _declared(self, target: Node) -> Taint | None:
        found = super()._declared(target)
        if (
            found is None
            and self.parameters
            and not target.grammar.trusted_types.search(_declaration(target))
        ):
            return Taint(target.sg, target.start, frozenset({target.text}))
        return found


def _check(step: Step, match: Match, facts: Facts) -> Facts:
    """Give what is known once something was looked at: `checks` of a spec."""
    about = match.one("X")
    node = find(step.node, key(about)) if about is not None else None
    if node is None:
        return facts
    cleared = dict(facts)
    clear(label(inner(node)), cleared)
    return cleared


def _declaration(target: Node) -> str:
    holder = target.parent
    return target.text if holder is None or holder.is_closed or len(holder.named) > 3 else holder.text


def find(node: Node, wanted: Key) -> Node | None:
    """Find a node of the parser in the mirror; it may be inside other functions."""
    while node.key != wanted:
        inside = next((kid for kid in node.named if kid.start <= wanted[0] and wanted[1] <= kid.end), None)
        if inside is None:
            return None
        node = inside
    return node
