"""Python: names that have no value yet where they are read, for what should give them one failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import find_all, of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_LEAVES = re.compile(
    r"\b(?:return|raise|continue|break|exit|abort|fail|skip|die|_exit|quit|fatal|usage|panic|xfail)\b"
)
_QUIET = re.compile(
    r"(?:pass|\.\.\.|(?:print|warn|traceback\.print_exc|(?:self\.|cls\.)?_?(?:log|logger|logging|LOG|LOGGER)\.(?:debug|info|warn(?:ing)?|error|exception)|warnings\.warn)\(.*)\Z",
    re.DOTALL,
)
_NEVER_FAILS = re.compile(
    r"(?:\w+\.)*(?:socket|ensure_future|create_task|time|monotonic|perf_counter|now|StringIO|BytesIO|R?Lock|Queue|Event"
    r"|get_event_loop|new_event_loop|len|list|dict|set|str|copy|fork|getcwd|object)\("
)


def unbound_in_finally(root: SgNode, _language: str) -> Found:
    """Find a name that the first statement of a `try` gives a value to, and that its `finally` needs."""
    for attempt in of_kind(root, "try_statement"):
        end = next((each for each in attempt.children() if each.kind() == "finally_clause"), None)
        first = _first(attempt)
        if end is None or first is None:
            continue
        name, value = first
        if not _bound_elsewhere(attempt, name):
            for node in _reads(end, name):
                if not _asked(node, end):
                    yield node, {"NAME": node, "VALUE": value}
                break


def unbound_after_except(root: SgNode, _language: str) -> Found:
    """Find a name that only a `try` gives a value to, and that is read behind an `except` which goes on."""
    for attempt in of_kind(root, "try_statement"):
        first = _first(attempt)
        clauses = [each for each in attempt.children() if each.kind() == "except_clause"]
        if first is None or not clauses or not any(map(_goes_on, clauses)):
            continue
        name, value = first
        if _bound_elsewhere(attempt, name):
            continue
        for after in attempt.next_all():
            found = _reads(after, name)
            if not found and re.search(rf"\b{name}\b", after.text()):
                break
            if found:
                if after.kind() in ("expression_statement", "return_statement") and not _asked(
                    found[0], after
                ):
                    yield found[0], {"NAME": found[0], "VALUE": value}
                break


def _first(attempt: SgNode) -> tuple[str, SgNode] | None:
    """Give the name that the first statement of a `try` sets to what a call gives back, and the call."""
    body = attempt.field("body")
    statements = (
        [each for each in body.named_children() if each.kind() != "comment"] if body is not None else []
    )
    made = statements[0].child(0) if statements and statements[0].kind() == "expression_statement" else None
    if made is None or made.kind() != "assignment":
        return None
    left, right = made.field("left"), made.field("right")
    if (
        left is None
        or right is None
        or left.kind() != "identifier"
        or right.kind() not in ("call", "await", "subscript")
    ):
        return None
    if _NEVER_FAILS.match(right.text()):
        return None
    return left.text(), right


def _goes_on(clause: SgNode) -> bool:
    """Tell whether an `except` does nothing but say what happened."""
    block = next((each for each in clause.children() if each.kind() == "block"), None)
    statements = (
        [each for each in block.named_children() if each.kind() != "comment"] if block is not None else []
    )
    return bool(statements) and all(
        _QUIET.match(each.text()) and not _LEAVES.search(each.text()) for each in statements
    )


def _bound_elsewhere(attempt: SgNode, name: str) -> bool:
    """Tell whether anything else of the function, or of what is around it, may give the name a value."""
    function = next((node for node in attempt.ancestors() if node.kind() == "function_definition"), None)
    if function is None or any(
        node.kind() in ("for_statement", "while_statement", "try_statement")
        for node in _between(attempt, function)
    ):
        return True
    binds = (
        rf"\b{name}\b(?:\s{{0,9}}:[^=\n]{{1,200}})?\s{{0,9}}(?:,[^=\n()]{{0,200}})?=(?!=)"
        rf"|\b(?:as|for|global|nonlocal|import|def|class|del)\s+(?:\w{{1,60}}\s{{0,9}},\s{{0,9}}){{0,9}}{name}\b"
        rf"|,\s{{0,9}}{name}\s{{0,9}}=(?!=)|\b{name}\s{{0,9}}:="
    )
    where, own = attempt.range(), function.range()
    text = function.text()
    before = text[: where.start.index - own.start.index]
    inside = text[where.start.index - own.start.index :]
    head = before[: before.find("\n")] if "\n" in before else before
    body = function.field("body")
    if body is not None:
        head = text[: body.range().start.index - own.start.index]
    if re.search(rf"\b{name}\b", head) or re.search(binds, before):
        return True
    return len(re.findall(binds, inside)) > 1


def _between(node: SgNode, function: SgNode) -> Iterator[SgNode]:
    start = function.range().start.index
    yield from (each for each in node.ancestors() if each.range().start.index > start)


def _reads(node: SgNode, name: str) -> list[SgNode]:
    found = find_all(
        node,
        {
            "rule": {
                "kind": "identifier",
                "regex": f"^{re.escape(name)}$",
                "not": {
                    "any": [
                        {"inside": {"kind": "keyword_argument", "field": "name"}},
                        {"inside": {"kind": "attribute", "field": "attribute"}},
                    ]
                },
            }
        },
    )
    return [
        each
        for each in found
        if not any(holder.kind() in ("lambda", "function_definition") for holder in _between(each, node))
    ]


def _asked(node: SgNode, around: SgNode) -> bool:
    """Tell whether something between may keep the read from happening, or catch what it throws."""
    kinds = (
        "if_statement",
        "try_statement",
        "conditional_expression",
        "boolean_operator",
        "with_statement",
        "for_statement",
        "while_statement",
    )
    return any(holder.kind() in kinds for holder in _between(node, around))
