"""Where names are used and called; names that a function holds for itself are told apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.grammars import Grammar
from hunkwise.reviewer.languages.symbols.nodes import Nodes
from hunkwise.reviewer.languages.symbols.parameters import arguments, held, parameters
from hunkwise.reviewer.languages.symbols.scopes import Scopes
from hunkwise.reviewer.languages.symbols.values import Mention
from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LONGEST_RECEIVER = 200

_JOINT = re.compile(r"(?:[?!]?(?<!\.)\.|::|(?<=[\w)\]])\??->)\Z")
_DEPTHS = {")": 1, "]": 1, "(": -1, "[": -1}
_NO_NAMES = re.compile("type_arg|type_param|template_argument|comment|optional_chain")
_NO_CALLEE = re.compile("call|invocation|creation|function_expression|arrow|parenthesized|subscript|lambda")
_PARTS = ("attribute", "subscript", "member_expression", "selector_expression")
_CALLEES = ("name", "method", "function", "constructor", "type")


def local_names(
    nodes: Nodes, grammar: Grammar, scopes: Scopes, defined: Sequence[tuple[SgNode, int]]
) -> dict[int, set[str]]:
    """Collect the names that each function holds for itself: parameters, and what is bound in it.

    `defined` are the functions with a name, each with the number of its scope.
    """
    local: dict[int, set[str]] = {}
    leaves = f"{grammar.names} {grammar.patterns}"
    for kind, field in grammar.binds.items():
        for node in nodes.of_kind(kind):
            at = scopes.function(scopes.at(node.range().start.index))
            for target in (node.field_children(field) if field else [node]) if at >= 0 else ():
                if target.kind() not in _PARTS:
                    held_here = (leaf.text() for leaf in of_kind(_target(target), leaves))
                    local.setdefault(at, set()).update(held_here)
    nameless = ((node, scopes.at(node.range().start.index)) for node in nodes.of_kind(grammar.functions))
    for holder, scope in (*defined, *nameless):
        names = local.setdefault(scopes.function(scope), set())
        names.update(each.name for each in parameters(holder, grammar))
        given = held(holder, grammar.parameters)
        if given is not None:
            names.update(one.text() for one in of_kind(given, grammar.patterns))
    local.pop(-1, None)
    return local


def _target(node: SgNode) -> SgNode:
    """Give the part of a declarator that has its name."""
    return node.field("name") or node.field("declarator") or node


def uses(
    nodes: Nodes,
    grammar: Grammar,
    scopes: Scopes,
    local: dict[int, set[str]],
    places: set[int],
    text: str,
    wanted: Collection[str] | None,
) -> Iterator[Mention]:
    """Give the uses of names, of all or of those wanted, in order, without those at `places`: definitions."""
    called = {at: (given, new) for at, given, new in _calls(nodes, grammar)}
    keyed = {
        kids[0].range().start.index
        for node in nodes.of_kind(grammar.keyed)
        if (kids := node.named_children())
    }
    for leaf in nodes.of_kind(grammar.names):
        where = leaf.range()
        start = where.start.index
        name = leaf.text()
        if start in places or start in keyed or (wanted is not None and name not in wanted):
            continue
        receiver = _receiver(text, start)
        scope = scopes.at(start)
        if not receiver and _is_local(name, scope, scopes, local):
            continue
        given, new = called.get(start, (None, False))
        yield Mention(name, where.start.line + 1, start, scopes.name(scope), receiver, given, new)


def _is_local(name: str, scope: int, scopes: Scopes, local: dict[int, set[str]]) -> bool:
    at = scopes.function(scope)
    while at >= 0:
        if name in local.get(at, ()):
            return True
        at = scopes.function(scopes.above(at))
    return False


def _receiver(text: str, start: int) -> str:
    """Read what a name is a part of, backwards: names, dots, and brackets; "…" where it is something else."""
    low, at = max(0, start - LONGEST_RECEIVER), start
    end = -1
    while (joint := _joint(text, at)) >= low:
        end = joint if end < 0 else end
        at = _start(text, low, joint)
        if at == joint:
            return "…"
    return "" if end < 0 else " ".join(text[at:end].split())


def _joint(text: str, at: int) -> int:
    """Tell where the sign before a place starts that joins a name to what it is a part of; -1 for none."""
    while at and text[at - 1] in " \t\n\r":
        at -= 1
    if not at or text[at - 1] not in ".:>":
        return -1
    found = _JOINT.search(text, max(0, at - 4), at)
    return found.start() if found is not None else -1


def _start(text: str, low: int, at: int) -> int:
    """Tell where the names and brackets start that end at a place."""
    depth = 0
    while at > low and (depth or text[at - 1].isalnum() or text[at - 1] in "_$)]"):
        at -= 1
        depth += _DEPTHS.get(text[at], 0)
        if depth < 0:
            return at + 1
    return at


def _calls(nodes: Nodes, grammar: Grammar) -> Iterator[tuple[int, tuple[str, ...] | None, bool]]:
    """Give where the name of each call starts, its arguments, and whether it makes an object."""
    leaves = grammar.names.split()
    news = grammar.news.split()
    for node in nodes.of_kind(grammar.calls):
        function = next((one for field in _CALLEES if (one := node.field(field)) is not None), None)
        function = function or next(iter(node.named_children()), None)
        name = _called_name(function, leaves)
        if name is not None:
            yield name.range().start.index, arguments(node, grammar), node.kind() in news


def _called_name(node: SgNode | None, leaves: Sequence[str]) -> SgNode | None:
    """Find the last name of what is called, generic arguments left out."""
    while node is not None and node.kind() not in leaves:
        kids = [kid for kid in node.named_children() if not _NO_NAMES.search(kid.kind())]
        if not kids or _NO_CALLEE.search(node.kind()):
            return None
        node = kids[-1]
    return node
