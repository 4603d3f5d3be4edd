"""Steps in the making: what the statements of all languages are made into, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass

from hunkwise.reviewer.checks.flow.steps.graph import MOST_STEPS, Op, Step
from hunkwise.reviewer.checks.flow.steps.targets import targets_of
from hunkwise.reviewer.checks.flow.steps.tree import Call, Key, Node, inner, parameters

# The fields that hold the parts of a statement, unless the table of the language says otherwise
_PARTS = {
    "test": ("condition", "value", "subject"),
    "init": ("initializer", "init", "initialize"),
    "then": ("consequence", "body"),
    "body": ("body",),
    "update": ("update", "increment"),
    "left": ("left", "name", "pattern", "declarator"),
    "right": ("right", "value"),
    "binding": ("left", "name", "pattern", "declarator", "type"),
    "of": ("right", "value", "collection", "object"),
}


class TooLong(Exception):
    """A function with more steps than are worth a walk."""


@dataclass(slots=True)
class Try:
    """What stands around a statement: where exceptions go, and what runs on every way out."""

    handler: int | None = None
    final: Node | None = None
    thrown: int | None = None  # the copy of `final` that exceptions run through


@dataclass(slots=True)
class Jump:
    """A loop or a switch: where `break` and `continue` go on."""

    breaks: list[int]
    continues: list[int] | None
    label: str = ""


class Building:
    """Makes steps. What is done for each role of a statement is `_<role>` of the classes built on this."""

    def __init__(self, unit: Node, inline: frozenset[Key]) -> None:
        self.unit = unit
        self.grammar = unit.grammar
        self.inline = inline
        self.steps: list[Step] = []
        self.open: list[int] = []  # the steps that the next one follows
        self.around: list[Try | Jump] = []
        self.exits: list[int] = []
        self.thrown: list[int] = []
        self.labels: dict[str, int] = {}
        self.gotos: list[tuple[int, str]] = []
        self.branched = False
        self.label = ""
        self.depth = 0
        self.subjects: list[Node | None] = []  # what the switches around are about

    def statement(self, node: Node) -> None:
        """Walk through a statement, or an expression that stands as one."""
        role = self.grammar.role(node.kind)
        self.depth += 1
        if self.depth > 150:
            raise TooLong
        try:
            if role:
                getattr(self, f"_{role}")(node)
            elif node.is_closed:
                self.closure(node, None)
            elif len(node.named) == 1 and self.grammar.role(node.named[0].kind):
                self.statement(node.named[0])
            else:
                self.expression(node)
        finally:
            self.depth -= 1

    def emit(
        self,
        op: Op,
        node: Node,
        targets: tuple[Node, ...] = (),
        value: Node | None = None,
        *,
        truth: bool = True,
    ) -> int:
        """Add a step that follows those that are open."""
        at = len(self.steps)
        if at >= MOST_STEPS:
            raise TooLong
        step = Step(at, op, node, targets, value, truth)
        self.steps.append(step)
        for before in self.open:
            self.steps[before].next.append(at)
        self.open = [at]
        if op not in ("entry", "join", "exit", "assume", "declare"):
            self.may_raise(step)
        return at

    def may_raise(self, step: Step) -> None:
        """Let a step lead to where its exceptions go."""
        to = self.handler()
        if to is None:
            self.thrown.append(step.at)
        else:
            step.raises.append(to)

    def handler(self) -> int | None:
        """Give the step where exceptions go from here; nothing if they leave the function."""
        for around in reversed(self.around):
            if isinstance(around, Try):
                if around.handler is not None:
                    return around.handler
                if around.thrown is not None:
                    return around.thrown
        return None

    def part(self, node: Node, name: str) -> Node | None:
        """Give a part of a statement, by its name in _PARTS."""
        entry = self.grammar.roles.get(node.kind, {})
        where = entry.get(name)
        if isinstance(where, int):
            kids = node.named
            return kids[where] if -len(kids) <= where < len(kids) else None
        if isinstance(where, str):
            return node.field(where) or next((kid for kid in node.named if kid.kind == where), None)
        return node.field(*_PARTS[name])

    def block(self, node: Node) -> None:
        """Walk through statements in order."""
        for kid in node.named:
            self.statement(kid)

    def expression(self, node: Node) -> None:
        """Emit an expression that stands as a statement."""
        self.effects(node)
        ends = self.ends(node)
        self.emit("evaluate", node)
        if ends:
            self.open = []

    def ends(self, node: Node) -> bool:
        """Tell whether a statement is a call that does not return: exit(…), panic(…)."""
        node = inner(node)
        while len(node.named) == 1 and node.kind not in self.grammar.calls:
            node = node.named[0]
        return node.kind in self.grammar.calls and bool(self.grammar.exits.fullmatch(Call(node).whole))

    def effects(self, node: Node) -> None:
        """Emit what happens inside an expression before its value is there."""
        self.depth += 1
        if self.depth > 150:
            raise TooLong
        for kid in node.named:
            if kid.is_closed or kid.kind in self.grammar.inlined:
                self.closure(kid, node)
            elif self.grammar.role(kid.kind):
                self.statement(kid)
            else:
                self.effects(kid)
        self.depth -= 1

    def value(self, node: Node | None) -> None:
        """Emit a condition or a value that stands in a statement."""
        if node is None:
            return
        if self.grammar.role(node.kind):
            self.statement(node)
        elif node.is_closed:
            self.closure(node, None)
        else:
            self.expression(node)

    def assume(self, test: Node | None, *, truth: bool) -> None:
        """Emit what is known where a condition was true, or false."""
        if test is not None and self.open:
            self.emit("assume", test, truth=truth)

    def loop(self) -> Jump:
        """Open a loop."""
        jump = Jump([], [], self.label)
        self.label = ""
        self.around.append(jump)
        return jump

    def back(self, jump: Jump, head: int) -> None:
        """Close a loop: what ends its body goes back to its head."""
        self.around.pop()
        for at in [*self.open, *(jump.continues or ())]:
            self.steps[at].next.append(head)
        self.open = []

    def closure(self, node: Node, holder: Node | None) -> None:
        """Walk through a function that is made here, if it is one of those: it may run, or not."""
        if node.kind not in self.grammar.inlined and node.key not in self.inline:
            return
        before = list(self.open)
        held = parameters(node)
        if held:
            call = next((up for up in node.ancestors() if up.kind in self.grammar.calls), None)
            targets = tuple(target for each in held for target in targets_of(each))
            self.emit("parameters", held[0], targets, Call(call).receiver if call else None)
        around, self.around = self.around, []
        exits, self.exits = self.exits, []
        body = node.field("body")
        if body is None:
            self.block(node)
        else:
            self.statement(body)
        self.open += self.exits
        self.around, self.exits = around, exits
        self.open = [*before, *self.open]
        self.emit("join", node)
