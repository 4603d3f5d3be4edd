"""The nodes of a tree by their kinds, found in one walk: each walk costs as much as all that is read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.grammars import Grammar
from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode


class Nodes:
    """The nodes of the kinds that a grammar names, and of `more`; what holds others comes before them."""

    def __init__(self, root: SgNode, grammar: Grammar, more: str = "") -> None:
        kinds = (
            *grammar.defines.values(), *grammar.binds, grammar.names, grammar.calls, grammar.functions,
            grammar.scopes, grammar.keyed, grammar.returns, more, "ERROR",
        )  # fmt: skip
        self._found: dict[str, list[tuple[int, SgNode]]] = {}
        for number, node in enumerate(of_kind(root, " ".join(dict.fromkeys(" ".join(kinds).split())))):
            self._found.setdefault(node.kind(), []).append((number, node))

    def of_kind(self, kinds: str) -> list[SgNode]:
        """Give the nodes of some kinds, a blank between their names, in order."""
        rows = [row for kind in set(kinds.split()) for row in self._found.get(kind, ())]
        return [node for _, node in sorted(rows, key=lambda row: row[0])]
