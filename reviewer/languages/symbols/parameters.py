"""The parameters of a function, and the arguments of a call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.grammars import Grammar
from hunkwise.reviewer.languages.symbols.values import Parameter

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LONGEST = 120  # characters of an argument, a default or a type that are kept

_FIELDS = ("name", "pattern", "left", "declarator")
_LEAVES = ("identifier", "simple_identifier", "field_identifier", "name", "variable_name")


def held(node: SgNode, name: str) -> SgNode | None:
    """Give the child in a field, else the first of that kind."""
    found = node.field(name)
    if found is None:
        found = next((child for child in node.named_children() if child.kind() == name), None)
    return found


def brief(text: str) -> str:
    """Put a text on a line, and cut it where it is long."""
    text = " ".join(text[: LONGEST + 1].split()) if len(text) > LONGEST else " ".join(text.split())
    return text if len(text) < LONGEST else text[:LONGEST] + "…"


def parameters(function: SgNode, grammar: Grammar) -> tuple[Parameter, ...]:
    """Read the parameters of a function, receivers among them."""
    holder = held(function, grammar.parameters) or held(function, "parameter")
    if holder is None:
        return ()
    if holder.kind() in _LEAVES:
        return (Parameter(holder.text()),)
    found: list[Parameter] = []
    before = ""  # a sign or a modifier that says what comes next
    for child in holder.children():
        kind = child.kind()
        if kind == "positional_separator":
            found = [each._replace(kind="positional") for each in found]
        elif kind in ("keyword_separator", "..."):
            found.append(Parameter("", kind="rest"))
        elif before == "=" and found:
            found[-1] = found[-1]._replace(default=brief(child.text()))
        elif child.is_named() and not re.search("comment|attribute|modifiers", kind):
            read = _read(child, grammar)
            found += [each._replace(kind="rest") for each in read] if before in ("params", "vararg") else read
            kind = before if kind == "array_type" else kind
        before = child.text() if kind == "parameter_modifiers" else kind
    return tuple(_after_rest(found)) if grammar.parameters == "parameters" else tuple(found)


def _after_rest(found: list[Parameter]) -> Iterator[Parameter]:
    """What stands behind `*` or `*args` is given by keyword; a bare `*` takes nothing itself."""
    rest = False
    for each in found:
        if each.kind == "rest":
            rest = True
            if not each.name and each is not found[-1]:
                continue
        yield each._replace(kind="keyword") if rest and each.kind == "plain" else each


def _read(node: SgNode, grammar: Grammar) -> list[Parameter]:
    kind, text = node.kind(), node.text()
    if kind in ("dictionary_splat_pattern", *grammar.keywords.split()):
        return [Parameter(text.lstrip("*"), kind="keywords")]
    if kind in ("list_splat_pattern", *grammar.rests.split()) or text.startswith(("...", "params ")):
        return [Parameter(_name(node), kind="rest", type=_type(node))]
    if kind == "keyword_parameter":
        return [Parameter(_name(node), _default(node), "keyword")]
    if kind == "block_parameter":
        return [Parameter(_name(node), "nil", "keyword")]
    if text == "void" or kind in ("array_type", "string_literal", "integer_literal"):
        return []
    if kind == "typed_parameter":
        inner = next(iter(node.named_children()), node)
        return [each._replace(type=_type(node)) for each in _read(inner, grammar)]
    if kind == "required_parameter" and any(child.kind() == "rest_pattern" for child in node.children()):
        return [Parameter(_name(node), kind="rest", type=_type(node))]
    names = [each.text() for each in node.field_children("name")] or [_name(node)]
    default = _default(node)
    if default is None and kind == "optional_parameter":
        default = "undefined"
    return [Parameter(name.lstrip("$"), default, type=_type(node)) for name in names]


def _default(node: SgNode) -> str | None:
    for name in ("value", "default_value", "right"):
        if (found := node.field(name)) is not None:
            return brief(found.text())
    _, sign, value = node.text().partition("=") if node.kind() == "parameter" else ("", "", "")
    return brief(value) if sign else None


def _type(node: SgNode) -> str:
    found = node.field("type")
    return brief(found.text().lstrip(": ")) if found is not None else ""


def _name(node: SgNode) -> str:
    """Find the name of a parameter; "" where it has none (a pattern, or a type alone)."""
    at: SgNode | None = node
    while at is not None and at.kind() not in _LEAVES:
        following = next((one for field in _FIELDS if (one := at.field(field)) is not None), None)
        if following is None:
            inner = [kid for kid in at.named_children() if kid.kind() in (*_LEAVES, "variable_declarator")]
            following = inner[-1] if inner and at.kind() not in ("object_pattern", "tuple_pattern") else None
        at = following
    return at.text().lstrip("$") if at is not None else ""


def arguments(call: SgNode, grammar: Grammar) -> tuple[str, ...] | None:
    """Give the arguments of a call as text; None where it has no list of them."""
    holder = held(call, grammar.given)
    if holder is None:
        suffix = held(call, "call_suffix")
        holder = held(suffix, grammar.given) if suffix is not None else None
        if holder is None:
            holder = held(call, "argument_list")
        if holder is None:
            return None
    if holder.kind() in ("template_string", "generator_expression"):
        return (brief(holder.text()),)
    return tuple(brief(child.text()) for child in holder.named_children() if "comment" not in child.kind())
