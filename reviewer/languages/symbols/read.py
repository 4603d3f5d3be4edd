"""The walker: one for all languages; what they differ in stands in grammars.py."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from hunkwise.reviewer.languages.parser import parser
from hunkwise.reviewer.languages.symbols.grammars import GRAMMARS, Grammar, grammar
from hunkwise.reviewer.languages.symbols.imports import import_kinds, imports
from hunkwise.reviewer.languages.symbols.names import named
from hunkwise.reviewer.languages.symbols.nodes import Nodes
from hunkwise.reviewer.languages.symbols.parameters import brief, parameters
from hunkwise.reviewer.languages.symbols.scopes import Scope, Scopes
from hunkwise.reviewer.languages.symbols.uses import local_names, uses
from hunkwise.reviewer.languages.symbols.values import Symbol, SymbolKind, Symbols, unpacked
from hunkwise.reviewer.languages.syntax import languages, tree

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATIENCE = 5.0  # seconds of CPU time for one text; 10,000 lines take about one
LONGEST_TEXT = 1_000_000  # characters; a longer one is not read
LONGEST_HEAD = 600

_MARK = re.compile(r"@?[A-Za-z_][\w.]*")
_HOLDERS = ("class", "type")


def language_of(path: str) -> str:
    """Name the grammar that reads a file's symbols, by its suffix; "" where none does. Headers are C++."""
    name = path.rpartition("/")[2]
    return _language(name.rpartition(".")[2].lower()) if "." in name else ""


@lru_cache(maxsize=1024)
def _language(suffix: str) -> str:
    found = [each for each in languages(suffix) if each in GRAMMARS]
    return (found[0] if suffix == "c" else found[-1]) if found else ""


def symbols(language: str, text: str, names: Collection[str] | None = None) -> Symbols | None:
    """Read a text in the process that parses; None where it did not live to tell, or the text is too long.

    With `names` only uses of these are given, also of what they are imported as.
    """
    if len(text) > LONGEST_TEXT:
        return None
    question = [language, text, None if names is None else sorted(names)]
    told = parser().ask("hunkwise.reviewer.languages.symbols.read:answer", question, PATIENCE)
    return None if told is None else unpacked(told)


def answer(question: tuple[str, str] | tuple[str, str, list[str] | None]) -> Symbols:
    """Answer the process that asks (languages/parser.py): a language, a text, and names or None for all."""
    language, text, *names = question
    return read(grammar(language), tree(language, text), text, language, *names)


class _Found(NamedTuple):
    node: SgNode
    name: SgNode
    kind: SymbolKind
    holder: SgNode  # has the parameters
    around: SgNode  # the node with its decorators
    start: int
    end: int


def read(
    grammar: Grammar, root: SgNode, text: str, language: str, names: Collection[str] | None = None
) -> Symbols:
    """Read what a tree defines, uses and imports."""
    nodes = Nodes(root, grammar, import_kinds(language))
    found = [
        one for kind, kinds in grammar.defines.items() for one in _definitions(nodes, kinds, kind, grammar)
    ]
    scopes = Scopes([*map(_scope, found), *_nameless(nodes, grammar)])
    functions = [(one.holder, _exact(scopes, one)) for one in found if one.kind in ("function", "method")]
    local = local_names(nodes, grammar, scopes, functions)
    defined = sorted(
        (one for one in found if not _is_inner(one, scopes)),
        key=lambda one: one.name.range().start.index,
    )
    results = _results(nodes, grammar, scopes)
    definitions = tuple(_symbol(one, grammar, scopes, results, text) for one in defined)
    places = {symbol.at for symbol in definitions}
    taken = imports(nodes, language)
    within = {place for start, end in (_range(node) for node, _ in taken) for place in range(start, end)}
    wanted = (
        None
        if names is None
        else {*names, *(one.alias for _, one in taken if one.name in (*names, "default"))}
    )
    every = uses(nodes, grammar, scopes, local, places, text, wanted)
    used = tuple(each for each in every if each.at not in within)
    sure = root.kind() != "ERROR" and not nodes.of_kind("ERROR")
    return Symbols(definitions, used, tuple(one for _, one in taken), sure)


def _is_inner(one: _Found, scopes: Scopes) -> bool:
    """Tell whether it is a variable of a function, or what looks like a declaration of one."""
    inner = one.kind == "constant" or one.node.kind() == "declaration"
    return inner and scopes.function(_around(scopes, one)) >= 0


def _range(node: SgNode) -> tuple[int, int]:
    where = node.range()
    return where.start.index, where.end.index


def _definitions(nodes: Nodes, kinds: str, kind: SymbolKind, grammar: Grammar) -> Iterator[_Found]:
    wrappers = grammar.wrappers.split()
    for node in nodes.of_kind(kinds):
        around = node
        while (parent := around.parent()) is not None and parent.kind() in wrappers:
            if len([kid for kid in parent.named_children()[:3] if kid.kind() == around.kind()]) > 1:
                break  # it stands around several, as `type (…)` of Go does
            around = parent
        for name, what, holder in named(node, kind):
            alone = what == "member" and kind != what  # of an enum, whose names are no nodes of their own
            yield _Found(
                node, name, what, holder, *((name, *_range(name)) if alone else (around, *_range(around)))
            )


def _scope(one: _Found) -> Scope:
    name = scoped_name(one.node, one.name)
    return Scope(one.start, one.end, name, one.kind, one.kind in ("function", "method"))


def scoped_name(node: SgNode, name: SgNode) -> str:
    """Give the name of a definition with the type that it names itself, as a method of Go does."""
    receiver = node.field("receiver") if node.kind() == "method_declaration" else None
    if receiver is not None:
        return f"{_last_word(receiver.text())}.{name.text()}"
    scope = name.parent()
    if scope is not None and scope.kind() == "qualified_identifier":
        holder = scope.field("scope")
        return f"{holder.text()}.{name.text()}" if holder is not None else name.text()
    return name.text()


