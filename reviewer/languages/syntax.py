"""Where comments, docstrings and imports stand in a text, told by its language's grammar (tree-sitter).

Unsure means code: nothing is told of a text in another language, nor around what the grammar can't read, nor
behind a place where a compiler and the grammar may part ways (`_sure_until`). A comment that acts (directives.py)
is code, and so is an import that does more than name things.

The grammars are native code and read what strangers wrote, so they run in a process of their own (parser.py).
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

from hunkwise.reviewer.languages.directives import acts
from hunkwise.reviewer.languages.statements import KINDS, statements

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Kind = Literal["comment", "docstring", "import", "statement"]

Span = tuple[int, int, Kind, str]
"""Start and end in characters, what stands there, and of a statement what it does (statements.py)."""

PATIENCE = 2.0  # seconds of CPU time for one text; 10,000 lines take less than one

_OF_MODULES = "import_statement export_statement lexical_declaration variable_declaration"
# language: suffixes; kinds of comments beside "comment"; kinds of imports
_GRAMMARS: dict[str, tuple[str, str, str]] = {
    "bash": ("sh bash zsh", "", ""),
    "c": ("c h", "", "preproc_include"),
    "cpp": ("c h cc cpp cxx hpp hh hxx", "", "preproc_include"),
    "csharp": ("cs", "", "using_directive"),
    "css": ("css", "", ""),
    "dart": ("dart", "", "import_or_export"),
    "elixir": ("ex exs", "", ""),
    "go": ("go", "", "import_declaration package_clause"),
    "haskell": ("hs", "haddock", "import"),
    "hcl": ("hcl tf tfvars", "", ""),
    "html": ("html htm", "", ""),
    "java": ("java", "line_comment block_comment", "import_declaration package_declaration"),
    "javascript": ("js mjs cjs jsx", "", _OF_MODULES),
    "kotlin": ("kt kts", "line_comment multiline_comment", "import_header package_header"),
    "lua": ("lua", "", ""),
    "nix": ("nix", "", ""),
    "php": ("php", "", "namespace_use_declaration"),
    "python": ("py pyi", "", "import_statement import_from_statement"),
    "ruby": ("rb", "", ""),
    "rust": ("rs", "line_comment block_comment", "use_declaration extern_crate_declaration"),
    "scala": ("scala sc", "block_comment", "import_declaration package_clause"),
    "solidity": ("sol", "", "import_directive"),
    "swift": ("swift", "multiline_comment", "import_declaration"),
    "tsx": ("tsx", "", _OF_MODULES),
    "typescript": ("ts mts cts", "", _OF_MODULES),
    "yaml": ("yaml yml", "", ""),
    "zig": ("zig", "", ""),
}
_NO_PLAIN_COMMENT = ("java", "kotlin", "rust")

# Where a compiler may end a comment that the grammar goes on with, or go on with one that the grammar ends
_LINE_END = re.compile("\r(?!\n)|[\v\f\x00\x1a\x1c-\x1e\x85\u2028\u2029]")
_SPLICE = re.compile(r"(?:\\[ \t\v\f\r]+|\?\?/\s?)\Z")
_ESCAPE = re.compile(r"\\u+00[0-7][0-9a-fA-F]")  # Java reads these before it looks for tokens
_HTML_END = re.compile(r"\A<!--?-?>|--!>")
_TEXT = re.compile("string|quoted|char|regex|heredoc|scalar|attribute_value|raw_text")
_TEXT_ELEMENT = re.compile(
    r"<(?:textarea|title|xmp|iframe|noembed|noframes|noscript|plaintext|template)\b", re.IGNORECASE
)
_CODING = re.compile(r"coding[:=][ \t]{0,9}([-\w.]+)")
_PLAIN_CODING = re.compile(r"utf-?8|(?:us-)?ascii|latin-?1|iso-?8859-\d+|(?:cp|windows-)125\d", re.IGNORECASE)
_PLAIN_STRING = re.compile(r"[rRuU]?['\"]")


def languages(suffix: str) -> tuple[str, ...]:
    """Give the grammars that must agree on a file: C is read as C++ too, which knows raw strings."""
    return tuple(name for name, (suffixes, _, _) in _GRAMMARS.items() if suffix in suffixes.split())


def tree(language: str, text: str) -> SgNode:
    """Parse a text. The grammars are native code: for texts of strangers only in a process of its own."""
    from ast_grep_py import SgRoot

    return SgRoot(text, language).root()


def read(language: str, text: str) -> list[Span]:
    """Find what is no code in a text, and statements that leave the rest as it is, in order."""
    root = tree(language, text)
    _, more, imports = _GRAMMARS[language]
    plain = "" if language in _NO_PLAIN_COMMENT else "comment "
    nodes = of_kind(root, plain + more)
    comments = [_range(node) for node in nodes]
    found: list[Span] = [(*at, "comment", "") for at in comments if not acts(text[at[0] : at[1]])]
    found += [(*at, "import", "") for node in of_kind(root, imports) for at in _naming(node)]
    if language == "python":
        found += [(*_range(node), "docstring", "") for node in _docstrings(root)]
    since = _compiled_comments(root, language)
    until = min(
        [_sure_until(language, text, comments), *(_range(node)[0] for node in nodes if _in_text(node))]
    )
    doubts = [(0, len(text))] if root.kind() == "ERROR" else _doubts(root)
    found = [s for s in found if since <= s[0] and s[1] <= until and not _within(doubts, s[0])]
    ends = {start: end for start, end, kind, _ in found if kind == "comment"}
    every = statements(of_kind(root, KINDS.get(language, "")), text, ends)
    return sorted({*found, *((start, end, "statement", does) for start, end, does in every)})


def of_kind(root: SgNode, kinds: str) -> list[SgNode]:
    """Find the nodes of some kinds, a blank between their names, in order; the root may be one."""
    return _find(root, *({"kind": kind} for kind in kinds.split()))


def _find(root: SgNode, *rules: dict[str, Any]) -> list[SgNode]:
    return root.find_all(cast("Any", {"rule": {"any": list(rules)}})) if rules else []


class Refused(ValueError):
    """A rule that ast-grep does not take; the message is what it says, on a line."""


def find_all(node: SgNode, rule: Mapping[str, Any]) -> list[SgNode]:
    """Find where a rule with its constraints matches. Raises Refused."""
    with _refusing():
        return node.find_all(cast("Any", rule))


def find(node: SgNode, rule: Mapping[str, Any]) -> SgNode | None:
    """Find the first place where a rule with its constraints matches, the node itself first. Raises Refused."""
    with _refusing():
        return node.find(cast("Any", rule))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the binding raises nothing more special
        raise Refused(" ".join(str(error).split())[:500]) from None


def _range(node: SgNode) -> tuple[int, int]:
    where = node.range()
    return where.start.index, where.end.index


def _doubts(root: SgNode) -> list[tuple[int, int]]:
    """Give the outermost items that hold an error or lack a token, and those beside them, in order."""
    errors = [_range(node)[0] for node in _find(root, {"kind": "ERROR"}, {"regex": "^$"})]
    if not errors:
        return []
    items = [_range(node) for node in root.children()]
    starts = [start for start, _ in items]
    held = {bisect_right(starts, at) - 1 for at in errors}
    near = sorted({n for at in held for n in (at - 1, at, at + 1) if 0 <= n < len(items)})
    return [items[n] for n in near]


def _within(ranges: Sequence[tuple[int, int]], at: int) -> bool:
    index = bisect_right(ranges, (at, sys.maxsize)) - 1
    return index >= 0 and at < ranges[index][1]


def _sure_until(language: str, text: str, comments: Sequence[tuple[int, int]]) -> int:
    """Give the place from which a compiler may see other comments than the grammar does; else the end."""
    ends = [len(text)]
    if language in ("java", "scala") and (escape := _ESCAPE.search(text)):
        ends.append(escape.start())
    if language == "python":
        head = "\n".join(re.split(r"[\r\n]", text[:999])[:2])
        ends += [0 for name in _CODING.findall(head) if not _PLAIN_CODING.fullmatch(name)]
    for start, end in comments:
        found = _LINE_END.search(text, start, end)
        if found is None or (found.start() == end - 1 and text[end : end + 1] == "\n"):
            found = _SPLICE.search(text[max(start, end - 99) : end])
            if language == "html":
                found = _HTML_END.search(text[start:end])
        if found:
            ends.append(start)
    return min(ends)


def _in_text(comment: SgNode) -> bool:
    """Tell whether a comment stands in a string or in an element of text: some grammars see comments there."""
    return any(
        _TEXT.search(holder.kind()) or (holder.kind() == "element" and _TEXT_ELEMENT.match(holder.text()))
        for holder in comment.ancestors()
    )


def _compiled_comments(root: SgNode, language: str) -> int:
    """Give the place before which comments are compiled: cgo reads those above `import "C"`."""
    specs = of_kind(root, "import_spec") if language == "go" else []
    return max((_range(spec)[0] for spec in specs if spec.text().endswith('"C"')), default=0)


def _naming(node: SgNode) -> Iterator[tuple[int, int]]:
    """Give the parts of an import or export that only give names to what is elsewhere."""
    start, end = _range(node)
    if not _only_names(node):
        return
    for child in _go_specs(node):
        if (child.field("name") and child.text()[0] in "_.") or child.text() == '"C"':
            yield start, _range(child)[0]
            start = _range(child)[1]
    yield start, end


def _go_specs(node: SgNode) -> list[SgNode]:
    """Give the imports in a declaration of Go."""
    inside = [child for child in node.named_children() if child.kind() in ("import_spec", "import_spec_list")]
    lists = [child for child in inside if child.kind() == "import_spec_list"]
    return [child for each in lists for child in each.named_children()] if lists else inside


def _only_names(node: SgNode) -> bool:
    """Tell whether an import, or what may hold one, does nothing but name things."""
    kind, text = node.kind(), node.text()
    if kind in ("package_clause", "package_header", "package_declaration"):
        return "{" not in text  # else a package with its content
    if kind in ("lexical_declaration", "variable_declaration"):
        return all(_requires(child) for child in node.named_children())
    if kind == "export_statement":
        return node.field("source") is not None
    if kind == "import_from_statement":
        return not text.endswith("*")  # which takes names away
    if kind == "import_statement" and node.field("source") is not None:
        return any(child.kind() == "import_clause" for child in node.children()) and "{}" not in text
    return True


def _requires(declarator: SgNode) -> bool:
    """Tell whether a name stands for require("a module") and nothing more."""
    value = declarator.field("value")
    function = value.field("function") if value is not None and value.kind() == "call_expression" else None
    arguments = value.field("arguments") if value is not None else None
    given = arguments.named_children() if arguments is not None else []
    return (
        function is not None and function.text() == "require" and [one.kind() for one in given] == ["string"]
    )


def _docstrings(root: SgNode) -> Iterator[SgNode]:
    """Find the statements of Python that are docstrings."""
    rule = {"kind": "expression_statement", "has": {"kind": "string", "stopBy": "neighbor"}}
    for node in _find(root, rule):
        holder = node.parent()
        if holder is not None and holder.kind() == "block":
            owner = holder.parent()
            holder = owner if owner and owner.kind() in ("function_definition", "class_definition") else None
        elif holder is not None and holder.kind() != "module":
            holder = None
        said = node.children()
        first = not any(before.is_named() and before.kind() != "comment" for before in node.prev_all())
        if holder is not None and first and len(said) == 1 and _PLAIN_STRING.match(said[0].text()):
            yield node


def answer(question: tuple[str, str]) -> list[Span]:
    """Answer the process that asks (parser.py): a language and a text."""
    return read(*question)
