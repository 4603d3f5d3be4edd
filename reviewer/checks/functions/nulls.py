"""A value that may be null by what the code itself says: it is asked below, and was used above."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import find_all

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_NAME = r"([A-Za-z_]\w*)"
# What asks whether a name is null, and what uses it so that null fails
_LANGUAGES = {
    "c": (rf"(?:{_NAME} *[!=]= *NULL|NULL *[!=]= *{_NAME}|! *{_NAME})", r"(?:->|\[)"),
    "java": (rf"(?:{_NAME} *[!=]= *null|null *[!=]= *{_NAME})", r"(?:\.\s*\w|\[)"),
    "csharp": (rf"(?:{_NAME} *[!=]= *null|{_NAME} is (?:not )?null)", r"(?:\.\s*\w|\[)"),
    "javascript": (rf"{_NAME} *[!=]={{1,2}} *(?:null|undefined)", r"(?:\.\s*\w|\[)"),
    "go": (rf"{_NAME} *[!=]= *nil", r"\.\w+\b(?!\s*\()"),
    "python": (rf"{_NAME} is (?:not )?None", r"(?:\.\w|\[)"),
}
_SAME = {"cpp": "c", "typescript": "javascript", "tsx": "javascript"}
_PLAIN = (
    "expression_statement", "declaration", "local_variable_declaration", "lexical_declaration",
    "variable_declaration", "local_declaration_statement", "short_var_declaration",
    "assignment_statement", "var_declaration",
)  # fmt: skip
_FUNCTIONS = re.compile("function|method|constructor|lambda|closure|func_literal|local_function")
_TEXTS = re.compile(r"\"\"\"[\s\S]*?\"\"\"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
# What may ask first, run later, look at the type alone, or end it all
_UNSURE = re.compile(
    r"&&|\|\||\?|=>|->\s*\{|\bfunc\b|\bfunction\b|\blambda\b|\band\b|\bor\b|\bif\b|sizeof|typeof|offsetof|(?i:assert|require|check)\w*\(|\bnameof\b"
)
_MOST_BACK = 12  # statements
_TYPE = re.compile(r"(\w+|[>\]])[ \t*&]+\Z")
_LONGEST_TYPE = 60
_FAR = 600  # characters above a check
_NO_TYPES = frozenset(
    {"return", "else", "throw", "new", "case", "goto", "delete", "in", "of", "and", "or", "not", "is"}
)


def used_before_null_check(root: SgNode, language: str) -> Found:
    """Find a name that is used in a statement and asked for null a few statements below, with nothing between."""
    asks, uses = _LANGUAGES[_SAME.get(language, language)]
    condition = re.compile(rf"^\(?\s*{asks}\s*(?:\)?$|\|\||&&|or\b|and\b)")
    if not _may_be(root.text(), asks, uses):
        return
    wanted = {"rule": {"kind": "if_statement", "has": {"field": "condition", "regex": condition.pattern}}}
    for asked in find_all(root, wanted):
        test = asked.field("condition")
        found = condition.match(test.text()) if test is not None else None
        name = next((each for each in found.groups() if each), "") if found else ""
        begun = asked.field("initializer")  # which may give the name to something else
        if begun is not None and re.search(rf"\b{name}\b", begun.text()):
            continue
        for statement in _used_above(asked, name, uses) if name else ():
            if _is_local(asked, name):
                yield statement, {"X": _mention(statement, name) or statement, "CHECK": asked}


def _may_be(text: str, asks: str, uses: str) -> bool:
    """Tell whether a name that is asked for null is used shortly above, as far as the text tells."""
    for found in re.finditer(rf"\bif\b *\(? *{asks}", text):
        name = next((each for each in found.groups() if each), "")
        above = text[max(0, found.start() - _FAR) : found.start()]
        if name in above and re.search(rf"(?<![\w.>$&]){name}\s*{uses}", above):
            return True
    return False


def _used_above(asked: SgNode, name: str, uses: str) -> Iterator[SgNode]:
    mentioned = re.compile(rf"(?<![\w.>$]){name}\b")
    used = re.compile(rf"(?<![\w.>$&]){name}\s*{uses}")
    changed = re.compile(
        rf"(?<![\w.>]){name}\s*(?:[-+*/|&]?=(?!=)|:=|,[^=;\n]{{0,200}}:?=)"
        rf"|&\s*{name}\b|\b(?:\+\+|--){name}\b|\b{name}(?:\+\+|--)"
    )
    for far, before in enumerate(asked.prev_all()):
        if far >= _MOST_BACK or not before.is_named():
            continue
        text = _TEXTS.sub('""', before.text())
        if not mentioned.search(text):
            continue
        if before.kind() not in _PLAIN or changed.search(text) or _UNSURE.search(text):
            return
        if used.search(text):
            yield before
            return


def _is_local(asked: SgNode, name: str) -> bool:
    """Tell whether a name is a parameter or local of the function: what is shared may change in a call."""
    function = next((node for node in asked.ancestors() if _FUNCTIONS.search(node.kind())), None)
    if function is None:
        return False
    body = function.field("body")
    head = function.text()[: body.range().start.index - function.range().start.index] if body else ""
    if re.search(rf"[(,\s*&]{name}\b\s*[,):=\s]", head):
        return True
    text = function.text()
    for found in re.finditer(rf"\b{name}\s{{0,9}}(?::?=(?!=)|;|:|,)", text):
        before = _TYPE.search(text[max(0, found.start() - _LONGEST_TYPE) : found.start()])
        if ":=" in found[0] or (before is not None and before[1] not in _NO_TYPES):
            return True
    return False


def _mention(statement: SgNode, name: str) -> SgNode | None:
    nodes = find_all(statement, {"rule": {"kind": "identifier", "regex": f"^{name}$"}})
    return nodes[0] if nodes else None
