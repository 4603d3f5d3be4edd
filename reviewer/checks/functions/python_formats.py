"""Texts of Python with placeholders: are there as many values as places?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING, Any, cast

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?[-#0 +]*(?P<width>\*|\d+)?(?:\.(?P<digits>\*|\d+))?[hlL]?(?P<kind>.)",
    re.DOTALL,
)
_LOGS = re.compile(
    r"(self\.)?_?(log|logger|logging|LOG|LOGGER)\.(debug|info|warning|warn|error|critical|exception)"
)
_ASKED = r"\.(format|debug|info|warning|warn|error|critical|exception)$"
_ONE = ("string", "integer", "float", "list", "dictionary_comprehension", "none", "true", "false")
_STARS = ("list_splat", "dictionary_splat")


def values_wrong(root: SgNode, _language: str) -> Found:
    """Find a text whose placeholders and values do not agree in number, or in name."""
    for node in root.find_all(
        {"rule": {"kind": "binary_operator", "has": {"field": "operator", "regex": "^%$"}}}
    ):
        text, values = node.field("left"), node.field("right")
        if text is not None and values is not None and _any_wrong(text, values):
            yield node, {"TEXT": text}
    standard = _standard_logging(root)
    for node in root.find_all({"rule": {"kind": "call", "has": {"field": "function", "regex": _ASKED}}}):
        function, values = node.field("function"), node.field("arguments")
        if function is None or values is None or values.kind() != "argument_list":
            continue
        text = function.field("object") if function.kind() == "attribute" else None
        if (
            text is not None
            and text.kind() in ("string", "concatenated_string")
            and function.text().endswith(".format")
        ):
            if _format_wrong(_content(text), values):
                yield node, {"TEXT": text}
        elif standard and _LOGS.fullmatch(function.text()):
            yield from _log_wrong(node, values)


def _any_wrong(text: SgNode, values: SgNode) -> bool:
    return any(_percent_wrong(one, other) for one in _meant(text)[:1] for other in _meant(values))


def _percent_wrong(text: SgNode, values: SgNode) -> bool:
    content = _content(text)
    if content is None:
        return False
    wanted = _places(content)
    if wanted is None:
        return False
    number, names = wanted
    given = _named(values)
    if values.kind() == "tuple":
        return not _starred(given) and not names and number != len(given)
    if values.kind() == "dictionary":
        keys = _keys(values)
        return keys is not None and bool(names) and not names <= keys
    return bool(number > 1 and not names and values.kind() in _ONE)


def _places(content: str) -> tuple[int, set[str]] | None:
    """Count the placeholders of a % format and list their names; None where it can't be told."""
    number, names = 0, set()
    for found in _PERCENT.finditer(content):
        if found["kind"] == "%":
            continue
        if found["kind"] not in "diouxXeEfFgGcrsa":
            return None
        if found["key"] is not None:
            names.add(found["key"])
        number += 1 + (found["width"] == "*") + (found["digits"] == "*")
    return (number, names) if not names or number == len(names) or names else None


def _format_wrong(content: str | None, values: SgNode) -> bool:
    given = _named(values)
    if content is None or _starred(given) or "\\N{" in content:
        return False
    automatic, numbers, names = 0, {-1}, set()
    try:
        fields = [field for part in _fields(content) for field in part]
    except ValueError:
        return False
    for field in fields:
        first = re.split(r"[.\[]", field, maxsplit=1)[0]
        if not first:
            automatic += 1
        elif first.isdigit():
            numbers.add(int(first))
        else:
            names.add(first)
    keyed = {
        name.text() for node in given if node.kind() == "keyword_argument" and (name := node.field("name"))
    }
    placed = len(given) - len(keyed)
    wanted = max(automatic, max(numbers) + 1)
    return wanted > placed or not names <= keyed or (automatic > 0 and placed > wanted)


def _fields(content: str) -> Iterator[list[str]]:
    for _, field, spec, _ in Formatter().parse(content):
        if field is not None:
            yield [field]
            if spec:
                yield from _fields(spec)


def _log_wrong(call: SgNode, values: SgNode) -> Found:
    given = [node for node in _named(values) if node.kind() != "keyword_argument"]
    if len(given) < 2 or _starred(given) or given[1].kind() == "dictionary":
        return
    content = _content(given[0])
    wanted = _places(content) if content is not None else None
    if wanted is None or (wanted[1] and len(given) == 2) or (not wanted[0] and "{" in (content or "")):
        return
    if wanted[0] != len(given) - 1:
        yield call, {"TEXT": given[0]}


def _standard_logging(root: SgNode) -> bool:
    imports = of_kind(root, "import_statement import_from_statement")
    said = " ".join(node.text() for node in imports)
    return "logging" in said and not re.search(r"loguru|structlog|logbook|eliot|absl", said)


def _meant(node: SgNode) -> list[SgNode]:
    """Give the values that a local name is bound to, where it does nothing else before; or the node."""
    if node.kind() == "parenthesized_expression":
        return [child for child in node.children() if child.is_named()][:1] or [node]
    if node.kind() != "identifier":
        return [node]
    scope = next((up for up in node.ancestors() if up.kind() in ("function_definition", "lambda")), None)
    if scope is None:
        return [node]
    named: dict[str, Any] = {"regex": f"^{node.text()}$"}
    bound = scope.find_all(cast("Any", {"rule": {"kind": "assignment", "has": {"field": "left", **named}}}))
    mentions = scope.find_all(cast("Any", {"rule": {"kind": "identifier", **named}}))
    values = [value for one in bound if (value := one.field("right")) is not None]
    return values if values and len(mentions) == len(values) + 1 else [node]


def _content(text: SgNode) -> str | None:
    """Give what stands in a plain text; None for one with f, or of bytes."""
    if text.kind() == "concatenated_string":
        parts = [_content(child) for child in text.children() if child.kind() == "string"]
        return None if None in parts else "".join(part or "" for part in parts)
    found = (
        re.fullmatch(r"(?s)[rRuU]?(\"\"\"|'''|\"|')(.*)\1", text.text()) if text.kind() == "string" else None
    )
    return found[2] if found else None


def _named(node: SgNode) -> list[SgNode]:
    return [child for child in node.children() if child.is_named() and child.kind() != "comment"]


def _starred(nodes: list[SgNode]) -> bool:
    return any(node.kind() in _STARS or node.kind() == "generator_expression" for node in nodes)


def _keys(values: SgNode) -> set[str] | None:
    """Give the keys of a dictionary; None where one is not a plain text."""
    keys = set()
    for pair in _named(values):
        key = pair.field("key") if pair.kind() == "pair" else None
        content = _content(key) if key is not None else None
        if content is None:
            return None
        keys.add(content)
    return keys
