"""Branches and loops."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.checks.flow.steps.building import Building, Jump
from hunkwise.reviewer.checks.flow.steps.targets import targets_of
from hunkwise.reviewer.checks.flow.steps.tree import Node, inner

_TRUE = ("true", "True", "1", "TRUE")


class Branching(Building):
    """What runs on one way only, or again."""

    def _if(self, node: Node) -> None:
        init = node.field("initializer", "init")
        if init is not None:
            self.statement(init)
        test = self.part(node, "test")
        self.value(test)
        start = list(self.open)
        swapped = bool(self.grammar.roles[node.kind].get("unless"))
        self.assume(test, truth=not swapped)
        then = self.part(node, "then")
        if then is not None:
            self.statement(then)
        ends, self.open = self.open, start
        self.assume(test, truth=swapped)
        where = self.grammar.roles[node.kind].get("else", "alternative")
        others = node.named[where : where + 1] if isinstance(where, int) else node.fields(where)
        if node.source[node.start : node.start + 4] == "elif":
            others = []
        self.otherwise([other for other in others if other is not then])
        self.open = [*ends, *self.open]
        self.emit("join", node)

    def otherwise(self, others: list[Node]) -> None:
        """Walk through `elif … elif … else`, which some grammars put side by side."""
        if not others:
            return
        first, rest = others[0], others[1:]
        if self.grammar.role(first.kind) == "if" and rest:
            test = self.part(first, "test")
            self.value(test)
            start = list(self.open)
            self.assume(test, truth=True)
            then = self.part(first, "then")
            if then is not None:
                self.statement(then)
            ends, self.open = self.open, start
            self.assume(test, truth=False)
            self.otherwise(rest)
            self.open = [*ends, *self.open]
            self.emit("join", first)
        else:
            self.statement(first)

    def _while(self, node: Node) -> None:
        test = self.part(node, "test")
        head = self.emit("join", node)
        self.value(test)
        start = list(self.open)
        unless = bool(self.grammar.roles[node.kind].get("unless"))
        self.assume(test, truth=not unless)
        jump = self.loop()
        body = self.part(node, "body")
        if body is not None:
            self.statement(body)
        self.back(jump, head)
        self.open = [] if test is not None and inner(test).text in _TRUE else start
        self.assume(test, truth=unless)
        if (other := node.field("alternative")) is not None:
            self.statement(other)
        self.open += jump.breaks
        self.emit("join", node)

    def _do(self, node: Node) -> None:
        head = self.emit("join", node)
        jump = self.loop()
        body = self.part(node, "body")
        if body is not None:
            self.statement(body)
        self.around.pop()
        self.open += jump.continues or ()
        test = self.part(node, "test")
        self.value(test)
        for at in self.open:
            self.steps[at].next.append(head)
        self.assume(test, truth=False)
        self.open += jump.breaks
        self.emit("join", node)

    def _for(self, node: Node) -> None:
        clause = next((kid for kid in node.named if self.grammar.role(kid.kind) == "clause"), node)
        if self.grammar.role(clause.kind) == "each":
            self.each(clause, node)
            return
        ranged = next((kid for kid in node.named if self.grammar.role(kid.kind) == "range"), None)
        if ranged is not None:
            self.each(ranged, node)
            return
        init = self.part(clause, "init")
        if init is not None:
            self.statement(init)
        head = self.emit("join", node)
        test = clause.field("condition")
        body = node.field("body")
        if clause is node and test is None and len(node.named) == 2 and body is not None:
            test = next((kid for kid in node.named if kid is not body), None)  # Go: for x < 3 { }
        self.value(test)
        start = list(self.open)
        self.assume(test, truth=True)
        jump = self.loop()
        if body is not None:
            self.statement(body)
        self.open += jump.continues or ()
        jump.continues = []
        update = self.part(clause, "update")
        if self.open and update is not None:
            self.statement(update)
        self.back(jump, head)
        self.open = start if test is not None and inner(test).text not in _TRUE else []
        self.assume(test, truth=False)
        self.open += jump.breaks
        self.emit("join", node)

    def _each(self, node: Node) -> None:
        self.each(node, node)

    def each(self, clause: Node, node: Node) -> None:
        """Walk through a loop over the parts of something."""
        over = self.part(clause, "of")
        binding = self.part(clause, "binding")
        self.value(over)
        head = self.emit("join", node)
        jump = self.loop()
        targets = tuple(targets_of(binding)) if binding is not None else ()
        if clause.kind == "for_range_loop" or binding is None or not targets:
            named = clause.field("declarator", "name")
            targets = tuple(targets_of(named)) if named is not None else targets
        if over is not None:
            self.emit("each", over, targets, over)
        body = self.part(node, "body")
        if body is not None:
            self.statement(body)
        self.back(jump, head)
        self.open = [head]
        if (other := node.field("alternative")) is not None:
            self.statement(other)
        self.open += jump.breaks
        self.emit("join", node)

    def _loop(self, node: Node) -> None:
        head = self.emit("join", node)
        jump = self.loop()
        body = self.part(node, "body")
        if body is not None:
            self.statement(body)
        self.back(jump, head)
        self.open = jump.breaks
        if self.open:
            self.emit("join", node)

    def _switch(self, node: Node) -> None:
        init = node.field("initializer")
        if init is not None:
            self.statement(init)
        entry = self.grammar.roles[node.kind]
        subject = self.part(node, "test")
        if subject is not None and self.grammar.role(subject.kind) != "case":
            self.value(subject)
        cases = list(self.cases(node))
        self.subjects.append(subject)
        jump = Jump([], None, self.label)
        self.label = ""
        self.around.append(jump)
        start = list(self.open)
        ends: list[int] = []
        falling: list[int] = []
        default = bool(entry.get("total"))
        for case in cases:
            default = default or case.text.lstrip("( ").startswith(("default", "else", "_", "case _"))
            self.open = [*start, *falling]
            self.emit("join", case)
            self._case(case)
            if entry.get("falls"):
                falling = self.open
            else:
                ends += self.open
        self.around.pop()
        self.subjects.pop()
        self.open = [*ends, *falling, *jump.breaks, *([] if default else start)]
        if self.open:
            self.emit("join", node)

    def cases(self, node: Node) -> Iterator[Node]:
        """Give the cases of a switch."""
        for kid in node.named:
            if self.grammar.role(kid.kind) == "case" or kid.kind == "else":
                yield kid
            elif (
                kid.kind not in self.grammar.calls
                and not kid.is_closed
                and self.grammar.role(kid.kind) in ("", "block")
            ):
                yield from self.cases(kid)

    def _case(self, node: Node) -> None:
        pattern = node.field("pattern")
        if pattern is not None and self.subjects and pattern.kind == "match_pattern":
            self.emit("each", pattern, tuple(targets_of(pattern)), self.subjects[-1])
        self.block(node)

    def _branch(self, node: Node) -> None:
        """Parts of a function that the preprocessor may leave out."""
        self.branched = True
        before = list(self.open)
        other = node.field("alternative")
        for kid in node.named:
            if kid is not node.field("name", "condition") and kid is not other:
                self.statement(kid)
        after, self.open = self.open, before
        if other is not None:
            self.statement(other)
        self.open = [*after, *self.open]
        self.emit("join", node)
