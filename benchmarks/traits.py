"""What is done with a call, told by its tree and, for what comes after it, by words (neighbours.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.grammars import grammar
from hunkwise.reviewer.languages.syntax import of_kind, tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LARGEST = 300_000  # characters of a file
LONGEST_LINE = 3000
TRAITS = ("awaited", "checked", "used", "closed", "locked", "caught")

_FUNCTION = re.compile(
    r"\w*(?:function|method|constructor)_(?:def|decl)\w*|arrow_function|func\w*_(?:literal|expression)|lambda\w*"
)
_AROUND = ("await", "await_expression", "parenthesized_expression", "non_null_expression", "cast_expression")
_PASSED = ("return_statement", "argument_list", "arguments", "expression_list", "arrow_function", "yield",
           "keyword_argument", "pair", "binary_expression", "go_statement", "defer_statement")  # fmt: skip
_TESTING = re.compile(
    "if_|while_|elif|conditional|ternary|assert|unary|not_op|boolean|binary|comparison|do_|switch|match_"
)
_BINDING = re.compile(
    r"\w*assignment\w*|\w*declarator|short_var_declaration|var_spec|named_expression|as_pattern"
)
_HELD = re.compile(r"(?:\.|->)(?:R?Lock|lock|acquire)\(\)|(?:mutex|rwlock|spin)\w*_(?:rd|wr)?lock\(")
_CLOSES = r"(?:close|release|stop|cancel|dispose|shutdown|destroy|end|free|unref|terminate|delete|cleanup)\w*"


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and what is done with it; `passed`: its result goes on to somewhere else, so little is known."""

    callee: str
    line: int
    text: str
    arguments: tuple[str, ...]
    traits: frozenset[str]
    passed: bool

    def lacks(self) -> Iterator[str]:
        """Give what is certainly not done with it."""
        for trait in TRAITS:
            if trait not in self.traits and not (self.passed and trait in ("awaited", "checked", "closed")):
                yield trait


@lru_cache(maxsize=150)
def nodes(language: str, text: str) -> list[SgNode]:
    """Find the calls of a text; none in one that a program made."""
    long = len(text) > LARGEST or max(map(len, text.split("\n"))) > LONGEST_LINE
    return [] if long else of_kind(tree(language, text), grammar(language).calls)


def callee(node: SgNode) -> str:
    """Give the last two names of what is called; "" where it is something else."""
    if node.kind() == "object_creation_expression":
        made = node.field("type")
        return f"new {re.sub('<.*', '', made.text(), flags=re.DOTALL)}" if made is not None else ""
    function = node.field("function") or node.field("constructor") or node.field("name")
    on = node.field("object")
    text = "".join(
        f"{on.text()}.{function.text()}".split() if on and function else function.text() if function else ""
    )
    return ".".join(re.split(r"\??\.|->|::", text)[-2:]) if re.fullmatch(r"[\w.$>\-?:]{3,}", text) else ""


def read(node: SgNode) -> Call:
    """Tell what is done with a call."""
    above = list(node.ancestors())
    at, traits = 0, set()
    while at < len(above) and above[at].kind() in _AROUND:
        traits |= {"awaited"} if "await" in above[at].kind() else set()
        at += 1
    above = above[at:]
    kind = above[0].kind() if above else ""
    whole = next((each for each in above if _FUNCTION.fullmatch(each.kind())), node.get_root().root())
    place, text = node.range().start.index - whole.range().start.index, whole.text()
    before, after = text[:place], text[place + len(node.text()) : place + 3000]
    names = _bound(node, above)
    if kind not in ("expression_statement", "comma_expression", "block", "statement_list"):
        traits |= {"used"} if names[-1:] != ["_"] else set()
    traits |= (
        {"checked"} if _tested(node, above) or any(_looked_at(name, after) for name in names[-1:]) else set()
    )
    traits |= (
        {"closed"} if _within_with(node, above) or any(_closed(name, after) for name in names) else set()
    )
    traits |= {"locked"} if _locked(above, before) else set()
    traits |= {"caught"} if _caught(node, above) else set()
    given = node.field("arguments")
    arguments = (
        tuple(one.text() for one in given.named_children() if one.kind() != "comment") if given else ()
    )
    return Call(
        callee(node),
        node.range().start.line + 1,
        node.text()[:200],
        arguments,
        frozenset(traits),
        kind in _PASSED,
    )


