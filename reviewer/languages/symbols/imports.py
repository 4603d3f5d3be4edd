"""What a text takes from other files, by language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.symbols.nodes import Nodes
from hunkwise.reviewer.languages.symbols.values import Import
from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_Found = tuple[str, str, str]  # module, name, alias


def import_kinds(language: str) -> str:
    """Name the kinds of nodes that may import something."""
    return _LANGUAGES[language][0] if language in _LANGUAGES else ""


def imports(nodes: Nodes, language: str) -> list[tuple[SgNode, Import]]:
    """Read the imports of a text, in order, each with its node."""
    _, read = _LANGUAGES.get(language, ("", _plain))
    return [
        (node, Import(*found, node.range().start.line + 1))
        for node in nodes.of_kind(import_kinds(language))
        for found in read(node)
    ]


def _python(node: SgNode) -> Iterator[_Found]:
    module = node.field("module_name")
    for one in node.field_children("name"):
        name, alias = one.field("name"), one.field("alias")
        said = (name or one).text()
        here = alias.text() if alias is not None else said
        yield (module.text(), said, here) if module is not None else (said, "", here)
    if module is not None and any(child.kind() == "wildcard_import" for child in node.children()):
        yield module.text(), "*", ""


def _javascript(node: SgNode) -> Iterator[_Found]:
    source = node.field("source")
    if node.kind() == "call_expression":
        yield from _required(node)
        return
    if source is None:
        return
    module = source.text()[1:-1]
    for spec in of_kind(node, "import_specifier export_specifier"):
        name, alias = spec.field("name"), spec.field("alias")
        if name is not None:
            here = (alias or name).text() if spec.kind() == "import_specifier" else ""
            yield module, name.text(), here
    for clause in node.children():
        for one in clause.named_children() if clause.kind() == "import_clause" else ():
            if one.kind() == "identifier":
                yield module, "default", one.text()
            elif one.kind() == "namespace_import":
                yield module, "", one.named_children()[-1].text()
    if node.kind() == "export_statement" and re.match(r"export\s*\*\s*from", node.text()):
        yield module, "*", ""


def _required(node: SgNode) -> Iterator[_Found]:
    """Read `const {a, b: c} = require("m")`, and `const m = require("m")`."""
    function, holder, around = node.field("function"), node.field("arguments"), node.parent()
    given = holder.named_children() if holder is not None else []
    if function is None or function.text() != "require" or len(given) != 1 or given[0].kind() != "string":
        return
    name = around.field("name") if around is not None and around.kind() == "variable_declarator" else None
    module = given[0].text()[1:-1]
    if name is None or name.kind() == "identifier":
        yield module, "", name.text() if name is not None else ""
        return
    for one in name.named_children():
        key, value = one.field("key"), one.field("value")
        if one.kind() == "shorthand_property_identifier_pattern":
            yield module, one.text(), one.text()
        elif key is not None and value is not None and value.kind() == "identifier":
            yield module, key.text(), value.text()


def _go(node: SgNode) -> Iterator[_Found]:
    path, name = node.field("path"), node.field("name")
    if path is not None:
        module = path.text()[1:-1]
        yield module, "", name.text() if name is not None else module.rpartition("/")[2]


def _dotted(node: SgNode) -> Iterator[_Found]:
    """Read what is one name with dots: Java, Kotlin, C#, PHP."""
    text = re.sub(r"\s+", " ", node.text()).strip(" ;")
    text = re.sub(r"^(?:global |import |using |use )+(?:static |function |const )?", "", text)
    text, _, alias = text.partition(" as ")
    if " = " in text:
        alias, _, text = text.partition(" = ")
    module, _, name = text.replace("\\", ".").rpartition(".")
    yield module, name, "" if name == "*" else alias or name


def _rust(node: SgNode) -> Iterator[_Found]:
    argument = node.field("argument")
    if argument is not None:
        yield from _rust_tree(argument, "")


def _rust_tree(node: SgNode, before: str) -> Iterator[_Found]:
    kind = node.kind()
    if kind == "scoped_use_list":
        path, inner = node.field("path"), node.field("list")
        here = "::".join(filter(None, (before, path.text() if path is not None else "")))
        yield from _rust_tree(inner, here) if inner is not None else ()
    elif kind == "use_list":
        for child in node.named_children():
            yield from _rust_tree(child, before)
    elif kind == "use_wildcard":
        yield "::".join(filter(None, (before, node.text().removesuffix("*").removesuffix("::")))), "*", ""
    elif kind == "use_as_clause":
        path, alias = node.field("path"), node.field("alias")
        if path is not None and alias is not None:
            for module, name, _ in _rust_tree(path, before):
                yield module, name, alias.text()
    else:
        module, _, name = node.text().rpartition("::")
        yield "::".join(filter(None, (before, module))), name, name


def _plain(node: SgNode) -> Iterator[_Found]:
    path = node.field("path")
    if path is not None:
        yield path.text().strip('"<>'), "*", ""


def _ruby(node: SgNode) -> Iterator[_Found]:
    found = re.match(r"require(?:_relative)?[ (]+['\"]([^'\"]{1,200})", node.text()[:300])
    if found:
        yield found[1], "*", ""


_MODULES = ("import_statement export_statement call_expression", _javascript)
_LANGUAGES: dict[str, tuple[str, Callable[[SgNode], Iterator[_Found]]]] = {
    "python": ("import_statement import_from_statement", _python),
    "javascript": _MODULES,
    "typescript": _MODULES,
    "tsx": _MODULES,
    "go": ("import_spec", _go),
    "java": ("import_declaration", _dotted),
    "kotlin": ("import_header", _dotted),
    "csharp": ("using_directive", _dotted),
    "php": ("namespace_use_declaration", _dotted),
    "rust": ("use_declaration", _rust),
    "c": ("preproc_include", _plain),
    "cpp": ("preproc_include", _plain),
    "ruby": ("call", _ruby),
}
