"""What a text defines: functions and types, each with its lines, and nothing else of it, for that is quick.

Called in the process that parses (languages/parser.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.grammars import grammar
from hunkwise.reviewer.languages.symbols.names import named
from hunkwise.reviewer.languages.symbols.read import scoped_name
from hunkwise.reviewer.languages.syntax import of_kind, tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Row = tuple[str, str, int, int]
"""A name with those around it (`Pool.lease`), "function" or "type", and the first and last line, from 1."""

_WORDS = {"function": "function", "method": "function", "class": "type", "type": "type"}
_NAME = re.compile(r"[\w$~:.!?=]{1,100}")


def answer(question: tuple[str, str]) -> list[Row]:
    """List what a text in a language defines, in order.

    What has no plain name is left out, and what a function defines for itself.
    """
    language, text = question
    table, root = grammar(language), tree(language, text)
    nodes = [
        (node.range(), scoped_name(node, name), _WORDS[what])
        for kind, kinds in table.defines.items()
        for node in of_kind(root, kinds)
        if _has_body(node)
        for name, what, _ in named(node, kind)
        if what in _WORDS
    ]
    scopes = of_kind(root, table.scopes)
    nodes += [(node.range(), of.text().partition("<")[0], "") for node in scopes if (of := _named_by(node))]
    rows: list[Row] = []
    around: list[tuple[int, str, str]] = []  # where it ends, qualified name, what it is
    for where, name, word in sorted(nodes, key=lambda row: (row[0].start.index, -row[0].end.index)):
        while around and around[-1][0] < where.end.index:
            around.pop()
        if (around and around[-1][2] == "function") or not _NAME.fullmatch(name):
            continue
        qualified = f"{around[-1][1]}.{name}" if around else name
        around.append((where.end.index, qualified, word))
        if word:
            rows.append((qualified, word, where.start.line + 1, where.end.line + bool(where.end.column)))
    return rows


def _has_body(node: SgNode) -> bool:
    """Tell a definition from a declaration, and from a type that is only named."""
    kind = node.kind()
    if kind in ("declaration", "field_declaration"):
        return False
    return not kind.endswith("_specifier") or node.field("body") is not None


def _named_by(scope: SgNode) -> SgNode | None:
    return scope.field("type") or scope.field("name")
