"""Edits of real code that do no harm: what a reviewer has to let pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from seed_edits import Edit, Finder, guard, outer_functions, swap
from seed_trees import BLOCKS, CALLS, Source, body, declared, operation, statements, variables
from tree_sitter import Node

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=", "===": "===", "!==": "!=="}

_NEGATED = {"==": "!=", "!=": "==", "===": "!==", "!==": "===", "is": "is not", "is not": "is", "in": "not in",
            "not in": "in"}  # fmt: skip


MOST_USES = 12  # of a renamed variable; a change of more places is no longer read line by line


_LONGER = {"i": "index", "n": "count", "s": "text", "k": "key", "v": "value", "d": "mapping", "m": "match",
           "r": "result", "res": "result", "ret": "result", "buf": "buffer", "msg": "message", "idx": "index",
           "val": "value", "tmp": "scratch", "p": "position", "l": "items", "x": "item", "c": "char"}  # fmt: skip


def rename(source: Source) -> Iterator[Edit]:
    """A local variable has another name, wherever it stands."""
    for function, _ in outer_functions(source):
        known, text = declared(source, function), source.text(function)
        if re.search(r"\b(?:global|nonlocal|locals|eval)\b", text):
            continue
        for name, found in variables(source, function).items():
            new = _other_name(source, name)
            every = len(re.findall(rf"\b{re.escape(name)}\b", text))
            if (
                name in known
                and not known[name][2]
                and 1 < every == len(found) <= MOST_USES
                and source.unused(new)
            ):
                parts = tuple((place.node.start_byte, place.node.end_byte, new) for place in found)
                yield Edit(f"{name} is called {new}", parts)


def _other_name(source: Source, name: str) -> str:
    if name in _LONGER:
        return _LONGER[name]
    if source.language in ("javascript", "java", "go"):
        return f"current{name[:1].upper()}{name[1:]}"
    return f"current_{name}"


def extracted_variable(source: Source) -> Iterator[Edit]:
    """What is returned or asked gets a name first."""
    ways = {"python": "{} = {}", "javascript": "const {} = {};", "java": "var {} = {};", "go": "{} := {}",
            "cpp": "const auto {} = {};", "rust": "let {} = {};"}  # fmt: skip
    way = ways.get(source.language)
    for _, nodes in outer_functions(source):
        for node in nodes if way else ():
            if not (node.parent and node.parent.type in BLOCKS and source.lines_of(node)):
                continue
            held, name = None, ""
            if node.type == "return_statement" and node.named_child_count == 1:
                held, name = node.named_children[0], "result"
                if held.type == "expression_list":
                    held = held.named_children[0] if held.named_child_count == 1 else None
            elif node.type == "if_statement" and not node.child_by_field_name("initializer"):
                held, name = node.child_by_field_name("condition"), "holds"
                if held and held.type == "parenthesized_expression":
                    held = held.named_children[0]
                if held is None or operation(held) is None or source.language in ("java", "cpp"):
                    held = None  # a pattern or a declaration may hide in there
            if held is None or held.child_count < 3 or "\n" in source.text(held) or not source.unused(name):
                continue
            if source.language in ("go", "java", "cpp") and held.type not in (*CALLS, "binary_expression"):
                continue
            assert way is not None
            start = node.start_byte
            line = way.format(name, source.text(held)) + "\n" + source.indent(node)
            yield Edit(
                f"{name} names what stood there",
                ((start, start, line), (held.start_byte, held.end_byte, name)),
            )


def reordered(source: Source) -> Iterator[Edit]:
    """Two neighbouring assignments that have nothing to do with each other changed places."""
    for _, nodes in outer_functions(source):
        for block in nodes:
            inside = statements(block) if block.type in BLOCKS else []
            for one, other in pairwise(inside):
                first, second = _assigned(source, one), _assigned(source, other)
                if first and second and first[0] not in second[1] and second[0] not in first[1]:
                    texts = source.text(one), source.text(other)
                    parts = (
                        (one.start_byte, one.end_byte, texts[1]),
                        (other.start_byte, other.end_byte, texts[0]),
                    )
                    yield Edit("two independent assignments changed places", parts)


def _assigned(source: Source, node: Node) -> tuple[str, set[str]] | None:
    """Name what a plain assignment without a call sets, and all the words in it."""
    text = source.text(node)
    found = re.fullmatch(
        r"(?:(?:const|let|var|final|int|long|boolean|String) )?([\w.]+) :?= ([\w.\"' +\[\]{}-]*);?", text
    )
    if found is None or found[1].split(".")[0] in found[2]:
        return None
    target = found[1].split(".")[-1]
    return target, set(re.findall(r"\w+", text))


def logging(source: Source) -> Iterator[Edit]:
    """A line at the start of a function says that it was reached, in the way that the file logs."""
    found = re.search(
        r"(?<![\w.])(logger|LOGGER|log|LOG|_logger)\.(debug|Debugf?|fine)\(", source.data.decode()
    )
    by_hand = {"javascript": ("console", "debug"), "python": ("logging", "debug"), "go": ("log", "Printf")}
    needed = {"python": b"\nimport logging\n", "go": b'"log"', "javascript": b""}
    way = (found[1], found[2]) if found else by_hand.get(source.language)
    if way is None or (not found and needed[source.language] not in source.data):
        return
    end = ";" if source.language in ("javascript", "java", "rust", "cpp", "c") else ""
    for function, _ in outer_functions(source):
        named, inside = function.child_by_field_name("name"), statements(body(function))
        if named and inside and source.lines_of(inside[-1]):
            at = inside[-1].start_byte
            call = f'{".".join(way)}("almost at the end of {source.text(named)}"){end}'
            line = f"{call}\n{source.indent(inside[-1])}"
            yield Edit("a line is logged", ((at, at, line),))


def type_hints(source: Source) -> Iterator[Edit]:
    """A parameter with a default gets the type of that default."""
    kinds = {"integer": "int", "float": "float", "string": "str", "true": "bool", "false": "bool"}
    for function, _ in outer_functions(source):
        held = function.child_by_field_name("parameters")
        parts = []
        for node in held.named_children if held and source.language == "python" else ():
            value, name = node.child_by_field_name("value"), node.child_by_field_name("name")
            if node.type == "default_parameter" and value and name and value.type in kinds:
                kind = kinds[value.type]
                parts.append((name.end_byte, value.start_byte, f": {kind} = "))
        if parts:
            yield Edit("a parameter has a type", tuple(parts))


def new_function(source: Source) -> Iterator[Edit]:
    """A whole function is new: the file as it stands, beside one without it."""
    for function, _ in outer_functions(source):
        lines = source.lines_of(function)
        height = function.end_point[0] - function.start_point[0] + 1
        if lines and 4 <= height <= 40:
            yield Edit("a function is new", ((*lines, ""),), backwards=True)


def dead_code(source: Source) -> Iterator[Edit]:
    """Statements that were never reached, or a name that was never read, are gone."""
    for function, nodes in outer_functions(source):
        for node in nodes:
            inside = statements(node) if node.type in BLOCKS else []
            if len(inside) < 2 or inside[-1].type not in (
                "return_statement",
                "raise_statement",
                "throw_statement",
            ):
                continue
            copied, lines = source.text(inside[-2]), source.lines_of(inside[-1])
            if lines and source.lines_of(inside[-2]) and copied.count("\n") < 4 and source.language != "java":
                extra = f"{source.indent(inside[-1])}{copied}\n"
                yield Edit(
                    "code that was never reached is gone", ((lines[1], lines[1], extra),), backwards=True
                )
        name = "unused_" if source.language != "java" else "unused"
        first = next(iter(statements(body(function))), None)
        if (
            first
            and source.lines_of(first)
            and source.unused(name)
            and source.language in ("java", "c", "cpp")
        ):
            at = first.start_byte
            line = f"int {name} = 0;\n{source.indent(first)}"
            yield Edit("a name that was never read is gone", ((at, at, line),), backwards=True)


def added_guard(source: Source) -> Iterator[Edit]:
    """A check that leaves early is new: the file as it stands, beside one without it."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            if edit := guard(source, node, "the check '{}' is new"):
                yield Edit(edit.about, edit.parts, backwards=True)