def _holds(outer: SgNode | None, inner: SgNode) -> bool:
    return (
        outer is not None and outer.range().start.index <= inner.range().start.index < outer.range().end.index
    )


def _bound(node: SgNode, above: Sequence[SgNode]) -> list[str]:
    for each in above[:4]:
        if _BINDING.fullmatch(each.kind()):
            left = next(
                (one for name in ("left", "name", "declarator", "alias") if (one := each.field(name))), None
            )
            return (
                [name.strip(" *") for name in left.text().split(",")]
                if left and not _holds(left, node)
                else []
            )
        if each.kind().endswith("statement") or each.kind() in ("argument_list", "arguments"):
            break
    return []


def _tested(node: SgNode, above: Sequence[SgNode]) -> bool:
    for each in above[:6]:
        kind = each.kind()
        if _FUNCTION.fullmatch(kind) or kind.endswith("block") or kind in ("argument_list", "arguments"):
            return False
        if _TESTING.match(kind):
            condition = each.field("condition") or each.field("value")
            return condition is None or _holds(condition, node) or _holds(each.field("initializer"), node)
    return False


def _looked_at(name: str, after: str) -> bool:
    word = rf"(?<![\w.]){re.escape(name)}(?!\w)"
    return name != "_" and bool(
        re.search(rf"\b(?:if|while|assert\w*|switch|case|elif|unless)\b[^\n{{;]*{word}", after)
        or re.search(rf"{word}\s*(?:\?(?!\.)|&&|\|\||is None|is not None|==|!=|<|>)", after)
        or re.search(rf"(?:&&|\|\||\b(?:and|or|not)\b|!)\s*{word}", after)
        or re.search(rf"\b(?:require|assert|ok|NoError|Fatal)\w*[.(][^\n]*{word}", after)
    )


def _closed(name: str, after: str) -> bool:
    word = rf"(?<![\w.]){re.escape(name)}(?!\w)"
    return name != "_" and bool(
        re.search(rf"{word}\??(?:\.|->){_CLOSES}", after, re.IGNORECASE)
        or re.search(rf"{_CLOSES}\s*\([^()\n]*{word}", after, re.IGNORECASE)
        or re.search(rf"\b(?:defer|with)\s+[^\n]*{word}", after)
    )


def _within_with(node: SgNode, above: Sequence[SgNode]) -> bool:
    for each in above[:6]:
        if each.kind() in ("with_item", "with_clause", "resource", "resource_specification"):
            return True
        if each.kind().endswith("statement") or _FUNCTION.fullmatch(each.kind()):
            return False
    return False


def _locked(above: Sequence[SgNode], before: str) -> bool:
    for each in above:
        head = each.text().split(":" if each.kind() == "with_statement" else "{", 1)[0]
        if each.kind() == "synchronized_statement" or (
            each.kind() == "with_statement" and re.search("(?i)lock|mutex", head)
        ):
            return True
        if _FUNCTION.fullmatch(each.kind()):
            if "synchronized" in head:
                return True
            break
    held = list(_HELD.finditer(before))
    rest = re.sub(r"defer[^\n]*", "", before[held[-1].end() :]) if held else ""
    return bool(held) and not re.search(r"[Uu]nlock\(|\.release\(", rest)


def _caught(node: SgNode, above: Sequence[SgNode]) -> bool:
    for each in above:
        if each.kind().startswith("try_"):
            return _holds(each.field("body"), node) and bool(re.search(r"\b(?:catch|except)\b", each.text()))
        if _FUNCTION.fullmatch(each.kind()):
            return False
    return False
