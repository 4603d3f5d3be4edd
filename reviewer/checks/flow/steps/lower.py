"""From the syntax of a function to its steps (graph.py): one walk for all languages, told by tables of kinds."""

from __future__ import annotations

from hunkwise.reviewer.checks.flow.steps.branching import Branching
from hunkwise.reviewer.checks.flow.steps.building import TooLong
from hunkwise.reviewer.checks.flow.steps.graph import Graph
from hunkwise.reviewer.checks.flow.steps.leaving import Leaving
from hunkwise.reviewer.checks.flow.steps.targets import pairs, targets_of
from hunkwise.reviewer.checks.flow.steps.tree import Key, Node, between, parameters

__all__ = ["TooLong", "lower"]

_PLAIN = ("=", ":=", ":", "<-", "in", "")


def lower(unit: Node, inline: frozenset[Key]) -> Graph:
    """Give the steps of a function; those functions in it that are in `inline` are walked where they stand.

    Raises TooLong.
    """
    return _Lowering(unit, inline).graph()


class _Lowering(Leaving, Branching):
    def graph(self) -> Graph:
        """Make the steps."""
        self.emit("entry", self.unit)
        for holder in parameters(self.unit):
            self.emit("parameters", holder, tuple(targets_of(holder)))
        body = self.unit.field("body")
        if self.unit.kind == self.grammar.top or body is None:
            self.block(self.unit)
        else:
            self.statement(body)
        self.emit("exit", self.unit)
        self.exits += self.open
        self.open = self.exits
        end = self.emit("join", self.unit)
        for step in self.thrown:
            if end not in self.steps[step].raises:
                self.steps[step].raises.append(end)
        for step, label in self.gotos:
            self.steps[step].next.append(self.labels.get(label, end))
        return Graph(self.unit, self.steps, end, self.branched)

    def _block(self, node: Node) -> None:
        self.block(node)

    def _parts(self, node: Node) -> None:
        """A declaration of several things: each is a statement."""
        for kid in node.named:
            if self.grammar.role(kid.kind):
                self.statement(kid)

    def _skip(self, node: Node) -> None:
        del node

    def _bind(self, node: Node) -> None:
        left = self.part(node, "left")
        right = self.part(node, "right")
        right = None if right is left else right
        names = node.fields("name") if left is not None and len(node.fields("name")) > 1 else []
        if right is None or left is None:
            self.declared(node, names or node.fields("declarator") or ([left] if left is not None else []))
            return
        if self.grammar.role(right.kind):
            self.statement(right)
        elif right.is_closed or right.kind in self.grammar.inlined:
            self.closure(right, None)
        else:
            self.effects(right)
        self.effects(left)
        operator = between(left, right)
        if (
            operator.endswith("=")
            and operator not in _PLAIN
            and not operator.startswith(":")
            and len(operator) < 5
        ):
            self.emit("augment", node, tuple(targets_of(left)), right)
            return
        for targets, value in pairs(names or [left], right):
            self.emit("with" if self.closes(node) else "bind", node, targets, value)

    def declared(self, node: Node, lefts: list[Node]) -> None:
        """A declaration without a value, or one that holds others with values."""
        for kid in node.named:
            if self.grammar.role(kid.kind):
                self.statement(kid)
        targets = tuple(
            target for left in lefts if not self.grammar.role(left.kind) for target in targets_of(left)
        )
        if targets:
            self.emit("declare", node, targets)

    def closes(self, node: Node) -> bool:
        """Tell whether what is declared here is closed by the language at the end of the block."""
        for holder in node.ancestors():
            if holder.is_closed or self.grammar.role(holder.kind) == "block":
                return False
            if holder.source.startswith(("using ", "using(", "await using "), holder.start):
                return True
        return False

    def _update(self, node: Node) -> None:
        self.effects(node)
        self.emit("augment", node, tuple(targets_of(node)), node)
