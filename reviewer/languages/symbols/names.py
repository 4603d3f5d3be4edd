"""Where a definition has its name: mostly in the field of that name, and where grammars have other ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.values import SymbolKind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_FUNCTIONS = ("arrow_function", "function_expression", "generator_function", "function")
_EXPORTS = ("exports", "module.exports")
_LEAVES = ("identifier", "field_identifier", "type_identifier", "simple_identifier", "name", "constant")


def named(node: SgNode, kind: SymbolKind) -> Iterator[tuple[SgNode, SymbolKind, SgNode]]:
    """Give what a node defines: the node of the name, the kind of symbol, and the node with its parameters."""
    what = node.kind()
    if what in ("assignment", "assignment_expression"):
        yield from _assigned(node)
    elif what in ("variable_declarator", "pair"):
        yield from _valued(node, kind)
    elif what in ("function_definition", "declaration", "field_declaration", "type_definition") and _c_like(
        node
    ):
        yield from _declared(node, kind)
    else:
        for name in node.field_children("name") or _first_names(node):
            if name.is_named() and name.kind() not in ("array_pattern", "object_pattern"):
                yield name, kind, node
    if what == "enum_declaration" and (body := node.field("body")) is not None:
        yield from (
            (one, "member", one) for one in body.named_children() if one.kind() == "property_identifier"
        )


def _assigned(node: SgNode) -> Iterator[tuple[SgNode, SymbolKind, SgNode]]:
    left, right = node.field("left"), node.field("right")
    if left is None:
        return
    if left.kind() in ("identifier", "constant"):
        if node.kind() == "assignment":
            yield left, "constant", node
    elif left.kind() == "member_expression":
        holder, name = left.field("object"), left.field("property")
        whose = holder.text() if holder is not None else ""
        if name is not None and (whose in _EXPORTS or whose.endswith(".prototype")):
            function = right is not None and right.kind() in _FUNCTIONS
            yield name, "function" if function else "constant", right if function and right else node


def _valued(node: SgNode, kind: SymbolKind) -> Iterator[tuple[SgNode, SymbolKind, SgNode]]:
    """Give a name of JavaScript that stands for a function, a class or a value."""
    name, value = node.field("name") or node.field("key"), node.field("value")
    if name is None or name.kind() not in ("identifier", "property_identifier"):
        return
    if value is not None and value.kind() in _FUNCTIONS:
        yield name, "function" if kind == "constant" else "method", value
    elif node.kind() != "pair":
        yield name, "class" if value is not None and value.kind() == "class" else kind, value or node


def _c_like(node: SgNode) -> bool:
    return node.field("declarator") is not None


def _declared(node: SgNode, kind: SymbolKind) -> Iterator[tuple[SgNode, SymbolKind, SgNode]]:
    """Give what a declaration of C declares: the name stands within its declarators."""
    for one in node.field_children("declarator"):
        function: SgNode | None = None
        at: SgNode | None = one
        while at is not None and at.kind() not in _LEAVES:
            if at.kind() == "function_declarator":
                function = function or at
            following = at.field("declarator") or at.field("name")
            if following is None and at.kind() in ("parenthesized_declarator", "reference_declarator"):
                following = next(iter(at.named_children()), None)
            at = following
        if at is None:
            continue
        if function is not None and node.kind() != "type_definition":
            yield at, "method" if node.kind() == "field_declaration" else "function", function
        elif node.kind() in ("field_declaration", "type_definition"):
            yield at, kind, node


def _first_names(node: SgNode) -> list[SgNode]:
    """Give the first name among the children; those of fields stand in the declarators."""
    declarators = node.field_children("declarator")
    held = [name for each in declarators if (name := each.field("name")) is not None]
    if held:
        return held
    for child in node.named_children():
        if child.kind() in _LEAVES:
            return [child]
        if child.kind() == "variable_declaration":
            return _first_names(child)
        if child.kind() == "variable_declarator":
            return child.field_children("name") or _first_names(child)
    return []
