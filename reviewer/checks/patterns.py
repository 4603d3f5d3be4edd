"""Patterns of ast-grep: what one binds, and how it is read as what it looks like.

The grammar of C takes `free($X)` for a type made by a macro, and that of Go takes `os.Open($X)` for a conversion:
patterns of calls and of parts (`request.Body`) are put into a function there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.checks.needs import META, once

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PARTS = {"c": "field_expression", "cpp": "field_expression", "go": "selector_expression"}
_CONTEXTS = {"c": "void f() {{ {}; }}", "cpp": "void f() {{ {}; }}", "go": "func f() {{ _ = {} }}"}
_PART = re.compile(r"(?:[\w$]+|\(\))(?:(?:\.|->)(?:[\w$]+|\(\)))+")
_CHAIN = re.compile(r"(?:[\w.:$]|->|\[\]|\(\))+\(\)")


def in_context(rule: Any, language: str) -> Any:
    """Put patterns of calls where they are read as calls, anywhere in a rule of ast-grep."""
    context = _CONTEXTS.get(language)
    return _put(rule, context, _PARTS[language]) if context else rule


@once
def asked(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Give the form in which ast-grep takes a rule, or an entry of a flow, in which constraints stand too."""
    beside = {name: value for name, value in entry.items() if name in ("constraints", "utils")}
    rule = entry.get("rule") or {name: value for name, value in entry.items() if name not in beside}
    return {"rule": in_context(rule, language), **in_context(beside, language)}


def _put(rule: Any, context: str, part: str) -> Any:
    if isinstance(rule, list):
        return [_put(each, context, part) for each in rule]
    if not isinstance(rule, Mapping):
        return rule
    put = {key: _put(value, context, part) for key, value in rule.items()}
    if isinstance(pattern := rule.get("pattern"), str):
        outside = _outside(pattern)
        selector = (
            "call_expression" if _CHAIN.fullmatch(outside) else part if _PART.fullmatch(outside) else ""
        )
        if selector:
            put["pattern"] = {"context": context.format(pattern), "selector": selector}
    return put


def _outside(pattern: str) -> str:
    """Leave out what stands in parentheses and brackets."""
    kept: list[str] = []
    depth = 0
    for letter in pattern.strip():
        depth -= letter in ")]"
        if depth == 0:
            kept.append(letter)
        depth += letter in "(["
    return "".join(kept)


@once
def metavariables(value: object) -> set[str]:
    """List the metavariables that a rule binds."""
    return {name for text in _strings(value) for name in _metavariables_in(text)}


@cache
def _metavariables_in(text: str) -> tuple[str, ...]:
    return tuple({first or second for first, second in META.findall(text) if first or second})


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def bound(node: SgNode, names: Iterable[str]) -> dict[str, SgNode | Sequence[SgNode]]:
    """Give what metavariables stand for in a match: a node each, or several for `$$$NAME`."""
    found: dict[str, SgNode | Sequence[SgNode]] = {}
    for name in names:
        one = node.get_match(name)
        if one is not None:
            found[name] = _single(one)
        elif many := node.get_multiple_matches(name):
            found[name] = many
    return found


def _single(node: SgNode) -> SgNode:
    """Take a lone value out of the list that Go's grammar puts it into."""
    parts = [part for part in node.children() if part.is_named()] if node.kind() == "expression_list" else []
    return parts[0] if len(parts) == 1 else node


_CLASSES = {"w": "0-9A-Za-z_", "d": "0-9", "s": r" \t\r\n"}


def quick(rule: Any) -> Any:
    """Write the regular expressions of a rule for ASCII: those for all of Unicode cost far more to make."""
    if isinstance(rule, list):
        return [quick(part) for part in rule]
    if not isinstance(rule, Mapping):
        return rule
    return {
        "on" if key is True else key: _ascii(value)
        if key == "regex" and isinstance(value, str)
        else quick(value)
        for key, value in rule.items()
    }  # True is how YAML reads `on`


def _ascii(regex: str) -> str:
    made: list[str] = []
    inside, escaped = False, False
    for letter in regex:
        if escaped:
            made.append(_escape(letter, inside))
        elif letter != "\\":
            inside = letter == "[" or (inside and letter != "]")
            made.append(letter)
        escaped = letter == "\\" and not escaped
    return "".join(made)


def _escape(letter: str, inside: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not inside:
        return f"[^{_CLASSES[letter.lower()]}]"
    return r"(?-u:\b)" if letter == "b" and not inside else f"\\{letter}"


@once
def root_kind(rule: Any, language: str) -> str:
    """Name the kind of nodes that a rule matches, as far as a look at it tells; "" where it does not.

    It only groups rules: a wrong answer costs time and nothing else.
    """
    if not isinstance(rule, Mapping):
        return ""
    if isinstance(kind := rule.get("kind"), str):
        return kind
    if isinstance(pattern := rule.get("pattern"), str):
        return _kind_of_pattern(pattern, language)
    if isinstance(pattern, Mapping):
        return str(pattern.get("selector", ""))
    if isinstance(parts := rule.get("all"), list):
        return next((kind for part in parts if (kind := root_kind(part, language))), "")
    kinds = {root_kind(part, language) for part in rule.get("any") or ()}
    return kinds.pop() if len(kinds) == 1 else ""


@once
def named_kind(rule: Any) -> str:
    """Name the kind that a rule says itself, alone or among what must all hold; "" where it says none."""
    if isinstance(kind := rule.get("kind"), str):
        return kind
    parts = (part for part in rule.get("all") or () if isinstance(part, Mapping))
    return next((part["kind"] for part in parts if isinstance(part.get("kind"), str)), "")


@cache
def _kind_of_pattern(pattern: str, language: str) -> str:
    from hunkwise.reviewer.languages.syntax import tree

    node = tree(language, META.sub("x", pattern))
    while len(inside := node.children()) == 1:
        node = inside[0]
    return node.kind()
