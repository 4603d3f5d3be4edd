"""Ways out: return, break, exceptions; and what runs on all of them."""

from __future__ import annotations

from hunkwise.reviewer.checks.flow.steps.building import Building, Jump, Try
from hunkwise.reviewer.checks.flow.steps.targets import targets_of
from hunkwise.reviewer.checks.flow.steps.tree import Node, inner


class Leaving(Building):
    """What leaves a statement before its end."""

    def _leave(self, node: Node) -> None:
        word = node.text[:8]
        if word.startswith(("break", "continue", "next", "redo", "retry")):
            if word.startswith(("redo", "retry")):
                self.open = []
            else:
                self.jump(node, goes_on=not word.startswith("break"))
            return
        self.effects(node)
        if word.startswith(("exit", "die")):
            self.emit("evaluate", node)
            self.open = []
            return
        at = self.emit("leave", node)
        if word.startswith(("throw", "raise")):
            self.steps[at].raises.clear()
            handler = self.handler()
            if handler is not None:
                self.steps[at].next.append(handler)
                self.open = []
                self.thrown = [one for one in self.thrown if one != at]
                return
        self.out(node, 0)
        self.emit("exit", node)
        self.exits += self.open
        self.open = []

    def out(self, node: Node, since: int) -> None:
        """Run what stands in `finally` around a way out, from the inside."""
        del node
        kept = self.around
        for index in range(len(kept) - 1, since - 1, -1):
            around = kept[index]
            if isinstance(around, Try) and around.final is not None:
                self.around = kept[:index]
                self.statement(around.final)
        self.around = kept

    def jump(self, node: Node, *, goes_on: bool) -> None:
        """`break` or `continue`: go to the loop that it is for."""
        label = node.named[0].text if node.named else ""
        self.emit("evaluate", node)
        for index in range(len(self.around) - 1, -1, -1):
            around = self.around[index]
            if not isinstance(around, Jump) or (goes_on and around.continues is None):
                continue
            if label and around.label and around.label != label:
                continue
            self.out(node, index)
            (around.continues if goes_on and around.continues is not None else around.breaks).extend(
                self.open
            )
            break
        self.open = []

    def _label(self, node: Node) -> None:
        name = node.field("label", "name") or (node.named[0] if node.named else None)
        self.label = name.text if name is not None else ""
        self.labels[self.label] = self.emit("join", node)
        for kid in node.named:
            if kid is not name:
                self.statement(kid)

    def _goto(self, node: Node) -> None:
        at = self.emit("evaluate", node)
        self.gotos.append((at, node.named[0].text if node.named else ""))
        self.open = []

    def _try(self, node: Node) -> None:
        kids = node.named
        final = next((kid for kid in kids if self.grammar.role(kid.kind) == "finally"), None)
        handlers = [kid for kid in kids if self.grammar.role(kid.kind) == "catch"]
        rest = [kid for kid in kids if kid is not final and kid not in handlers]
        outer = Try(final=final)
        if final is not None:
            thrown, self.open = self.open, []
            outer.thrown = self.emit("join", final)
            self.open = thrown
            self.around.append(outer)
        caught = Try()
        if handlers:
            before, self.open = self.open, []
            caught.handler = self.emit("join", handlers[0])
            self.open = before
            self.around.append(caught)
        otherwise = next((kid for kid in rest if self.grammar.role(kid.kind) == "otherwise"), None)
        for kid in rest:
            if kid is not otherwise:
                self.statement(kid)
        if handlers:
            self.around.pop()
        if otherwise is not None:
            self.statement(otherwise)
        ends = self.open
        for handler in handlers:
            assert caught.handler is not None
            self.open = [caught.handler]
            self.statement(handler)
            ends = [*ends, *self.open]
        self.open = ends
        if final is not None:
            self.around.pop()
            if self.open:
                self.emit("join", final)
                self.statement(final)
            after, self.open = self.open, [outer.thrown or 0]
            self.statement(final)
            for at in self.open:
                self.may_raise(self.steps[at])
            self.open = after
        elif self.open:
            self.emit("join", node)

    def _catch(self, node: Node) -> None:
        named = node.field("parameter", "name", "variable")
        targets = tuple(targets_of(named)) if named is not None else ()
        self.emit("declare", node.named[0] if node.named else node, targets)
        self.block(node)

    def _finally(self, node: Node) -> None:
        self.block(node)

    def _otherwise(self, node: Node) -> None:
        self.block(node)

    def _with(self, node: Node) -> None:
        for kid in node.named:
            if self.grammar.role(kid.kind) == "held":
                self._held(kid)
            elif self.grammar.role(kid.kind):
                self.statement(kid)
            else:
                self.emit("with", kid, (), kid)

    def _held(self, node: Node) -> None:
        """`with x as y`, `try (T y = x)`, `using (var y = x)`: y is closed by the language."""
        value = inner(self.part(node, "right") or node)
        left = node.field("alias", "name") or value.field("alias")
        if value.kind in self.grammar.holders or value.kind == "as_pattern":
            left = left or (value.named[-1] if len(value.named) > 1 else None)
            value = value.named[0] if value.named else value
        self.effects(value)
        self.emit("with", node, tuple(targets_of(left)) if left is not None else (), value)

    def _defer(self, node: Node) -> None:
        self.effects(node)
        self.emit("defer", node)