def comment(source: Source) -> Iterator[Edit]:
    """A statement gets a comment that says what it does."""
    mark = "#" if source.language == "python" else "//"
    for _, nodes in outer_functions(source):
        for node in nodes:
            text = source.text(node)
            if (
                node.parent
                and node.parent.type in BLOCKS
                and source.lines_of(node)
                and (named := re.search(r"\w{4,}", text))
            ):
                line = f"{mark} {named[0]} is handled here\n{source.indent(node)}"
                yield Edit("a comment is new", ((node.start_byte, node.start_byte, line),))


def mirrored(source: Source) -> Iterator[Edit]:
    """A comparison reads from the other side."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            found = operation(node)
            if found is None or source.text(found[1]) not in _MIRRORED:
                continue
            left, right = source.text(found[0]), source.text(found[2])
            if re.fullmatch(r"[\w.]+", left) and re.fullmatch(r"[\w.]+", right):
                sign = _MIRRORED[source.text(found[1])]
                yield swap("a comparison reads from the other side", node, f"{right} {sign} {left}")


def spelled_out(source: Source) -> Iterator[Edit]:
    """`x += 1` is written as `x = x + 1`."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            found = re.fullmatch(r"([\w.]+) ([+-])= (\d+)(;?)", source.text(node))
            if found and node.parent and node.parent.type in BLOCKS:
                name, sign, number, end = found.groups()
                yield swap("an assignment is spelled out", node, f"{name} = {name} {sign} {number}{end}")


def turned_if(source: Source) -> Iterator[Edit]:
    """The two ways of an `if` changed places, and its condition is the opposite."""
    for _, nodes in outer_functions(source):
        for node in nodes:
            then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
            condition = node.child_by_field_name("condition")
            if node.type != "if_statement" or not (then and other and condition):
                continue
            last = other if other.type in BLOCKS else other.named_children[-1]
            if last.type not in BLOCKS or other.type.startswith("elif") or then.type not in BLOCKS:
                continue
            if (
                len(node.children_by_field_name("alternative")) > 1
                or node.end_point[0] - node.start_point[0] > 30
            ):
                continue
            inner = condition.named_children[0] if condition.type == "parenthesized_expression" else condition
            parts = (
                (inner.start_byte, inner.end_byte, _opposite(source, inner)),
                (then.start_byte, then.end_byte, source.text(last)),
                (last.start_byte, last.end_byte, source.text(then)),
            )
            yield Edit("the two ways of a condition changed places", parts)


def _opposite(source: Source, condition: Node) -> str:
    found = operation(condition)
    if found and source.text(found[1]) in _NEGATED:
        left, sign, right = map(source.text, found)
        return f"{left} {_NEGATED[sign]} {right}"
    return (
        f"not ({source.text(condition)})" if source.language == "python" else f"!({source.text(condition)})"
    )


HARMLESS: dict[str, Finder] = {
    "rename": rename,
    "extracted-variable": extracted_variable,
    "reorder": reordered,
    "logging": logging,
    "type-hints": type_hints,
    "new-function": new_function,
    "dead-code": dead_code,
    "added-check": added_guard,
    "comment": comment,
    "mirrored-comparison": mirrored,
    "spelled-out": spelled_out,
    "turned-if": turned_if,
}
