"""Statements that leave the code around them as it is, told by the grammar.

That is a call whose value nobody takes (it logs, counts, asserts), an assertion, a value that gets a name. Such
lines stand beside a wrong line as beside a right one. What they do themselves is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

CALL = "call"
OBSERVE = "observe"  # a call that logs, prints or asserts, by its name; or an assertion

# What may be one, by language; where a call is no statement of its own it has to stand in one of `_BODIES`
KINDS = {
    "bash": "command variable_assignment",
    "c": "expression_statement declaration",
    "cpp": "expression_statement declaration",
    "csharp": "expression_statement local_declaration_statement",
    "dart": "expression_statement local_variable_declaration",
    "go": "expression_statement short_var_declaration var_declaration assignment_statement",
    "java": "expression_statement assert_statement local_variable_declaration",
    "javascript": "expression_statement lexical_declaration variable_declaration",
    "kotlin": "call_expression property_declaration",
    "lua": "function_call variable_declaration",
    "php": "expression_statement",
    "python": "expression_statement assert_statement",
    "ruby": "call assignment",
    "rust": "expression_statement let_declaration",
    "scala": "call_expression val_definition",
    "swift": "call_expression property_declaration",
    "tsx": "expression_statement lexical_declaration variable_declaration",
    "typescript": "expression_statement lexical_declaration variable_declaration",
    "zig": "expression_statement variable_declaration",
}
_BODIES = """
    program source_file chunk compilation_unit statements body_statement block compound_statement
    do_block then else block_body function_body do_group template_body if_statement list
"""
_CALLS = """
    call call_expression method_invocation invocation_expression macro_invocation
    function_call_expression member_call_expression scoped_call_expression function_call command
    await await_expression
"""
_VALUES = frozenset({"assignment", "assignment_expression"})
_LEAVES = re.compile(
    r"\b(?:\w*exit|abort|panic|fatal\w*|die|quit|fail|throw\w*|raise|unreachable|todo|return|break|continue|rm|kill|exec)\b",
    re.IGNORECASE,
)
_OBSERVES = re.compile(
    r"\A(?:await\s|::)?(?:[\w.$:>-]{0,80}(?:[._:>$-]|\b))?"
    r"(?:\w{0,9}log(?:ger|ging)?\w{0,9}|slog|console|assert\w*|d?check|debug\w*"
    r"|trace\w*|print\w*|println|eprintln|puts|echo|warn\w*|info|NSLog)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<![.\w>:@*&\[(])\$?([^\W\d]\w*)[ \t]{0,9}(?::[ \t]?[\w<>\[\], .]{1,80})?:?=(?![=>])")
_HOLDS_CODE = re.compile(r"[{;]|=>|->|\b(?:function|lambda|do|def|func)\b|(?:\n.*){10}")
_HEAD = 200  # characters in which a name and a call are looked for


def effect(node: SgNode) -> str:
    """Tell what a statement does: OBSERVE, CALL, the name that it gives a value to, or "" if it may be more."""
    kind, head = node.kind(), node.text()[:_HEAD]
    inner = node.child(0) if kind in ("expression_statement", "assert_statement") else node
    if inner is None or (("\n" in node.text()) and _HOLDS_CODE.search(node.text())):
        return ""
    does = inner.kind()
    if kind == "assert_statement":
        return OBSERVE
    if does in _CALLS.split() or (does == "binary_expression" and "<<" in head):
        parent = node.parent()
        placed = kind == "expression_statement" or (parent is not None and parent.kind() in _BODIES.split())
        called = head.split("(")[0]
        if not placed or _LEAVES.search(called):
            return ""
        return OBSERVE if _OBSERVES.search(called) else CALL
    if kind != "expression_statement" or does in _VALUES:
        named = _NAMED.search(head)
        return named[1] if named else ""
    return ""


def alone(text: str, start: int, end: int, comments: Mapping[int, int]) -> bool:
    """Tell whether nothing but a comment that ends the line stands on the lines of a statement."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    stop = text.find("\n", end)
    after = text[end : stop if stop >= 0 else len(text)]
    rest = after.lstrip(" \t\r;")
    at = end + len(after) - len(rest)
    return not before.strip() and (not rest or comments.get(at, -1) >= end + len(after.rstrip("\r")))


def statements(
    nodes: Iterable[SgNode], text: str, comments: Mapping[int, int]
) -> Iterator[tuple[int, int, str]]:
    """Give start, end and effect of the statements that leave the code around them as it is.

    `comments` are those of the text, start to end.
    """
    for node in nodes:
        where = node.range()
        start, end = where.start.index, where.end.index
        if alone(text, start, end, comments) and (does := effect(node)):
            yield start, end, does
