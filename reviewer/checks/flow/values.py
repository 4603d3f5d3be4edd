"""Where a value comes from: how what is tainted spreads through expressions, and what makes it clean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hunkwise.reviewer.checks.flow.facts import Facts, Taint, clear
from hunkwise.reviewer.checks.flow.guards import assume
from hunkwise.reviewer.checks.flow.steps.graph import Step
from hunkwise.reviewer.checks.flow.steps.tree import Call, Key, Node, between, inner, label, path

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_COMPARES = {
    "==", "!=", "===", "!==", "<", ">", "<=", ">=", "in", "not in", "is", "is not", "instanceof", "!in",
    "<=>", "=~", "!~", "eq", "<>", "!is",
}  # fmt: skip
_NOT = ("not ", "!")


class Values:
    """Evaluates expressions of one function for one rule."""

    def __init__(self, sources: Mapping[Key, SgNode], cleaners: Iterable[Key]) -> None:
        self.sources = sources
        self.cleaners = frozenset(cleaners)

    def of(self, node: Node, facts: Facts) -> Taint | None:
        """Tell whether a value is tainted, given what is known of names."""
        if node.key in self.cleaners:
            return None
        if node.key in self.sources:
            seen = facts.get(label(node), _UNSEEN)
            return seen if seen is None else Taint(self.sources[node.key], node.start)
        grammar = node.grammar
        kind = node.kind
        if node.attribute or node.is_closed:
            return None
        if kind in grammar.names or kind in grammar.selves:
            return facts.get(node.text)
        kids = node.named
        if not kids:
            return None
        if kind in grammar.calls:
            return self._call(node, facts)
        if kind in grammar.members and len(kids) > 1:
            known = path(node)
            if known and known in facts:
                return facts[known]
            if grammar.clean_parts.fullmatch(kids[-1].text.lstrip("?.!")):
                return None
            return self.of(kids[0], facts)
        if kind in grammar.indexes:
            return None if facts.get(label(node), _UNSEEN) is None else self.of(kids[0], facts)
        if kind in grammar.comprehensions:
            return self._any([kids[0]], self.bound(node, facts))
        if kind in grammar.conditionals and len(kids) > 2:
            return self._conditional(node, facts)
        if grammar.role(kind) == "bind" and (right := node.field("right", "value")) is not None:
            return self.of(right, facts)
        if self._says_only_yes_or_no(node) or (
            "cast" in kind and any(_NUMBER.fullmatch(kid.text) for kid in kids)
        ):
            return None
        if (
            "string" in kind
            or "template" in kind
            or kind.startswith(("binary", "additive", "concat", "encapsed"))
        ):
            return self._text(node, facts)
        return self._any(kids, facts)

    def _text(self, node: Node, facts: Facts) -> Taint | None:
        """Tell of text that is put together: what stands before a tainted part is not for outsiders to choose."""
        for kid in node.named:
            taint = self.of(kid, facts)
            if taint is not None:
                before = node.source[node.start : kid.start]
                return taint if leads(before, form=before.endswith("% ")) else replace(taint, leads=False)
        return None

    def _any(self, nodes: Iterable[Node], facts: Facts) -> Taint | None:
        for node in nodes:
            taint = self.of(node, facts)
            if taint is not None:
                return taint
        return None

    def _says_only_yes_or_no(self, node: Node) -> bool:
        kids = node.named
        if len(kids) == 1:
            return node.source.startswith(_NOT, node.start)
        return len(kids) >= 2 and between(kids[0], kids[1]) in _COMPARES and kids[0].start == node.start

    def _conditional(self, node: Node, facts: Facts) -> Taint | None:
        test, then, other = conditional(node)
        return self.of(then, assume(test, facts, truth=True)) or self.of(
            other, assume(test, facts, truth=False)
        )

    def _call(self, node: Node, facts: Facts) -> Taint | None:
        call = Call(node)
        grammar = node.grammar
        name = call.name
        if grammar.clean_calls.fullmatch(name) or facts.get(label(node), _UNSEEN) is None:
            return None
        held = self.of(call.receiver, facts) if call.receiver is not None else None
        if held is not None:
            return None if grammar.clean_parts.fullmatch(name) else held
        if call.receiver is None and not name and node.named and node.named[0].is_closed:
            return None
        if grammar.spreads.fullmatch(name) or grammar.spreads.fullmatch(call.whole):
            return self._arguments(call, facts) or _formatted(call, facts)
        return None

    def _arguments(self, call: Call, facts: Facts) -> Taint | None:
        for index, argument in enumerate(call.arguments):
            taint = self.of(argument, facts)
            if taint is not None:
                first = call.arguments[0] if index else call.receiver
                fixed = first is not None and not ("string" in first.kind and leads(first.text, form=True))
                if fixed and call.name != "urljoin" and (index or "string" in (first.kind if first else "")):
                    return replace(taint, leads=False)
                return taint
        return None

    def bound(self, node: Node, facts: Facts) -> Facts:
        """Give what holds inside a comprehension, whose names are bound to parts of what it walks over."""
        inside = dict(facts)
        for clause in node.named[1:]:
            left, right = clause.field("left"), clause.field("right")
            if left is not None and right is not None:
                taint = self.of(right, inside)
                for name in (each for each in left.walk() if each.is_name):
                    inside[name.text] = taint
        return inside

    def after(self, step: Step, facts: Facts) -> Facts:
        """Give what holds after a step."""
        if step.op in ("entry", "join", "exit"):
            return facts
        new = dict(facts)
        if step.op == "declare":
            new.update((target.text, None) for target in step.targets)
        elif step.op == "parameters":
            taint = self.of(step.value, facts) if step.value is not None else None
            new.update((target.text, taint or self._declared(target)) for target in step.targets)
        elif step.op == "assume":
            return assume(step.node, facts, truth=step.truth)
        else:
            self._calls(step, new)
        if step.op in ("bind", "augment", "each", "with"):
            taint = self.of(step.value, facts) if step.value is not None else None
            for target in step.targets:
                self._assign(target, taint, new, more=step.op == "augment")
        return new

    def _declared(self, target: Node) -> Taint | None:
        """A parameter may be a source itself, or stand in a declaration that is one."""
        for node in (target, *target.ancestors()):
            if node.key in self.sources:
                return Taint(self.sources[node.key], node.start, frozenset({target.text}))
            if node.is_closed:
                break
        return None

    def _assign(
        self, target: Node, taint: Taint | None, facts: dict[str, Taint | None], *, more: bool
    ) -> None:
        whole = path(target)
        if not whole:
            while target.named and not whole:  # an element, what a pointer points at
                target = target.named[0]
                whole = path(target)
            more = True
        if not whole:
            return
        if taint is not None:
            facts[whole] = replace(taint, via=taint.via | {whole})
        elif not more:
            for name in [name for name in facts if name.startswith(f"{whole}.")]:
                del facts[name]
            facts[whole] = None

    def _calls(self, step: Step, facts: dict[str, Taint | None]) -> None:
        """What calls do to what they are called on, or are given: fill it, or look whether it is right."""
        for call in step.calls:
            grammar = call.node.grammar
            if grammar.validators.fullmatch(call.name):
                for argument in (*call.arguments, *([call.receiver] if call.receiver is not None else [])):
                    clear(path(inner(argument)), facts)
                continue
            into = None
            if call.receiver is not None and grammar.mutators.fullmatch(call.name):
                into = call.receiver
            elif call.name in grammar.copies and len(call.arguments) > grammar.copies[call.name]:
                into = call.arguments[grammar.copies[call.name]]
            if into is not None:
                taint = self._any([one for one in call.arguments if one is not into], facts)
                if taint is not None:
                    self._assign(into, taint, facts, more=True)

    def inside(self, node: Node, step: Step, facts: Facts) -> Facts:
        """Give what holds at a part of a step: `x in ALLOWED and use(x)`, `use(x) if ok(x) else None`."""
        way = [node]
        for holder in node.ancestors():
            if holder.start < step.node.start or holder.end > step.node.end:
                break
            way.append(holder)
        for holder, part in zip(reversed(way), reversed(way[:-1]), strict=False):
            kids = holder.named
            if holder.kind in node.grammar.comprehensions:
                facts = self.bound(holder, facts)
                for clause in kids[1:]:
                    if clause is part:
                        break
                    if clause.named and clause.field("left") is None:
                        facts = assume(clause.named[0], facts, truth=True)
            elif holder.kind in node.grammar.conditionals and len(kids) > 2:
                test, then, _ = conditional(holder)
                if part is not test:
                    facts = assume(test, facts, truth=part is then)
            elif len(kids) == 2 and part is kids[1] and (word := between(kids[0], kids[1])) in _SHORT:
                facts = assume(kids[0], facts, truth=word in ("and", "&&"))
        return facts


_NUMBER = re.compile(
    r"(?i)(unsigned |signed |std::)?(u?int\d*(_t)?|integer|u?long|u?short|float|double|bool(ean)?|s?size_t"
    r"|[ui]\d+|[ui]size|f\d+)"
)
_OPENING = re.compile(r"""[\s(]{0,9}[$@]{0,2}[A-Za-z]{0,2}["'`]{0,3}(?:\w{0,9}:?//)?""")
_VALUE_NEXT = re.compile(r"""[$#]?\{?\Z|["'`]{1,3}\s{0,9}[+.~,&]{0,2}\s{0,9}\Z""")
_PLACEHOLDER = re.compile(r"%[sv]|\{\w{0,20}\}")
_BRACED = re.compile(r"\{(\w{1,80})")
_UNSEEN = object()
_SHORT = ("and", "&&", "or", "||")


def conditional(node: Node) -> tuple[Node, Node, Node]:
    """Give test, value if true, value if false of a conditional expression."""
    kids = node.named
    if node.grammar.language == "python":
        return kids[1], kids[0], kids[2]
    return kids[0], kids[1], kids[-1]


def leads(before: str, *, form: bool = False) -> bool:
    """Tell whether text before a value leaves to it where an address leads: nothing, or a scheme.

    A `form` has placeholders: `"%s/x" % value`.
    """
    opening = _OPENING.match(before)
    after = _PLACEHOLDER if form else _VALUE_NEXT
    return opening is not None and after.match(before, opening.end()) is not None


def _formatted(call: Call, facts: Facts) -> Taint | None:
    """Give what is named within the text of a format: `format!("ls {x}")`."""
    if "formats" in call.node.grammar.flags:
        for text in (one.text for one in call.arguments if "string" in one.kind):
            for name in _BRACED.findall(text):
                if (taint := facts.get(name)) is not None:
                    return taint
    return None
