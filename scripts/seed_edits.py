"""Edits of real code: such that break it, and such that do no harm. Each is found by the syntax tree alone.

A finder gives every edit of its kind in a file; seed_cases.py draws from them. What an edit removes or puts in
is judged by a tree, not by running it: of the defects a few will turn out to be harmless (an equivalent mutant),
of the harmless edits hardly any to be a defect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seed_trees import (
    BLOCKS,
    CALLS,
    LEAVING,
    Source,
    body,
    places,
    statements,
)
from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces byte ranges, in the order of the text. With `backwards` the file as it stands is the new side."""

    about: str
    parts: tuple[tuple[int, int, str], ...]
    backwards: bool = False

    def apply(self, data: bytes) -> bytes:
        """Make the edit."""
        for start, end, text in reversed(self.parts):
            data = data[:start] + text.encode() + data[end:]
        return data


Finder = Callable[[Source], Iterator[Edit]]

HARMLESS_TALK = re.compile(
    r"log|warn|print|debug|error|trace|assert|fatal|raise|throw|usage|min|max|exception", re.IGNORECASE
)


def outer_functions(source: Source) -> Iterator[tuple[Node, list[Node]]]:
    """Walk over the functions that stand in no other, each with the nodes of its body."""
    last = -1
    for function in source.functions:
        if function.start_byte >= last:
            last = function.end_byte
            yield function, [place.node for place in places(body(function))]


def in_message(source: Source, node: Node) -> bool:
    """Tell whether a node only shapes a message, where a mistake is no defect worth a remark."""
    above = node.parent
    while above is not None and above.type not in BLOCKS:
        if above.type in ("raise_statement", "throw_statement", "assert_statement"):
            return True
        if above.type in CALLS and HARMLESS_TALK.search(callee(source, above)):
            return True
        above = above.parent
    return False


def callee(source: Source, call: Node) -> str:
    name = call.child_by_field_name("function") or call.child_by_field_name("name")
    return source.text(name) if name else ""


def swap(about: str, node: Node, text: str) -> Edit:
    return Edit(about, ((node.start_byte, node.end_byte, text),))


def cut(source: Source, node: Node, about: str) -> Edit | None:
    lines = source.lines_of(node)
    return Edit(about, ((*lines, ""),)) if lines else None


def guard(source: Source, node: Node, about: str) -> Edit | None:
    """Take away an `if` without alternative whose one statement leaves the block."""
    if node.type not in ("if_statement", "if_expression") or node.child_by_field_name("alternative"):
        return None
    inner, condition = node.child_by_field_name("consequence"), node.child_by_field_name("condition")
    assert inner is not None
    assert condition is not None
    found = statements(inner) if inner.type in BLOCKS else [inner]
    leaves = len(found) == 1 and (
        found[0].type in LEAVING or any(c.type in LEAVING for c in found[0].children)
    )
    above = node.parent if node.type == "if_statement" else node.parent and node.parent.parent
    if not leaves or above is None or above.type not in BLOCKS or node.child_by_field_name("initializer"):
        return None
    return cut(source, node, about.format(short(source.text(condition))))


def short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."
