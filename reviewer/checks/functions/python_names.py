"""Checks of Python that follow one name through a function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import find_all

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_ALIAS = {
    "rule": {
        "kind": "identifier",
        "inside": {
            "kind": "as_pattern_target",
            "inside": {"kind": "as_pattern", "inside": {"kind": "except_clause"}},
        },
    }
}
_REBINDS = {"rule": {"any": [{"kind": "with_item", "regex": " as "}, {"kind": "import_statement"}]}}
_PARTS = {"assignment": "left", "for_statement": "left", "for_in_clause": "left", "named_expression": "name"}
_PARAMETERS = ("parameters", "lambda_parameters")
_FOLLOWED = ("try_statement", "for_statement", "while_statement")


def except_name_after(root: SgNode, _language: str) -> Found:
    """Find the name of an error behind the `except` that it is deleted at the end of."""
    seen: set[tuple[int, str]] = set()
    for alias in find_all(root, _ALIAS):
        function = next((node for node in alias.ancestors() if node.kind() == "function_definition"), None)
        if function is None or (place := (function.range().start.index, alias.text())) in seen:
            continue
        seen.add(place)
        named = find_all(function, {"rule": {"kind": "identifier", "regex": f"^{re.escape(alias.text())}$"}})
        if len(named) > 1 and not find_all(function, _REBINDS) and not any(map(_binds, named)):
            ends = [node.range().end.index for node in _around(alias, function)]
            blocks = [_place(node.parent()) for node in _around(alias, function)]
            for node in named:
                holders = list(node.ancestors())
                inside = any(
                    node.range().start.index >= end and block in map(_place, holders)
                    for end, block in zip(ends, blocks, strict=True)
                )
                if inside and _reads(node, holders):
                    yield node, {"E": node}


def _around(node: SgNode, function: SgNode) -> list[SgNode]:
    """Give the statements around a node after which others of the function follow."""
    inner = function.range()
    return [
        holder
        for holder in node.ancestors()
        if holder.kind() in _FOLLOWED and inner.start.index < holder.range().start.index
    ]


def _place(node: SgNode | None) -> tuple[int, int, str] | None:
    return (node.range().start.index, node.range().end.index, node.kind()) if node is not None else None


def _binds(node: SgNode) -> bool:
    """Tell whether a name gets another value here."""
    within = node
    for holder in node.ancestors():
        if holder.kind() in _PARAMETERS:
            return True
        if holder.kind() in _PARTS:
            return _place(holder.field(_PARTS[holder.kind()])) == _place(within)
        if holder.kind() not in (
            "pattern_list",
            "tuple_pattern",
            "list_pattern",
            "typed_parameter",
            "default_parameter",
        ):
            return False
        within = holder
    return False


def _reads(node: SgNode, holders: list[SgNode]) -> bool:
    parent = holders[0]
    if parent.kind() == "keyword_argument" and _place(parent.field("name")) == _place(node):
        return False
    if parent.kind() == "attribute" and _place(parent.field("attribute")) == _place(node):
        return False
    return not any(holder.kind() in ("except_clause", "as_pattern_target") for holder in holders)
