"""Checks of Python that follow one name through a function."""

from __future__ import annotations

import builtins
import re
import symtable
import warnings
from collections.abc import Iterator
from functools import lru_cache
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
    if parent.kind() in (*_PARAMETERS, "typed_parameter") or (
        parent.kind() in ("default_parameter", "typed_default_parameter")
        and _place(parent.field("name")) == _place(node)
    ):
        return False
    if parent.kind() == "attribute" and _place(parent.field("attribute")) == _place(node):
        return False
    return not any(holder.kind() in ("except_clause", "as_pattern_target") for holder in holders)


# What a module has of its own, and what older Pythons and interactive ones have
_KNOWN = frozenset(dir(builtins)) | {
    "WindowsError",
    "__annotations__",
    "__builtins__",
    "__class__",
    "__file__",
    "__loader__",
    "__module__",
    "__package__",
    "__path__",
    "__qualname__",
    "__spec__",
    "_",
    "basestring",
    "buffer",
    "cmp",
    "coerce",
    "display",
    "execfile",
    "file",
    "get_config",
    "get_ipython",
    "intern",
    "long",
    "raw_input",
    "reduce",
    "reload",
    "reveal_type",
    "unichr",
    "unicode",
    "xrange",
}
_ELSEWHERE = re.compile(
    r"import[ \t]*\([ \t]*\*|import[ \t]+\*|\b(?:exec|execfile|globals|locals|vars)[ \t]*\("
    r"|\bNameError\b|\bbuiltins\b|__builtin"
)
_PROGRAM = re.compile(r"(?m)^[ \t]*(?:import|from)\b")  # without one it may be lines out of a program
_SCOPES = ("function_definition", "class_definition", "lambda", "list_comprehension", "set_comprehension",
           "dictionary_comprehension", "generator_expression")  # fmt: skip
_PLAIN = (
    "none",
    "true",
    "false",
    "string",
    "integer",
    "float",
    "identifier",
    "list",
    "dictionary",
    "assignment",
)
_MOST_NAMES = 5  # more of them stand where something else puts names into a file


def name_undefined(root: SgNode, _language: str) -> Found:
    """Find names that are read and that nothing gives a value to. Python's own compiler tells the scopes."""
    text = _text(root)
    module = _compiled(text) if _PROGRAM.search(text) else None
    if module is None:
        return
    tables = list(_tables(module))
    given = {name for table in tables for name in _given(table, module)}
    missing = [
        (symbol.get_name(), table)
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_referenced()
        and (table is module or (symbol.is_global() and not symbol.is_local()))
        and symbol.get_name() not in given | _KNOWN
    ]
    if len({name for name, _ in missing}) > _MOST_NAMES:
        return
    local = {symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_local()}
    for name in sorted({name for name, _ in missing}):
        lines = {table.get_lineno() for each, table in missing if each == name and table is not module}
        for node in find_all(root, {"rule": {"kind": "identifier", "regex": f"^{re.escape(name)}$"}}):
            holders = list(node.ancestors())
            scope = next((each.range().start.line + 1 for each in holders if each.kind() in _SCOPES), 0)
            told = (
                any(holder.kind() == "type" for holder in holders) or "noqa" in _line_of(node, text).lower()
            )
            if not told and _reads(node, holders) and (name not in local or scope in lines):
                yield node, {"NAME": node}
                break


def _line_of(node: SgNode, text: str) -> str:
    at = node.range().start.index
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]


def _text(root: SgNode) -> str:
    return "\n" * root.range().start.index + root.text()


@lru_cache(maxsize=1)
def _compiled(text: str) -> symtable.SymbolTable | None:
    """Give what Python's own compiler tells of the names in a text; nothing where it can't, or others come in."""
    if _ELSEWHERE.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(text, "<text>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _given(table: symtable.SymbolTable, module: symtable.SymbolTable) -> Iterator[str]:
    """Give the names of the module that a scope gives values to."""
    for symbol in table.get_symbols():
        given = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace() or symbol.is_annotated()
        if given and (table is module or symbol.is_declared_global()):
            yield symbol.get_name()


def value_never_used(root: SgNode, _language: str) -> Found:
    """Find a local name that is given a value, and that nothing in its function mentions again."""
    module = _compiled(_text(root))
    if module is None:
        return
    tables = list(_tables(module))
    free = {symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_free()}
    unused: dict[str, set[int]] = {}
    for table in tables:
        for symbol in table.get_symbols() if table.get_type() == "function" else ():
            if (
                symbol.is_local()
                and symbol.is_assigned()
                and symbol.get_name() not in free
                and not _used(symbol)
            ):
                unused.setdefault(symbol.get_name(), set()).add(table.get_lineno())
    for name, lines in unused.items():
        for node in find_all(
            root, {"rule": {"kind": "assignment", "has": {"field": "left", "regex": f"^{name}$"}}}
        ):
            scope = next((each for each in node.ancestors() if each.kind() in _SCOPES), None)
            statement = node.parent()
            right = node.field("right")
            if (
                scope is not None
                and scope.range().start.line + 1 in lines
                and statement is not None
                and statement.kind() == "expression_statement"
                and right is not None
                and right.kind() not in _PLAIN
            ):
                yield node, {"NAME": node.field("left") or node}
                break


def _used(symbol: symtable.Symbol) -> bool:
    return (
        symbol.is_referenced()
        or symbol.is_parameter()
        or symbol.is_imported()
        or symbol.is_namespace()
        or symbol.get_name().startswith("_")
    )
