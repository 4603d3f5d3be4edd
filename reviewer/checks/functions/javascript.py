"""What is written twice where only one can count: keys of an object, members of a class, cases, parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_PLAIN = frozenset({"property_identifier", "string", "number", "private_property_identifier"})
_VALUES = frozenset({"string", "number", "member_expression", "identifier", "true", "false", "null"})


def repeated_keys(root: SgNode, language: str) -> Found:
    """Find keys and members that a later one of the same name replaces."""
    for holder in of_kind(root, "object"):
        yield from _again((key, _name(key)) for key in map(_key, holder.children()) if key)
    for holder in of_kind(root, "class_body"):
        yield from _again(
            (key, f"{_before(member, key)}{key.text()}")
            for member in holder.children()
            if (key := _member(member))
        )


def repeated_cases(root: SgNode, language: str) -> Found:
    """Find cases of a switch whose value an earlier one takes."""
    for holder in of_kind(root, "switch_body"):
        values = (case.field("value") for case in holder.children() if case.kind() == "switch_case")
        yield from _again((value, value.text()) for value in values if value and value.kind() in _VALUES)


def repeated_parameters(root: SgNode, language: str) -> Found:
    """Find parameters with the name of an earlier one, where the grammar can read them (types are no names)."""
    for holder in of_kind(root, "formal_parameters"):
        inside = holder.children()
        if any(one.kind() == "ERROR" for one in inside):
            continue
        names = (one.field("pattern") or one for one in inside)
        yield from _again((one, one.text()) for one in names if one.kind() == "identifier")


def _again(keys: Iterable[tuple[SgNode, str]]) -> Found:
    seen: set[str] = set()
    for node, name in keys:
        if name in seen:
            yield node, {"KEY": node}
        seen.add(name)


def _name(key: SgNode) -> str:
    return key.text()[1:-1] if key.kind() == "string" else key.text()


def _key(pair: SgNode) -> SgNode | None:
    key = pair.field("key") if pair.kind() == "pair" else None
    return key if key is not None and key.kind() in _PLAIN and key.text() != "__proto__" else None


def _member(member: SgNode) -> SgNode | None:
    key = member.field("name") if member.kind() == "method_definition" else None
    return key if key is not None and key.kind() in _PLAIN else None


def _before(member: SgNode, key: SgNode) -> str:
    """Give what makes two members of one name different: static, get and set."""
    words = member.text()[: key.range().start.index - member.range().start.index].split()
    return " ".join(word for word in words if word in ("static", "get", "set"))