def _last_word(text: str) -> str:
    words = re.findall(r"\w+", re.sub(r"\[[^\[\]]*\]", "", text))
    return words[-1] if words else ""


def _nameless(nodes: Nodes, grammar: Grammar) -> Iterator[Scope]:
    for node in nodes.of_kind(grammar.functions):
        yield Scope(*_range(node), "", None, True)
    for node in nodes.of_kind(grammar.scopes):
        name = node.field("name") or node.field("type")
        yield Scope(*_range(node), _last_name(name), "type" if node.kind() == "impl_item" else None, False)


def _last_name(node: SgNode | None) -> str:
    """Name a type without what it is of: `Vec` of `Vec<u8>`."""
    return (
        re.split(r"::", re.sub(r"<.*", "", node.text(), flags=re.DOTALL))[-1].strip()
        if node is not None
        else ""
    )


def _around(scopes: Scopes, one: _Found) -> int:
    """Number the scope that a definition stands in."""
    at = scopes.at(one.start)
    while at >= 0 and scopes.all[at].start == one.start and scopes.all[at].end <= one.end:
        at = scopes.above(at)
    return at


def _symbol(one: _Found, grammar: Grammar, scopes: Scopes, results: dict[int, set[str]], text: str) -> Symbol:
    around = _around(scopes, one)
    holder = scopes.all[around].kind if around >= 0 else None
    scope = _scope(one)
    kind = one.kind
    if holder in _HOLDERS or "." in scope.name:
        kind = "method" if kind == "function" else "member" if kind == "constant" else kind
    outer = scopes.name(around)
    name_start = one.name.range()
    body = one.holder.field("body") or one.node.field("body")
    end = body.range().start.index if body is not None and kind not in ("constant", "member") else one.end
    head = text[one.start : end].strip().rstrip("{").rstrip()
    given = parameters(one.holder, grammar) if kind in ("function", "method") else ()
    marks = tuple(_MARK.findall(text[one.start : name_start.start.index])[:20])
    if one.holder.kind() in ("arrow_function", "function_expression") and one.holder.text().startswith(
        "async"
    ):
        marks += ("async",)
    receiver = _has_receiver(one, given, kind, marks)
    result = one.node.field(grammar.result)
    return Symbol(
        name=one.name.text(),
        qualified=f"{outer}.{scope.name}" if outer else scope.name,
        kind=kind,
        line=name_start.start.line + 1,
        start=one.around.range().start.line + 1,
        end=one.around.range().end.line + 1,
        head=head if len(head) <= LONGEST_HEAD else head[:LONGEST_HEAD] + "…",
        parameters=given[1:] if receiver else given,
        bases=_bases(one.node, grammar) if kind in _HOLDERS else (),
        marks=marks,
        results=tuple(sorted(results.get(_exact(scopes, one), ()))) if kind in ("function", "method") else (),
        receiver=receiver,
        type=brief(result.text().lstrip(": ")) if result is not None else "",
        at=name_start.start.index,
    )


def _exact(scopes: Scopes, one: _Found) -> int:
    """Number the scope that a definition is."""
    at = scopes.at(one.end - 1)
    while at >= 0 and (scopes.all[at].start, scopes.all[at].end) != (one.start, one.end):
        at = scopes.above(at)
    return at


def _has_receiver(one: _Found, given: Sequence[object], kind: SymbolKind, marks: Sequence[str]) -> bool:
    if one.node.kind() == "function_definition" and one.holder.field("declarator") is None and given:
        return kind == "method" and "@staticmethod" not in marks and one.node.field("body") is not None
    holder = one.holder.field("parameters")
    return holder is not None and any(child.kind() == "self_parameter" for child in holder.named_children())


def _bases(node: SgNode, grammar: Grammar) -> tuple[str, ...]:
    found: list[str] = []
    for name in grammar.bases.split():
        holders = node.field_children(name) or [
            child for child in node.named_children() if child.kind() == name
        ]
        for holder in holders:
            found += _base_names(holder.text()[:LONGEST_HEAD])
    return tuple(dict.fromkeys(found))


def _base_names(text: str) -> Iterator[str]:
    """Name what stands in a list of bases, without what they are of."""
    text = text.strip().strip("()")
    while (plain := re.sub(r"<[^<>]*>|\([^()]*\)|\[[^\[\]]*\]", "", text)) != text:
        text = plain
    for part in re.split(r",|\bextends\b|\bimplements\b|[:+]", text):
        words = [
            word for word in part.split() if word not in ("public", "private", "protected", "virtual", "<")
        ]
        if words and "=" not in part and re.fullmatch(r"[\w.:$\\]+", words[-1]):
            yield words[-1]


def _results(nodes: Nodes, grammar: Grammar, scopes: Scopes) -> dict[int, set[str]]:
    """Collect what the returns of each function give."""
    found: dict[int, set[str]] = {}
    for node in nodes.of_kind(grammar.returns):
        at = scopes.function(scopes.at(node.range().start.index))
        found.setdefault(at, set()).add(_result(node))
    return found


def _result(node: SgNode) -> str:
    if node.kind() in ("yield", "yield_expression"):
        return "yield"
    value = next((child for child in node.named_children() if "comment" not in child.kind()), None)
    if value is None:
        return "nothing"
    if value.kind() in ("none", "null", "undefined"):
        return "none"
    if value.kind() in ("expression_list", "tuple"):
        parts = value.named_children()
        return "value" if any("splat" in part.kind() for part in parts) else f"tuple:{len(parts)}"
    return "value"
