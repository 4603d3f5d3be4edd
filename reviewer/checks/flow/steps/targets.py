"""What an assignment gives a value to, and which value."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.checks.flow.steps.tree import Node


def targets_of(node: Node) -> Iterator[Node]:
    """Give what is assigned to: names, parts of values, elements; from patterns all that they name."""
    grammar = node.grammar
    kids = node.named
    if (
        node.kind in grammar.names
        or node.kind in grammar.indexes
        or (node.kind in grammar.members and len(kids) > 1)
    ):
        yield node
    elif node.kind in grammar.calls or (
        node.kind in ("pointer_expression", "unary_expression") and node.source.startswith("*", node.start)
    ):
        yield node  # `x.y = …` in Ruby, `*x = …`: something in what that is about
    elif node.is_closed or grammar.role(node.kind) not in ("", "bind"):
        return
    else:
        ignored = node.field(*(("key",) if node.kind == "pair_pattern" else _NOT_BOUND))
        for kid in kids:
            if kid is not ignored:
                yield from targets_of(kid)


_NOT_BOUND = ("type", "value", "default", "right", "size", "trait", "return_type")


def pairs(left: list[Node], right: Node) -> Iterator[tuple[tuple[Node, ...], Node]]:
    """Pair the targets of `a, b = x, y`; else all of them get what is on the right."""
    lists = (
        "expression_list",
        "tuple",
        "pattern_list",
        "tuple_pattern",
        "list",
        "left_assignment_list",
        "right_assignment_list",
        "array",
    )
    right = (
        right
        if right.kind not in lists or len(right.named) != 1 or right.kind in ("list", "array")
        else right.named[0]
    )
    targets = left if len(left) > 1 else [left[0]]
    if len(targets) == 1 and targets[0].kind in lists:
        targets = targets[0].named
    if len(targets) > 1 and right.kind in lists and len(right.named) == len(targets):
        for target, value in zip(targets, right.named, strict=True):
            yield tuple(targets_of(target)), value
        return
    yield tuple(one for target in targets for one in targets_of(target)), right
