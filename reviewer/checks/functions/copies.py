"""What was copied and not adapted, in any language: methods beside each other tell what each should say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_METHODS = {
    "python": "function_definition",
    "java": "method_declaration",
    "go": "method_declaration",
    "javascript": "method_definition",
    "typescript": "method_definition",
    "tsx": "method_definition",
}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CALL = re.compile(r"^\{?\s*(?:return\s+)?(?:await\s+)?((?:\w+\.)+)(\w+)\(")
_SHOWS = frozenset({"String", "GoString", "Error", "Unwrap", "Unwrapv"})  # what these say, another says too
_FEWEST_TWINS = 3  # methods that hand on to the same name before one that does not is a slip
_LEAST_BODY = 12  # characters of a body that two methods do not share by chance


def copied_method(root: SgNode, language: str) -> Found:
    """Find a method that says what the one it was copied from says: `height() { return this.width }`."""
    for methods in _classes(root, language):
        bodies: defaultdict[str, list[tuple[SgNode, str]]] = defaultdict(list)
        for name, body in methods:
            if len(body) >= _LEAST_BODY:
                bodies[" ".join(body.split())].append((name, body))
        for body, same in bodies.items():
            words = Counter(part.lower() for part in _PART.findall(body))
            for name, other in _pairs([name for name, _ in same]):
                if (differing := _one_differs(name.text(), other.text())) is not None:
                    mine, theirs = differing
                    if words[theirs] and not words[mine] and _SHOWS.isdisjoint({name.text(), other.text()}):
                        yield name, {"NAME": name, "OTHER": other}


def delegates_to_other(root: SgNode, language: str) -> Found:
    """Find a method that hands on to another one than the method of its own name, which there is."""
    for methods in _classes(root, language):
        calls = [(name, found[1], found[2]) for name, body in methods if (found := _CALL.match(body))]
        right = {(to, called) for name, to, called in calls if name.text() == called}
        for name, to, called in calls:
            own = name.text()
            handed = Counter(receiver for receiver, _ in right)
            if (to, own) in right and (to, called) in right and called != own and handed[to] >= _FEWEST_TWINS:
                yield name, {"NAME": name, "OTHER": name}


def _classes(root: SgNode, language: str) -> Iterator[list[tuple[SgNode, str]]]:
    """Give the methods of each class, their names and bodies; those of a file of Go by their type."""
    classes: defaultdict[object, list[tuple[SgNode, str]]] = defaultdict(list)
    for method in of_kind(root, _METHODS[language]):
        name, body, holder = method.field("name"), method.field("body"), method.parent()
        if name is None or body is None or holder is None:
            continue
        if language == "python" and holder.kind() == "decorated_definition":
            holder = holder.parent() or holder
        receiver = method.field("receiver")
        where = holder.range()
        key = receiver.text() if receiver is not None else (where.start.index, where.end.index)
        classes[key].append((name, _code(body)))
    yield from classes.values()


def _code(body: SgNode) -> str:
    """Give the text of a body without its docstring and the comments that begin it."""
    statements = [node for node in body.named_children() if "comment" not in node.kind()]
    if (
        statements
        and statements[0].kind() == "expression_statement"
        and re.match(r"[rR]?['\"]", statements[0].text())
    ):
        statements = statements[1:]
    return "\n".join(node.text() for node in statements)


def _pairs(names: list[SgNode]) -> Iterator[tuple[SgNode, SgNode]]:
    for name in names:
        yield from ((name, other) for other in names if other.text() != name.text())


def _one_differs(name: str, other: str) -> tuple[str, str] | None:
    """Give the one word in which two names differ, but for the first, which says what is done."""
    mine, theirs = [[part.lower() for part in _PART.findall(each)] for each in (name, other)]
    if len(mine) != len(theirs):
        return None
    differing = [at for at, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1]]
    if len(differing) != 1 or (differing[0] == 0 and len(mine) > 1):
        return None
    word, another = mine[differing[0]], theirs[differing[0]]
    if word.isdigit() or another.isdigit() or word in another or another in word:
        return None  # a number, a plural, a form of the same
    return word, another
