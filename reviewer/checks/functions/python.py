"""Checks of Python that need to count, or to look at two places of a file at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_OWN_KINDS = ("function_definition", "class_definition", "lambda")


def defined_twice(root: SgNode, _language: str) -> Found:
    """Find a function or method that a later one of the same name in the same block replaces unseen."""
    for block in [root, *of_kind(root, "class_definition")]:
        body = block if block is root else block.field("body")
        seen: dict[str, SgNode] = {}
        for node in body.children() if body is not None else ():
            name = node.field("name") if node.kind() == "function_definition" else None
            if name is None:
                for mentioned in of_kind(node, "identifier"):
                    seen.pop(mentioned.text(), None)
                continue
            if name.text() in seen:
                yield name, {"NAME": name}
            body_of = node.field("body")
            if block is root and body_of is not None:
                for mentioned in of_kind(body_of, "identifier"):
                    seen.pop(mentioned.text(), None)
            if name.text() != "_":
                seen[name.text()] = node


def key_twice(root: SgNode, _language: str) -> Found:
    """Find a key that stands in a dictionary twice."""
    for dictionary in of_kind(root, "dictionary"):
        seen: set[str] = set()
        for pair in dictionary.named_children():
            key = pair.field("key") if pair.kind() == "pair" else None
            if key is None or key.kind() not in ("string", "integer", "attribute", "float"):
                continue
            text = key.text()
            if text in seen and not re.match(r"\w*[fF]\w*['\"]", text):
                yield pair, {"K": key}
            seen.add(text)


def text_without_f(root: SgNode, _language: str) -> Found:
    """Find a text that names a local variable in braces and is shown as it stands."""
    for text in of_kind(root, "string"):
        content = text.text()
        if "{" not in content or re.match(r"[rRbBuU]*[fF]", content) or "{{" in content:
            continue
        if not _shown_alone(text):
            continue
        function = _function_of(text)
        if function is None:
            continue
        names = re.findall(r"\{([A-Za-z_]\w*)(?:\.\w+|\[\w+\])*(?:![rs])?(?::[^{}]*)?\}", content)
        if names and all(name in _bound(function) for name in names):
            yield text, {"TEXT": text}


def _shown_alone(text: SgNode) -> bool:
    holder = text.parent()
    call = holder.parent() if holder is not None and holder.kind() == "argument_list" else None
    if holder is None or call is None or sum(child.is_named() for child in holder.children()) != 1:
        return False
    function = call.field("function")
    said = function.text() if function is not None else ""
    above = call.parent()
    raised = above is not None and above.kind() == "raise_statement"
    return raised or bool(
        re.fullmatch(
            r"print|(self\.)?_?(log|logger|logging|LOG)\.(debug|info|warning|error|critical|exception)", said
        )
    )


def _bound(function: SgNode) -> set[str]:
    names: set[str] = set()
    parameters = function.field("parameters")
    for node in of_kind(parameters, "identifier") if parameters is not None else ():
        names.add(node.text())
    for kind, field in (("assignment", "left"), ("for_statement", "left"), ("as_pattern", "alias")):
        for node in of_kind(function, kind):
            left = node.field(field)
            if left is not None:
                names.add(left.text())
                names.update(part.text() for part in of_kind(left, "identifier"))
    return names


def result_dropped(root: SgNode, _language: str) -> Found:
    """Find a call on a line of its own of a function of this file that tells success by what it returns."""
    telling = {
        (_class_name(function), name.text())
        for function in of_kind(root, "function_definition")
        if (name := function.field("name")) is not None
        and _TELLS.search(name.text())
        and _returns_truth(function)
    }
    for statement in of_kind(root, "expression_statement") if telling else ():
        call = statement.child(0)
        called = call.field("function") if call is not None and call.kind() == "call" else None
        if called is not None and call is not None:
            owner, _, method = called.text().rpartition(".")
            where = _class_name(call) if owner == "self" else ""
            plain = owner in ("", "self") and (where, method) in telling
            if plain or _made_of(call, owner, method, telling):
                yield call, {"CALL": called}


_TELLS = re.compile(
    r"(?i)^_?(is_|has_|can_|validate|verify|authenticate|authorize|initiali[sz]e|connect|login|try_|acquire|check_(password|permission|token|access|signature|valid))"
)


def _returns_truth(function: SgNode) -> bool:
    returned, body = function.field("return_type"), function.field("body")
    if returned is not None:
        return returned.text() == "bool"
    if body is not None and _SAYS.match(body.text()):
        return True
    said = {
        node.text().removeprefix("return").strip()
        for node in of_kind(function, "return_statement")
        if _function_of(node) == function
    }
    return said == {"True", "False"}


_SAYS = re.compile(r"""(?is)[rf]?("{1,3}|'{1,3})[^"']{0,300}\breturns? (true|false|`true|`false|whether)""")


def _made_of(call: SgNode, owner: str, name: str, telling: Collection[tuple[str, str]]) -> bool:
    classes = {held for held, method in telling if method == name and held}
    if not classes or owner in ("", "self"):
        return False
    scope = _function_of(call)
    for node in of_kind(scope, "assignment") if scope is not None else ():
        left, right = node.field("left"), node.field("right")
        if left is not None and right is not None and left.text() == owner:
            made = right.field("function")
            if made is not None and made.text().rpartition(".")[2] in classes:
                return True
    return False


def _classes(root: SgNode) -> dict[str, SgNode]:
    return {
        name.text(): node
        for node in of_kind(root, "class_definition")
        if (name := node.field("name")) is not None
    }


def base_init_not_called(root: SgNode, _language: str) -> Found:
    """Find an __init__ that leaves out that of its only base, whose methods need what is set there."""
    classes = _classes(root)
    for node in classes.values():
        bases = node.field("superclasses")
        named = [base for base in bases.children() if base.is_named()] if bases is not None else []
        base = classes.get(named[0].text()) if len(named) == 1 else None
        if base is None or base == node or "__slots__" in node.text():
            continue
        own, others = _methods(node), _methods(base)
        if "__init__" not in own or "__init__" not in others or _INIT_CALLED.search(own["__init__"].text()):
            continue
        here = _attributes(node)
        needed = _attributes(others["__init__"]) - here
        for called, method in others.items():
            if called not in own and not called.startswith("__") and _attributes(method) & needed:
                yield own["__init__"], {"B": named[0]}
                break


_INIT_CALLED = re.compile(r"super\(|\.__init__\(|__dict__|NotImplemented")


def _attributes(node: SgNode) -> set[str]:
    return {one.text() for one in of_kind(node, "attribute") if re.fullmatch(r"self\.\w+", one.text())}


def overridden_in_init(root: SgNode, _language: str) -> Found:
    """Find a call in __init__ of a method that a subclass overrides, and that needs what is set only later."""
    classes = _classes(root)
    for node in classes.values():
        bases = node.field("superclasses")
        for base in bases.children() if bases is not None else ():
            if base.kind() == "identifier" and base.text() in classes and base.text() != node.text():
                yield from _called_too_early(classes[base.text()], node)


def _called_too_early(base: SgNode, derived: SgNode) -> Found:
    own, others = _methods(base), _methods(derived)
    if "__init__" not in own or "__init__" not in others:
        return
    late = _set_after_super(others["__init__"])
    for call in of_kind(own["__init__"], "call"):
        function = call.field("function")
        owner, _, name = function.text().rpartition(".") if function is not None else ("", "", "")
        if owner != "self" or name not in own or name not in others or function is None:
            continue
        read = {node.text() for node in of_kind(others[name], "attribute")} & late
        if read and not read & {node.text() for node in of_kind(base, "attribute")}:
            yield call, {"CALL": function}


def _set_after_super(init: SgNode) -> set[str]:
    called = False
    late: set[str] = set()
    early: set[str] = set()
    body = init.field("body")
    for statement in body.children() if body is not None else ():
        text = statement.text()
        called = called or "super()" in text or re.search(r"\.__init__\(self", text) is not None
        for node in of_kind(statement, "assignment"):
            left = node.field("left")
            if left is not None and left.text().startswith("self."):
                (late if called else early).add(left.text())
    return late - early if called else set()


def _methods(node: SgNode) -> dict[str, SgNode]:
    body = node.field("body")
    return {
        name.text(): child
        for child in (body.children() if body is not None else ())
        if child.kind() == "function_definition" and (name := child.field("name")) is not None
    }


def loop_name_unused(root: SgNode, _language: str) -> Found:
    """Find a loop over a list of names, texts or numbers that never looks at the one at hand."""
    for loop in of_kind(root, "for_statement"):
        left, right, body = loop.field("left"), loop.field("right"), loop.field("body")
        if left is None or right is None or body is None or left.kind() != "identifier":
            continue
        if right.kind() not in ("list", "tuple") or sum(c.is_named() for c in right.children()) < 2:
            continue
        if _NOT_MEANT.fullmatch(left.text()):
            continue
        scope = _function_of(loop) or root
        if sum(node.text() == left.text() for node in of_kind(scope, "identifier")) == 1:
            yield left, {"NAME": left}


_NOT_MEANT = re.compile(r"_\w*|dummy|unused\w*|ignored?|i|j|k|n|attempt|trial|retry|iteration")


def _function_of(node: SgNode) -> SgNode | None:
    return next(
        (holder for holder in node.ancestors() if holder.kind() in ("function_definition", "lambda")), None
    )


def _class_name(node: SgNode) -> str:
    """Give the name of the class whose method a node is, or is in."""
    for holder in node.ancestors():
        if holder.kind() == "class_definition":
            name = holder.field("name")
            return name.text() if name is not None else ""
    return ""
