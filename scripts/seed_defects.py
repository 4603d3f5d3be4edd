"""Edits that break real code, in the ways that people do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from seed_edits import HARMLESS_TALK, Edit, Finder, callee, cut, guard, in_message, outer_functions, swap
from seed_trees import (
    BLOCKS,
    CALLS,
    LITERALS,
    Source,
    body,
    declared,
    operation,
    places,
    statements,
    variables,
)
from tree_sitter import Node

_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

_FLIPPED = {"==": "!=", "!=": "==", "===": "!==", "!==": "===", "is": "is not", "is not": "is", "in": "not in",
            "not in": "in", "and": "or", "or": "and", "&&": "||", "||": "&&", "+": "-", "-": "+"}  # fmt: skip

_RELEASE = re.compile(
    r"(?:\.|\b)(?:[Cc]lose|[Rr]elease|[Uu]nlock|RUnlock|[Dd]ispose|[Ff]lush|free|fclose|shutdown)\("
)

_SYMMETRIC = re.compile(r"\b(?:min|max|gcd|isclose|swap|equals?|Equal|union|zip)$")


def boundary(source: Source) -> Iterator[Edit]:
    """Off by one: a comparison with or without its end, a `± 1` that went."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            found = operation(node)
            if found is None or in_message(source, node):
                continue
            left, middle, right = found
            sign = source.text(middle)
            if sign in _BOUNDARY:
                yield swap(f"'{sign}' became '{_BOUNDARY[sign]}'", middle, _BOUNDARY[sign])
            elif sign in ("+", "-") and source.text(right) == "1" and right.type in LITERALS:
                yield Edit(f"'{sign} 1' went missing", ((left.end_byte, right.end_byte, ""),))


def operator(source: Source) -> Iterator[Edit]:
    """A comparison or a junction turned into its opposite, or a negation that went."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            found = operation(node)
            if found and not in_message(source, node):
                sign = source.text(found[1])
                if sign in _FLIPPED and not (sign == "+" and _textual(source, node)):
                    yield swap(f"'{sign}' became '{_FLIPPED[sign]}'", found[1], _FLIPPED[sign])
            held = node.child_by_field_name("argument")
            negation = node.type in ("not_operator", "unary_expression") and source.text(node)[:1] in "n!"
            if held and negation and not in_message(source, node):
                yield swap("a negation went missing", node, source.text(held))


def _textual(source: Source, node: Node) -> bool:
    return any(mark in source.text(node) for mark in "\"'`")


def swapped_arguments(source: Source) -> Iterator[Edit]:
    """Two neighbouring arguments of a call, both plain names, in the wrong order."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            held = node.child_by_field_name("arguments")
            if node.type not in CALLS or held is None or in_message(source, node):
                continue
            if HARMLESS_TALK.search(callee(source, node)) or _SYMMETRIC.search(callee(source, node)):
                continue
            given = held.named_children
            for one, other in pairwise(given):
                names = source.text(one), source.text(other)
                if one.type == other.type == "identifier" and names[0] != names[1]:
                    parts = (
                        (one.start_byte, one.end_byte, names[1]),
                        (other.start_byte, other.end_byte, names[0]),
                    )
                    yield Edit(f"the arguments {names[0]} and {names[1]} changed places", parts)


def wrong_variable(source: Source) -> Iterator[Edit]:
    """Another variable where one is read: of the same written type, or used alike, if no type is written."""
    for function, _ in outer_functions(source):
        known = declared(source, function)
        uses = {name: found for name, found in variables(source, function).items() if name in known}
        roles = {name: {_role(place.node, place.field) for place in found} for name, found in uses.items()}
        for name, found in uses.items():
            for place in found:
                node = place.node
                role = _role(node, place.field)
                if node.start_byte <= known[name][0] or place.field in (
                    "left",
                    "name",
                    "declarator",
                    "pattern",
                ):
                    continue
                if node.start_byte < body(function).start_byte or in_message(source, node):
                    continue
                beside = {source.text(child) for child in (node.parent.children if node.parent else ())}
                for other in sorted(roles):
                    alike = known[name][1] or len(roles[name] & roles[other]) > 1
                    fits = alike and known[other][1] == known[name][1] and role in roles[other]
                    if (
                        other not in {name, "self", "cls", *beside}
                        and fits
                        and known[other][0] < node.start_byte
                    ):
                        yield swap(f"{other} stands where {name} belongs", node, other)


def _role(node: Node, field: str) -> tuple[str, str]:
    return (node.parent.type if node.parent else ""), field


def dropped_guard(source: Source) -> Iterator[Edit]:
    """A check that leaves early went missing, or a part of a condition did."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            if edit := guard(source, node, "the check '{}' went missing"):
                yield edit
            found = operation(node)
            if found and source.text(found[1]) in ("and", "&&") and not in_message(source, node):
                lost = source.text(found[2])
                if "\n" not in lost:
                    yield Edit(
                        f"the condition '{lost}' went missing", ((found[0].end_byte, node.end_byte, ""),)
                    )


def dropped_release(source: Source) -> Iterator[Edit]:
    """An `await` went, or a statement that closes, frees or unlocks."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            if node.type in ("await", "await_expression") and node.named_children:
                held = node.named_children[-1]
                yield Edit("'await' went missing", ((node.start_byte, held.start_byte, ""),))
            elif (
                node.parent
                and node.parent.type in BLOCKS
                and node.type in ("expression_statement", "defer_statement")
            ):
                text = source.text(node)
                if (
                    "\n" not in text
                    and _RELEASE.search(text)
                    and (edit := cut(source, node, f"'{text}' went missing"))
                ):
                    yield edit


def dropped_update(source: Source) -> Iterator[Edit]:
    """A counter or a sum that is no longer advanced."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            text = source.text(node)
            plain = re.match(r"[\w.\->]+ ?(?:\+\+|--|[+\-*|]= ?[^\n]*);?$", text)
            if not (
                node.parent and node.parent.type in BLOCKS and plain and len(statements(node.parent)) > 1
            ):
                continue
            if edit := cut(source, node, f"'{text}' went missing"):
                yield edit


def stale_sibling(source: Source) -> Iterator[Edit]:
    """Of two statements that are alike, the second keeps a name of the first: a copy that was not finished."""
    for _, nodes in outer_functions(source):
        for block in nodes:
            if block.type not in BLOCKS:
                continue
            inside = statements(block)
            for one, other in pairwise(inside):
                if not _alike(one, other):
                    continue
                pairs = zip(_leaves(one), _leaves(other), strict=True)
                differ = [(a, b) for a, b in pairs if source.text(a) != source.text(b)]
                if len(differ) < 2 or any("identifier" not in a.type for a, _ in differ):
                    continue
                for a, b in differ[1:]:  # the first is what is assigned, as a rule
                    yield swap(
                        f"{source.text(a)} was left from the line it was copied from", b, source.text(a)
                    )


def _alike(one: Node, other: Node) -> bool:
    if one.end_byte - one.start_byte > 200 or one.type != other.type:
        return False
    return [leaf.type for leaf in _leaves(one)] == [leaf.type for leaf in _leaves(other)]


def _leaves(node: Node) -> list[Node]:
    return [place.node for place in places(node) if not place.node.child_count]


DEFECTS: dict[str, Finder] = {
    "boundary": boundary,
    "operator": operator,
    "argument-order": swapped_arguments,
    "wrong-variable": wrong_variable,
    "missing-check": dropped_guard,
    "resource": dropped_release,
    "missing-update": dropped_update,
    "stale-copy": stale_sibling,
}
