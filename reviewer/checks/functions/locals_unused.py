"""Local names of JavaScript and Java that are given a value and never mentioned again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hunkwise.reviewer.checks.needs import WORD
from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_FUNCTIONS = (
    "function_declaration", "function_expression", "arrow_function", "method_definition", "method_declaration",
    "constructor_declaration", "generator_function_declaration",
)  # fmt: skip
_DECLARATIONS = ("lexical_declaration", "variable_declaration", "local_variable_declaration")
_PLAIN = (
    "string", "number", "true", "false", "null", "undefined", "identifier", "arrow_function",
    "function_expression", "class", "string_literal", "decimal_integer_literal", "null_literal", "object",
    "array", "lambda_expression",
)  # fmt: skip
_UNREAD = ("eval(", "with (")


def value_never_used(root: SgNode, _language: str) -> Found:
    """Find a local name that is given a value, and that nothing in its function mentions again."""
    counted: dict[int, Counter[str]] = {}
    if any(word in root.text() for word in _UNREAD):
        return
    for declared in of_kind(root, "variable_declarator"):
        name, value, holder = declared.field("name"), declared.field("value"), declared.parent()
        if name is None or value is None or name.kind() != "identifier" or value.kind() in _PLAIN:
            continue
        if name.text()[0] in "_$" or holder is None or holder.kind() not in _DECLARATIONS:
            continue
        functions = [each for each in declared.ancestors() if each.kind() in _FUNCTIONS]
        block = holder.parent()
        if (
            not functions
            or block is None
            or block.kind() not in ("statement_block", "block", "constructor_body")
        ):
            continue
        start = functions[-1].range().start.index
        if start not in counted:
            counted[start] = Counter(WORD.findall(functions[-1].text()))
        if counted[start][name.text()] == 1:
            yield declared, {"NAME": name}
