"""The nodes of one function, mirrored for quick walks: each is fetched from the parser once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.flow.steps.grammar import Grammar

Key = tuple[int, int, str]
"""What tells a node from others: start and end in characters, kind."""

_ARGUMENTS = ("argument", "value_argument")
_VALUE_FIRST = ("as_expression", "satisfies_expression", "type_cast_expression", "non_null_expression")


def key(node: SgNode) -> Key:
    """Give what tells a node of the parser from others."""
    where = node.range()
    return where.start.index, where.end.index, node.kind()


class Node:
    """A named node. `attribute`: it names a part of something (x.HERE, f(HERE=…)), and is no variable."""

    __slots__ = ("_named", "attribute", "end", "grammar", "kind", "parent", "sg", "source", "start")

    def __init__(self, sg: SgNode, parent: Node | None, grammar: Grammar, source: str) -> None:
        where = sg.range()
        self.sg = sg
        self.kind = sg.kind()
        self.start = where.start.index
        self.end = where.end.index
        self.parent = parent
        self.grammar = grammar
        self.source = source
        self.attribute = False
        self._named: list[Node] | None = None

    @property
    def key(self) -> Key:
        """What tells this node from others."""
        return self.start, self.end, self.kind

    @property
    def text(self) -> str:
        """The text of the node."""
        return self.source[self.start : self.end]

    @property
    def named(self) -> list[Node]:
        """The named children, without comments."""
        if self._named is None:
            kids = [Node(sg, self, self.grammar, self.source) for sg in self.sg.named_children()]
            self._named = [kid for kid in kids if "comment" not in kid.kind]
            self._mark()
        return self._named

    def _mark(self) -> None:
        kids = self._named or []
        for kid in kids:
            kid.attribute = self.attribute
        grammar = self.grammar
        if self.kind in grammar.members and len(kids) > 1:
            kids[-1].attribute = True
        if self.kind in grammar.keyed and len(kids) > 1:
            kids[0].attribute = True
        if self.kind in grammar.calls and (name := self.field("name", "method")) is not None:
            name.attribute = True

    def field(self, *names: str) -> Node | None:
        """Give the child in the first of these fields that has one."""
        for name in names:
            sg = self.sg.field(name)
            if sg is not None:
                return self._child(sg)
        return None

    def fields(self, name: str) -> list[Node]:
        """Give all children in a field."""
        found = [self._child(sg) for sg in self.sg.field_children(name)]
        return [node for node in found if node is not None]

    def _child(self, sg: SgNode) -> Node | None:
        start = sg.range().start.index
        end = sg.range().end.index
        return next((kid for kid in self.named if kid.start == start and kid.end == end), None)

    def ancestors(self) -> Iterator[Node]:
        """Give what holds this node, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def walk(self) -> Iterator[Node]:
        """Give this node and what is in it, but not what is inside other functions and types."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node is self or not node.is_closed:
                stack.extend(reversed(node.named))

    @property
    def is_closed(self) -> bool:
        """Whether this is a function or a type of its own."""
        return self.kind in self.grammar.functions or self.kind in self.grammar.opaque

    @property
    def is_name(self) -> bool:
        """Whether this names a variable."""
        return self.kind in self.grammar.names and not self.attribute


def path(node: Node) -> str:
    """Give the name of a variable or of a part of one (x, self.x, p->x as p.x); else nothing."""
    grammar = node.grammar
    if node.kind in grammar.names or node.kind in grammar.selves:
        return node.text
    kids = node.named
    if node.kind in grammar.members and len(kids) > 1:
        base = path(kids[0]) if kids[-1].kind != "indexing_suffix" else ""
        return f"{base}.{kids[-1].text.lstrip('?.!')}" if base and kids[-1].end - kids[-1].start < 80 else ""
    if len(kids) == 1 and (node.kind in grammar.members or node.kind in grammar.wrappers):
        return path(kids[0])
    return ""


def label(node: Node) -> str:
    """Give the name of a variable or a part, or the text of a short call or element: what a check speaks of."""
    if name := path(node):
        return name
    asked = node.kind in node.grammar.calls or node.kind in node.grammar.indexes
    return node.text if asked and node.end - node.start < 100 else ""


def place(node: Node) -> str:
    """Give the name of what a node speaks of, also by its address: `&x`."""
    node = inner(node)
    if node.source.startswith("&", node.start) and len(node.named) == 1:
        node = inner(node.named[0])
    return path(node)


def inner(node: Node) -> Node:
    """Take off parentheses, await, casts and the like."""
    while (node.kind in node.grammar.wrappers or node.kind in _ARGUMENTS) and node.named:
        node = node.named[0 if node.kind in _VALUE_FIRST else -1]
    return node


def between(left: Node, right: Node) -> str:
    """Give the operator between two operands."""
    return left.source[left.end : right.start].strip()


class Call:
    """A call: what it is called on (if anything), its name, its arguments."""

    __slots__ = ("arguments", "name", "node", "receiver", "whole")

    def __init__(self, node: Node) -> None:
        function = node.field("function", "constructor", "macro")
        holder = node.field("arguments")
        self.node = node
        self.receiver: Node | None = None
        if function is None and (named := node.field("name", "method")) is not None:
            self.receiver = node.field("object", "receiver", "scope")
            self.name = named.text
        else:
            function = function or node.field("type") or (node.named[0] if node.named else node)
            function = inner(function)
            if function.kind in node.grammar.members and len(function.named) > 1:
                self.receiver = function.named[0]
                self.name = function.named[-1].text.lstrip("?.!:")
            else:
                self.name = function.text if function is not node else ""
        if holder is None:
            holder = next((kid for kid in reversed(node.named) if kid.kind in node.grammar.holders), None)
        self.name = self.name.partition("<")[0][:80]
        self.whole = f"{path(self.receiver) or '?'}.{self.name}" if self.receiver else self.name
        self.arguments = [part for one in holder.named for part in _argument(one)] if holder else []


def _argument(node: Node) -> list[Node]:
    """Take an argument out of what some grammars put around it."""
    if node.kind in node.grammar.holders:
        return [part for one in node.named for part in _argument(one)]
    if node.kind in node.grammar.keyed or node.kind in _ARGUMENTS:
        return node.named[-1:]
    return [node]


def parameters(function: Node) -> list[Node]:
    """Give what holds the parameters of a function."""
    wanted = function.grammar.parameters
    fields = [holder for name in wanted for holder in function.fields(name)]
    return fields or [kid for kid in function.named if kid.kind in wanted]
