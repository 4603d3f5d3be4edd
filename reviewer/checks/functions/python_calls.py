"""Calls of functions that the same file of Python defines: do they fit, and is there a result at all?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_STARS = ("list_splat", "dictionary_splat", "generator_expression", "ERROR")
_NAMED = {"identifier": None, "default_parameter": "name", "typed_default_parameter": "name"}


def arguments_wrong(root: SgNode, _language: str) -> Found:
    """Find a call of a function of this file with too few or too many values, or a name that it does not know."""
    known = {
        name: taken for name, node in _functions(root).items() if (taken := _parameters(node)) is not None
    }
    for call in of_kind(root, "call") if known else ():
        function, given = call.field("function"), call.field("arguments")
        if (
            function is None
            or given is None
            or function.kind() != "identifier"
            or function.text() not in known
        ):
            continue
        if given.kind() == "argument_list" and _fits_not(known[function.text()], _named(given)):
            yield call, {"CALL": function}


def result_of_nothing(root: SgNode, _language: str) -> Found:
    """Find a name that gets the result of a function of this file that returns nothing."""
    empty = {name for name, node in _functions(root).items() if _returns_nothing(node)}
    for assignment in of_kind(root, "assignment") if empty else ():
        call = assignment.field("right")
        function = call.field("function") if call is not None and call.kind() == "call" else None
        if function is not None and function.kind() == "identifier" and function.text() in empty:
            yield assignment, {"CALL": function}


def _functions(root: SgNode) -> dict[str, SgNode]:
    """Give the functions of a file that are defined once, under a name that means nothing else."""
    found: dict[str, SgNode] = {}
    taken: list[str] = []
    for node in root.children():
        name = node.field("name") if node.kind() == "function_definition" else None
        if name is not None:
            taken.append(name.text())
            found[name.text()] = node
    for kind, field in (
        ("assignment", "left"),
        ("function_definition", "name"),
        ("class_definition", "name"),
    ):
        for node in of_kind(root, kind):
            left = node.field(field)
            if left is not None and left.text() in found and node != found[left.text()]:
                taken.append(left.text())
    for parameters in of_kind(root, "parameters lambda_parameters"):
        taken += [node.text() for node in of_kind(parameters, "identifier")]
    for line in of_kind(root, "import_from_statement for_statement"):
        names = line.field("left") or line
        if line.kind() == "import_from_statement" or names is not line:
            taken += [node.text() for node in of_kind(names, "identifier")]
    return {name: node for name, node in found.items() if taken.count(name) == 1}


def _parameters(function: SgNode) -> tuple[list[str], set[str], set[str]] | None:
    """Give the placed parameters, those with a default, and those by name alone; None if unsure."""
    placed: list[str] = []
    optional: set[str] = set()
    by_name: set[str] = set()
    behind_star = False
    parameters = function.field("parameters")
    for node in _named(parameters) if parameters is not None else []:
        if node.kind() == "keyword_separator" or node.text() == "*":
            behind_star = True
            continue
        if node.kind() == "typed_parameter":
            name = node.child(0)
        elif node.kind() in _NAMED:
            field = _NAMED[node.kind()]
            name = node.field(field) if field else node
        else:
            return None
        if name is None or name.kind() != "identifier":
            return None
        (by_name.add if behind_star else placed.append)(name.text())
        if "default" in node.kind():
            optional.add(name.text())
    return placed, optional, by_name


def _fits_not(taken: tuple[list[str], set[str], set[str]], given: list[SgNode]) -> bool:
    placed, optional, by_name = taken
    if any(node.kind() in _STARS for node in given):
        return False
    names = {
        name.text() for node in given if node.kind() == "keyword_argument" and (name := node.field("name"))
    }
    values = sum(node.kind() != "keyword_argument" for node in given)
    wanted = {*placed[values:], *by_name} - optional
    return values > len(placed) or bool(names - set(placed) - by_name) or bool(wanted - names)


def _returns_nothing(function: SgNode) -> bool:
    body = function.field("body")
    if body is None or function.text().startswith("async") or function.field("return_type") is not None:
        return False
    name = function.field("name")
    if name is not None and "main" in name.text():
        return False
    if len(_named(body)) < 2 and ("raise" in body.text() or body.text().strip() in ("pass", "...")):
        return False
    gives: Any = {"any": [{"kind": "yield"}, {"kind": "return_statement", "regex": "^return[ (]"}]}
    return body.find({"rule": gives}) is None and "NotImplemented" not in body.text()


def _named(node: SgNode) -> list[SgNode]:
    return [child for child in node.children() if child.is_named() and child.kind() != "comment"]
