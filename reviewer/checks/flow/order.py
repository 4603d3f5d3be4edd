"""Things used in an order that can't be right, and values that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hunkwise.reviewer.checks.flow.functions import Functions, Match
from hunkwise.reviewer.checks.flow.mentions import captured
from hunkwise.reviewer.checks.flow.spec import Flow, Spec
from hunkwise.reviewer.checks.flow.steps.graph import Graph, Step
from hunkwise.reviewer.checks.flow.steps.tree import Call, Key, inner, key, path
from hunkwise.reviewer.checks.flow.taint import find

_State = Mapping[str, Match]
# What comes right after a statement, in the same block, and assigns to nothing
_NEXT_LINE = re.compile(
    r"[ \t]*;?[ \t]*(?:\n[ \t]*)*(?!\}|case\b|default\b|else\b)((?:[^\n:=/#]|[=!]=)*)(?=\n|$)"
)


def misused(spec: Spec, file: Functions) -> Iterator[Flow]:
    """Find uses of what was brought into a state in which it must not be used."""
    begins = file.every(spec["begin"])
    if not begins:
        return
    uses = file.every(spec["use"])
    ends = file.every(spec["end"])
    for unit, those in file.by_unit(begins, outermost=False):
        graph = file.graph(unit)
        if graph is not None:
            yield from _States(spec, graph, those, ends).misused(uses)


class _States:
    def __init__(self, spec: Spec, graph: Graph, begins: list[Match], ends: list[Match]) -> None:
        self.graph = graph
        self.sometimes = spec.on == "any path"
        self.begins = self._by_step(begins)
        self.ends = self._by_step(ends)
        self.spec = spec

    def _by_step(self, matches: list[Match]) -> dict[int, list[tuple[Match, str]]]:
        steps: dict[int, list[tuple[Match, str]]] = {}
        unit = self.graph.unit
        for match in matches:
            if unit.start <= match.key[0] and match.key[1] <= unit.end and (name := self._place(match)):
                for step in self.graph.holding(match.key[0], match.key[1]):
                    steps.setdefault(step.at, []).append((match, name))
        return steps

    def _place(self, match: Match) -> str:
        node = find(self.graph.unit, key(match.one("X") or match.node))
        return path(inner(node)) if node is not None else ""

    def misused(self, uses: list[Match]) -> Iterator[Flow]:
        """Give the uses while the state holds."""
        nothing: _State = {}
        before = self.graph.forward(nothing, self._after, self._join, raising=False)
        said: set[Key] = set()
        for at, those in sorted(self._by_step(uses).items()):
            state = dict(before.get(at, {}))
            step = self.graph.steps[at]
            for match, name in those:
                begun = state.get(name)
                if begun is None or match.key in said or step.op == "defer":
                    continue
                said.add(match.key)
                names = {name: nodes[0] for name, nodes in match.names.items()}
                yield Flow(match.node, {**names, "BEGUN": begun.node})

    def _after(self, step: Step, state: _State) -> _State:
        new = dict(state)
        for name in state:
            if captured(step, name) or _given_by_address(step, name):
                del new[name]
        for _, name in self.ends.get(step.at, ()) if step.op != "defer" else ():
            new.pop(name, None)
        if step.op in ("bind", "augment", "each", "with", "parameters", "declare"):
            for target in step.targets:
                bound = path(target)
                for name in (
                    [name for name in new if name == bound or name.startswith(f"{bound}.")] if bound else ()
                ):
                    del new[name]
        if step.op not in ("defer", "assume"):
            new.update((name, match) for match, name in self.begins.get(step.at, ()))
        return new

    def _join(self, one: _State, other: _State) -> _State:
        if self.sometimes:
            return {**other, **one}
        return {name: match for name, match in one.items() if name in other}


def _given_by_address(step: Step, name: str) -> bool:
    """Tell whether something else may change what a name stands for: by its address, or a macro, `EACH(x)`."""
    if step.op == "assume":
        return False
    for node in step.names.get(name.partition(".")[0], ()):
        holder = node.parent.parent if node.parent is not None else None
        if node.source[node.start - 1 : node.start] == "&":
            return True
        if holder is not None and holder.kind in node.grammar.calls and Call(holder).name.isupper():
            return True
    return False


def unread(spec: Spec, file: Functions) -> Iterator[Flow]:
    """Find values that are assigned and read on no way."""
    assigned = [match for match in file.every(spec["assign"]) if not _read_at_once(match, spec.of, file.text)]
    for unit, those in file.by_unit(assigned, outermost=False):
        graph = file.graph(unit)
        if graph is None or graph.branched or unit.kind() == file.grammar.top:
            continue
        live: list[set[str]] | None = None
        for match in those:
            node = match.one(spec.of)
            held = find(graph.unit, key(node)) if node is not None else None
            while held is not None and not held.is_name and len(held.named) == 1:
                held = held.named[0]
            if held is None or not held.is_name or held.text.lstrip("$").startswith("_"):
                continue
            steps = [
                step
                for step in graph.holding(match.key[0], match.key[1])
                if step.op in ("bind", "augment") and any(held is target for target in step.targets)
            ]
            if not steps or _read_elsewhere(graph, held.text):
                continue
            live = live or graph.live_after(_reads, _writes)
            if not any(held.text in live[step.at] for step in steps):
                names = {name: nodes[0] for name, nodes in match.names.items()}
                yield Flow(match.node, names)


def _read_at_once(match: Match, of: str, text: str) -> bool:
    """Tell whether the line behind an assignment plainly reads its name: most do, and need no graph."""
    node = match.one(of)
    found = _NEXT_LINE.match(text, match.key[1])
    return (
        node is not None
        and found is not None
        and re.search(rf"\b{re.escape(node.text())}\b", found[1]) is not None
    )


def _read_elsewhere(graph: Graph, name: str) -> bool:
    """Tell whether a name is read where no step tells: in a closure, through its address, as a named result."""
    grammar = graph.unit.grammar
    results = graph.unit.field("result")
    if results is not None and any(node.text == name for node in results.walk()):
        return True
    local = not grammar.declares
    for step in graph.steps:
        if (
            captured(step, name)
            or _given_by_address(step, name)
            or (step.op == "defer" and name in step.names)
        ):
            return True
        if step.op in ("bind", "declare") and step.node.kind in grammar.declares:
            local = local or any(target.text == name for target in step.targets)
    if any(
        name == kid.text for node in graph.unit.walk() if node.kind in grammar.loose for kid in node.walk()
    ):
        return True
    return not local or ("formats" in grammar.flags and f"{{{name}" in graph.unit.text)


def _reads(step: Step) -> set[str]:
    if step.op in ("entry", "join", "exit", "assume", "declare", "parameters"):
        return set()
    targets = [target for target in step.targets if step.op in ("bind", "each")]
    return {
        name
        for name, nodes in step.names.items()
        if any(all(node is not target for target in targets) for node in nodes)
    }


def _writes(step: Step) -> set[str]:
    if step.op not in ("bind", "each", "declare"):
        return set()
    return {target.text for target in step.targets if target.is_name}
