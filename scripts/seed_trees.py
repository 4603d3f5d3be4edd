"""Syntax trees of seven languages, as far as the edits of seed_edits.py look at them.

The only file that imports tree-sitter. Offsets are bytes; a name of a node or field is that of its grammar.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module

from tree_sitter import Language, Node, Parser

SUFFIXES = {
    "python": (".py",),
    "javascript": (".js", ".mjs", ".cjs"),
    "java": (".java",),
    "go": (".go",),
    "c": (".c",),
    "cpp": (".cpp", ".cc", ".hpp"),
    "rust": (".rs",),
}
FUNCTIONS = frozenset(
    [
        "function_definition",
        "function_declaration",
        "method_definition",
        "function_expression",
        "method_declaration",
        "constructor_declaration",
        "function_item",
    ]
)
BLOCKS = frozenset(["block", "statement_block", "compound_statement", "statement_list"])
LEAVING = frozenset(
    [
        "return_statement",
        "raise_statement",
        "throw_statement",
        "continue_statement",
        "break_statement",
        "goto_statement",
        "return_expression",
        "continue_expression",
        "break_expression",
    ]
)
LITERALS = frozenset(
    ["integer", "number", "number_literal", "decimal_integer_literal", "int_literal", "integer_literal"]
)
OPERATIONS = frozenset(["comparison_operator", "boolean_operator", "binary_operator", "binary_expression"])
CALLS = frozenset(["call", "call_expression", "method_invocation"])
# node -> the fields that hold names it declares
DECLARING = {
    "assignment": ("left",),
    "for_statement": ("left",),
    "default_parameter": ("name",),
    "typed_default_parameter": ("name",),
    "assignment_pattern": ("left",),
    "variable_declarator": ("name",),
    "init_declarator": ("declarator",),
    "parameter_declaration": ("declarator", "name"),
    "formal_parameter": ("name",),
    "short_var_declaration": ("left",),
    "let_declaration": ("pattern",),
    "parameter": ("pattern",),
}
PARAMETERS = frozenset(["parameters", "formal_parameters", "parameter_list"])
# fields in which an identifier is no variable
NO_VARIABLE = frozenset(["attribute", "field", "name", "key", "label", "type", "module_name", "alias"])


@dataclass(frozen=True, slots=True)
class Place:
    """A node, and the field of its parent that it stands in ("" if in none)."""

    node: Node
    field: str


@dataclass(frozen=True)
class Source:
    """A parsed file."""

    language: str
    data: bytes
    root: Node

    def text(self, node: Node) -> str:
        """Give a node's text."""
        return self.data[node.start_byte : node.end_byte].decode()

    @cached_property
    def functions(self) -> list[Node]:
        """List the functions that have a body, outer before inner."""
        return [
            place.node
            for place in places(self.root)
            if place.node.type in FUNCTIONS and place.node.child_by_field_name("body")
        ]

    def lines_of(self, node: Node) -> tuple[int, int] | None:
        """Give the byte range of the whole lines that a node fills; None where it shares one."""
        start = self.data.rfind(b"\n", 0, node.start_byte) + 1
        end = self.data.find(b"\n", node.end_byte)
        rest = self.data[node.end_byte : end].strip()
        if end < 0 or self.data[start : node.start_byte].strip() or rest not in (b"", b";"):
            return None
        return start, end + 1

    def indent(self, node: Node) -> str:
        """Give the white space before a node on its line."""
        start = self.data.rfind(b"\n", 0, node.start_byte) + 1
        line = self.data[start : node.start_byte].decode()
        return line[: len(line) - len(line.lstrip())]

    def unused(self, name: str) -> bool:
        """Tell whether no word of the file is this name."""
        return not re.search(rb"\b" + re.escape(name.encode()) + rb"\b", self.data)


@cache
def _parser(language: str) -> Parser:
    return Parser(Language(import_module(f"tree_sitter_{language}").language()))


def parse(language: str, data: bytes) -> Source | None:
    """Parse a file; None if it is not right in its language, as far as can be told."""
    root = _parser(language).parse(data).root_node
    if root.has_error:
        return None
    if language == "python":
        try:
            ast.parse(data)
        except (SyntaxError, ValueError, RecursionError):
            return None
    return Source(language, data, root)


def places(node: Node) -> Iterator[Place]:
    """Walk over a node and all below it, in the order of the text."""
    cursor = node.walk()
    depth = 0
    while True:
        found = cursor.node
        assert found is not None
        yield Place(found, cursor.field_name or "")
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if depth == 0:
                return
            cursor.goto_parent()
            depth -= 1


def statements(block: Node) -> list[Node]:
    """List the statements of a block, without comments."""
    inner = [child for child in block.named_children if child.type == "statement_list"]
    return [child for child in (inner[0] if inner else block).named_children if "comment" not in child.type]


def operation(node: Node) -> tuple[Node, Node, Node] | None:
    """Take left side, operator and right side of an operation of two sides."""
    if node.type not in OPERATIONS or node.child_count != 3:
        return None
    return node.children[0], node.children[1], node.children[2]


def body(function: Node) -> Node:
    """Give the block of a function."""
    found = function.child_by_field_name("body")
    assert found is not None
    return found


def variables(source: Source, function: Node) -> dict[str, list[Place]]:
    """Group the identifiers in a function that stand for variables by their names."""
    found: dict[str, list[Place]] = {}
    for place in places(function):
        called = place.field == "function" or (
            place.node.parent and place.node.parent.type == "keyword_argument"
        )
        if place.node.type == "identifier" and not called and place.field not in NO_VARIABLE - {"name"}:
            parent = place.node.parent
            if place.field == "name" and (parent is None or parent.type not in DECLARING):
                continue
            found.setdefault(source.text(place.node), []).append(place)
    return found


def declared(source: Source, function: Node) -> dict[str, tuple[int, str, bool]]:
    """Map each variable that a function declares to where, its type as written, and whether it is a parameter."""
    found: dict[str, tuple[int, str, bool]] = {}
    for place in places(function):
        node = place.node
        inside = node.parent is not None and node.parent.type in PARAMETERS
        if node.type == "identifier" and inside:
            found.setdefault(source.text(node), (node.start_byte, "", True))
        holders = [h for field in DECLARING.get(node.type, ()) for h in node.children_by_field_name(field)]
        kind = node.child_by_field_name("type") or (node.parent and node.parent.child_by_field_name("type"))
        names = [holder for holder in holders if holder.type == "identifier"]
        for holder in holders:
            if holder.type in (
                "expression_list",
                "pointer_declarator",
                "reference_declarator",
                "pattern_list",
            ):
                names += [child for child in holder.named_children if child.type == "identifier"]
        inside = inside or "parameter" in node.type
        for name in names:
            found.setdefault(source.text(name), (name.start_byte, source.text(kind) if kind else "", inside))
    return found
