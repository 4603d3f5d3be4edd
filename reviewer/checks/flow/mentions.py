"""What a step does with something that is held under a name: uses it, gives it away, or keeps a copy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import Enum, auto

from hunkwise.reviewer.checks.flow.steps.graph import Step
from hunkwise.reviewer.checks.flow.steps.tree import Call, Key, Node, between, path

_COMPARES = re.compile(r"[=!<>]=?=?|in|not in|is|is not|instanceof")

_GIVES = re.compile("yield|send_statement")


class Use(Enum):
    """What becomes of a value where its name stands."""

    USED = auto()
    GIVEN = auto()
    TARGET = auto()


def captured(step: Step, name: str) -> bool:
    """Tell whether a function or a type that is made here may mention a name."""
    if step.op in ("entry", "join", "exit", "assume"):
        return False
    word = re.compile(rf"(?<![\w.]){re.escape(name.partition('.')[0])}\b")
    return any(word.search(node.text) for node in step.closures if node is not step.node)


def mentions(
    step: Step, name: str, uses: Collection[Key], escapes: Collection[Key], closes: Collection[Key]
) -> Iterator[Use]:
    """Tell of each mention of a name in a step what it does."""
    if step.op in ("entry", "join", "exit", "assume"):
        return
    for node in step.names.get(name.partition(".")[0], ()):
        whole = _chain(node, name)
        if whole is not None:
            yield _use(whole, step, uses, escapes, closes)
        elif "." in name and node.parent is not None and node.parent.kind not in node.grammar.members:
            yield Use.USED


def _chain(node: Node, name: str) -> Node | None:
    """Climb from the first name of `a.b.c` to the node that is all of it."""
    current: Node | None = node
    while current is not None:
        text = path(current)
        if text == name:
            return current
        if not text or not name.startswith(f"{text}."):
            return None
        current = current.parent
    return None


def _use(
    node: Node, step: Step, uses: Collection[Key], escapes: Collection[Key], closes: Collection[Key]
) -> Use:
    grammar = node.grammar
    part = False
    while node is not step.node and node.parent is not None:
        up = node.parent
        kids = up.named
        if up.key in escapes or _GIVES.search(up.kind):
            return Use.GIVEN
        if up.key in uses or up.key in closes:
            return Use.USED
        role = grammar.role(up.kind)
        if up.kind in grammar.calls:
            return _in_call(node, up)
        if up.kind in grammar.members and kids and node is kids[0] and len(kids) > 1:
            if up.parent is not None and up.parent.kind in grammar.calls and Call(up.parent).receiver is node:
                return _in_call(node, up.parent)
            if "c_members" in grammar.flags:
                return Use.USED
            part = True
        elif (
            up.kind in grammar.indexes
            or (up.kind in grammar.conditionals and node is kids[0] and len(kids) > 2)
            or (len(kids) == 2 and _COMPARES.fullmatch(between(kids[0], kids[1])) and role == "")
            or (up.source.startswith(("!", "not ", "*"), up.start) and len(kids) == 1)
        ):
            return Use.USED
        elif role == "bind":
            left = up.field("left", "name", "pattern", "declarator")
            if left is None or not (left.start <= node.start and node.end <= left.end):
                return Use.GIVEN
            if part or up is step.node or up.parent is None or up.parent.kind not in grammar.wrappers:
                return Use.TARGET
        elif role in ("leave", "held", "with"):
            return Use.GIVEN
        node = up
    if step.op in ("leave", "with", "defer"):
        return Use.GIVEN
    if step.op == "evaluate" and (node.is_name or "implicit" in grammar.flags):
        return Use.GIVEN  # the last value of a block is its value
    return Use.USED if step.op in ("evaluate", "each", "augment", "parameters", "declare") else Use.GIVEN


def _in_call(node: Node, call: Node) -> Use:
    seen = Call(call)
    if seen.receiver is not None and seen.receiver.start <= node.start and node.end <= seen.receiver.end:
        return Use.GIVEN if call.grammar.takes.fullmatch(seen.name) else Use.USED
    function = call.field("function")
    if function is not None and function.start <= node.start and node.end <= function.end:
        return Use.USED
    return Use.USED if call.grammar.harmless.fullmatch(seen.name) else Use.GIVEN
