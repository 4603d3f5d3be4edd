"""What a condition tells: that a value from outside was looked at, that something was not opened."""

from __future__ import annotations

import re

from hunkwise.reviewer.checks.flow.facts import Facts, clear
from hunkwise.reviewer.checks.flow.steps.tree import Call, Node, between, inner, label, path

_EMPTY = {
    "",
    "None",
    "null",
    "nil",
    "NULL",
    "nullptr",
    "undefined",
    "''",
    '""',
    "0",
    "false",
    "False",
    "``",
    "-1",
    "MAP_FAILED",
    "INVALID_SOCKET",
    "INVALID_HANDLE_VALUE",
}
_EQUAL = ("==", "===", "eq", "is")
_STATES = re.compile(
    r"(?i)\??\.?!?(is_?)?(open|opened|valid|null|closed|good|fail|bad|none|present|connected|alive|locked)"
)
_UNEQUAL = ("!=", "!==", "is not", "<>")


def assume(test: Node, facts: Facts, *, truth: bool) -> Facts:
    """Give what is known of values from outside where a condition was true, or false."""
    names = _guarded(test, truth=truth)
    if not names:
        return facts
    cleared = dict(facts)
    for name in names:
        clear(name, cleared)
    return cleared


def _guarded(test: Node, *, truth: bool) -> list[str]:
    """List the values that a condition is a check of: of an unknown call both ways, of equality where it holds."""
    node = inner(test)
    kids = node.named
    grammar = node.grammar
    if len(kids) == 1 and node.source.startswith(("!", "not"), node.start) and node.kind not in grammar.calls:
        return _guarded(kids[0], truth=not truth)
    if grammar.role(node.kind) == "bind" and len(kids) > 1:
        return _guarded(kids[-1], truth=truth)
    if (call := _asked(node)) is not None:
        return _checked(call)
    if node.kind in grammar.indexes and len(kids) > 1:
        return _paths(kids[1:]) if truth else []  # ALLOWED[x]
    if len(kids) < 2:
        return []
    word = " ".join(between(kids[0], kids[1]).lower().split())
    if word in ("and", "&&", "or", "||"):
        both = (word in ("and", "&&")) == truth
        sides = [_guarded(kid, truth=truth) for kid in kids]
        if both:
            return [name for side in sides for name in side]
        return [name for name in sides[0] if all(name in side for side in sides[1:])] or _each_negative(sides)
    if word in ("in", "not in", "!in"):
        positive = (word == "in") == truth
        if inner(kids[0]).named == [] and not inner(kids[0]).is_name:
            return _paths(kids[1:])  # ".." in x
        return _paths(kids[:1]) if positive else []
    if word in _EQUAL or word in _UNEQUAL:
        return _compared(kids[0], kids[1], positive=(word in _EQUAL) == truth)
    if word in ("<", ">", "<=", ">="):
        return _paths(kids)
    if word in ("=~", "!~"):
        return _paths(kids)
    return []


def _each_negative(sides: list[list[str]]) -> list[str]:
    """`a(x) or b(x)`: whoever asks an unknown function about a value at all has looked at it."""
    return [name for side in sides for name in side]


def _compared(left: Node, right: Node, *, positive: bool) -> list[str]:
    for one, other in ((left, right), (right, left)):
        if inner(other).text in _EMPTY:
            return []
        if (call := _asked(one)) is not None:
            return _checked(call)
    return _paths([left, right]) if positive else []


def _asked(node: Node) -> Call | None:
    """Give the call that a condition is about: `f(x)`, `f(x).host`, `f(x)[0]`."""
    node = inner(node)
    grammar = node.grammar
    while node.kind in (*grammar.members, *grammar.indexes) and node.named:
        node = inner(node.named[0])
    return Call(node) if node.kind in grammar.calls else None


def _checked(call: Call) -> list[str]:
    if call.node.grammar.no_guards.fullmatch(call.name):
        return []
    return _paths([*call.arguments, *([call.receiver] if call.receiver is not None else [])])


def _paths(nodes: list[Node]) -> list[str]:
    found = []
    for node in nodes:
        if name := label(inner(node)):
            found.append(name)
        if not path(inner(node)):
            found += [name for part in node.walk() if (part.is_name and (name := part.text))]
    return found


def absent(test: Node, names: set[str], errors: frozenset[str], *, truth: bool) -> bool:
    """Tell whether a condition says that what should be held under a name is not there, or leaves that open."""
    node = inner(test)
    kids = node.named
    grammar = node.grammar
    if (
        len(kids) == 1
        and node.source.startswith(("!", "not "), node.start)
        and node.kind not in grammar.calls
    ):
        return absent(kids[0], names, errors, truth=not truth)
    if grammar.role(node.kind) == "bind" and len(kids) > 1:
        return not truth and path(kids[0]) in names
    if (name := path(node)) and name in names:
        return not truth
    if name in errors:
        return True
    if len(kids) >= 2 and node.kind not in grammar.calls:
        word = " ".join(between(kids[0], kids[1]).lower().split())
        if word in ("and", "&&", "or", "||"):
            sides = [absent(kid, names, errors, truth=truth) for kid in kids]
            return any(sides)
        left, right = _held(kids[0]), _held(kids[1])
        if left in names or right in names:
            other = inner(kids[1] if left in names else kids[0]).text
            if word in _EQUAL:
                return truth or other not in _EMPTY
            if word in _UNEQUAL:
                return not truth
            if word in ("<", "<=", ">", ">="):
                return truth == (word.startswith("<") == (left in names))
            return True
        if left in errors or right in errors:
            other = inner(kids[1] if left in errors else kids[0]).text
            return truth == (word in _UNEQUAL) if other in _EMPTY else True
    mentioned = {part.text for part in node.walk() if part.is_name}
    if mentioned & errors:
        return True
    return any(
        _STATES.fullmatch(part.text) for part in node.walk() if part.attribute and mentioned & names
    )  # f.closed, conn.isOpen()


def _held(node: Node) -> str:
    node = inner(node)
    if node.grammar.role(node.kind) == "bind" and node.named:
        return path(node.named[0])
    return path(node)
