"""Slips that the code around them gives away, in any language: a number skipped, a value dropped, a round lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_LISTS = {
    "python": "argument_list list tuple",
    "go": "argument_list literal_value",
    "c": "argument_list initializer_list",
    "cpp": "argument_list initializer_list",
    "java": "argument_list array_initializer",
}
_JAVASCRIPT = "arguments array"
_PART = re.compile(r"([A-Za-z_][\w.>:-]*)\[(\d{1,3})\]")
_FEWEST_PARTS = 3
_LOOPS = {"java": "for_statement enhanced_for_statement", "cpp": "for_statement for_range_loop"}
_LOOPS |= dict.fromkeys(("javascript", "typescript", "tsx"), "for_statement for_in_statement")
_ANSWER = re.compile(
    r"(?i)ok|okay|success|succeeded|(?:is_?)?valid|err|error|failed|failure|passed|has_?errors?|rc|ret|ret_?val|all_?\w{2,}"
)
_SET = re.compile(r"\s*([A-Za-z_$]\w*)\s*=\s*(?:await\s+)?[\w.$>:\[\]-]+\(")
_UNREAD = re.compile(r"(?i)ignor|unused|^_")
_LEAVES = re.compile(r"\b(?:break|return|goto|throw|raise|yield)\b")


def index_skipped(root: SgNode, language: str) -> Found:
    """Find a list of parts that names one twice and leaves one out: `f(c[0], c[2], c[2], c[3])`."""
    for holder in of_kind(root, _LISTS.get(language, _JAVASCRIPT)):
        parts = holder.named_children()
        found = [_PART.fullmatch(part.text()) for part in parts]
        if len(parts) < _FEWEST_PARTS or not all(found):
            continue
        bases, numbers = zip(*((each[1], int(each[2])) for each in found if each), strict=True)
        missing = set(range(min(numbers), max(numbers) + 1)) - set(numbers)
        if len(set(bases)) == len(missing) == 1 and len(set(numbers)) == len(numbers) - 1:
            again = next(at for at, number in enumerate(numbers) if number in numbers[:at])
            yield parts[again], {"PART": parts[again]}


def last_round_counts(root: SgNode, language: str) -> Found:
    """Find an answer that each round of a loop overwrites unread, and that is read behind the loop."""
    for loop in of_kind(root, _LOOPS.get(language, "for_statement")):
        body = loop.field("body")
        if body is None or _LEAVES.search(body.text()):
            continue
        inside = body.named_children()
        if len(inside) == 1 and inside[0].kind() == "statement_list":
            inside = inside[0].named_children()
        for statement in inside:
            found = _SET.match(statement.text()) if statement.kind().endswith("_statement") else None
            if found is None or not _ANSWER.fullmatch(found[1]):
                continue
            name = re.compile(rf"(?<![\w.$]){re.escape(found[1])}\b")
            if len(name.findall(loop.text())) == 1 and _is_read(name, loop):
                yield statement, {"NAME": statement}


def _is_read(name: re.Pattern[str], loop: SgNode) -> bool:
    for after in loop.next_all():
        text = after.text()
        if found := name.search(text):
            return not re.match(r"\s*=(?!=)", text[found.end() :])
    return False


def overload_drops_parameter(root: SgNode, language: str) -> Found:
    """Find a method that only calls its namesake and leaves out a parameter which another one takes."""
    methods: dict[str, list[SgNode]] = {}
    for method in of_kind(root, "method_declaration"):
        named = method.field("name")
        if named is not None:
            methods.setdefault(named.text(), []).append(method)
    for name, same in methods.items():
        for method in same if len(same) > 1 else ():
            call = _only_call(method, name)
            if call is None or re.search(r"(?i)@deprecated|obsolete|@override|\boverride\b", method.text()):
                continue
            body = method.field("body")
            used = set(re.findall(r"\w+", body.text())) if body else set()
            others = {
                each for other in same if other is not method for each, _ in _parameters(other, language)
            }
            dropped = ((each, node) for each, node in _parameters(method, language) if each in others - used)
            for parameter, node in dropped:
                if not _UNREAD.search(parameter):
                    yield call, {"PARAMETER": node, "NAME": method.field("name") or call}


def _only_call(method: SgNode, name: str) -> SgNode | None:
    """Give the call, where a method does nothing but call one of its own name."""
    body = method.field("body")
    if body is None:
        return None
    statements = [each for each in body.named_children() if "comment" not in each.kind()]
    last = statements[-1] if statements else None
    checks = r"if\s*\(.*\)\s*\{?\s*throw\b|(?:Objects|Assert|Preconditions|Guard)\.\w+\("
    if last is None or not all(re.match(checks, each.text(), re.DOTALL) for each in statements[:-1]):
        return None
    return (
        last if re.match(rf"(?:return\s+)?(?:this\.|\w+\.)?{name}\b\s*(?:<[^>]*>)?\(", last.text()) else None
    )


def _parameters(method: SgNode, language: str) -> Iterator[tuple[str, SgNode]]:
    holder = method.field("parameters")
    for each in (
        of_kind(holder, "formal_parameter" if language == "java" else "parameter")
        if holder is not None
        else ()
    ):
        if name := each.field("name"):
            yield name.text(), each
