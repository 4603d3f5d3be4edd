"""What is opened and not closed again on some way out of a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hunkwise.reviewer.checks.flow.functions import Functions, Match
from hunkwise.reviewer.checks.flow.guards import absent
from hunkwise.reviewer.checks.flow.mentions import Use, captured, mentions
from hunkwise.reviewer.checks.flow.spec import Flow, Spec
from hunkwise.reviewer.checks.flow.steps.graph import Graph, Step
from hunkwise.reviewer.checks.flow.steps.tree import Key, Node, inner, key, path, place
from hunkwise.reviewer.checks.flow.taint import find


@dataclass(frozen=True, slots=True)
class _Open:
    """Something that is open: by which match, errors that came along, tests under which it was opened."""

    at: int
    companions: frozenset[str] = frozenset()
    tests: frozenset[tuple[str, bool]] = frozenset()


_State = Mapping[str, frozenset[_Open]]
_MOST_TESTS = 4
_LOOPS = ("for", "while", "do", "each", "loop")


def unmet(spec: Spec, file: Functions) -> Iterator[Flow]:
    """Find what a function opens and leaves open on a way out."""
    opened = file.every(spec["open"])
    if not opened:
        return
    closing = file.every(spec["close"])
    uses = {match.key for match in file.every(spec["uses"])}
    escapes = {match.key for match in file.every(spec["escapes"])}
    for unit, those in file.by_unit(opened, outermost=False):
        if unit.kind() == file.grammar.top:
            continue  # names of a whole file live as long as the program
        graph = file.graph(unit)
        if graph is not None and not graph.branched:
            yield from _Obligations(spec, graph, closing, uses, escapes).unmet(those)


class _Obligations:
    def __init__(
        self, spec: Spec, graph: Graph, closing: list[Match], uses: set[Key], escapes: set[Key]
    ) -> None:
        self.spec = spec
        self.graph = graph
        unit = graph.unit
        self.closing = [one for one in closing if unit.start <= one.key[0] and one.key[1] <= unit.end]
        self.closes: dict[Key, str] = {}
        for match in self.closing:
            node = match.one("X")
            held = find(unit, key(node)) if node is not None else None
            self.closes[match.key] = place(held) if held is not None else ""
        self.uses = uses
        self.escapes = escapes
        self.opens: dict[int, list[tuple[str, _Open]]] = {}
        self.repeated = _repeated(graph)
        self.first = 0

    def unmet(self, opened: list[Match]) -> Iterator[Flow]:
        """Give those of the matches that are left open."""
        places: dict[int, tuple[Match, str]] = {}
        self.first = min((match.key[0] for match in opened), default=0)
        for index, match in enumerate(opened):
            for step in self.graph.holding(match.key[0], match.key[1]):
                held = self._held(match, step)
                if held is not None:
                    name, companions = held
                    places[index] = match, name
                    self.opens.setdefault(step.at, []).append((name, _Open(index, companions)))
        if not self.opens:
            return
        nothing: _State = {}
        before = self.graph.forward(
            nothing, self._after, _join, raising=self.spec.throws, on_raise=self._raised
        )
        leaving: dict[int, Node] = {}
        for at, state in sorted(before.items()):
            step = self.graph.steps[at]
            after = self._after(step, state)
            if self.graph.end not in step.next:
                after = self._raised(step, state, after) if self._throws_out(step) else {}
            for fact in (fact for facts in after.values() for fact in facts):
                leaving.setdefault(fact.at, step.node)
        closed = {name for name in self.closes.values() if name}
        for index, node in sorted(leaving.items()):
            match, name = places[index]
            if (self.spec.on == "any path" and name in closed) or (
                self.spec.on == "some path" and name not in closed
            ):
                continue
            names = {name: nodes[0] for name, nodes in match.names.items()}
            yield Flow(match.node, {**names, "LEAVES": node.sg})

    def _throws_out(self, step: Step) -> bool:
        return self.spec.throws and self.graph.end in step.raises

    def _held(self, match: Match, step: Step) -> tuple[str, frozenset[str]] | None:
        """Tell under which name what is opened is held, and which errors came with it."""
        if step.op not in ("bind", "evaluate", "augment"):
            return None
        wanted = match.one("X")
        targets = [path(target) for target in step.targets]
        node = find(step.node, key(wanted)) if wanted is not None else None
        name = place(node) if node is not None else ""
        if wanted is not None and name not in targets:  # x.lock(): only where this function unlocks it too
            return (name, frozenset()) if name and self._closed_after(step, name) else None
        if step.op != "bind" or step.value is None:
            return None
        value = inner(step.value)
        whole = match.key[0] <= step.node.start and step.node.end <= match.key[1]
        if (wanted is None and not whole and (value.start, value.end) != match.key[:2]) or not targets:
            return None
        name = name or targets[0]
        if not name or "." in name or not self._local(name):
            return None
        return name, frozenset(other for other in targets if other and other != name)

    def _closed_after(self, step: Step, name: str) -> bool:
        if any(self.closes[match.key] == name and match.key[0] < self.first for match in self.closing):
            return False  # the function was entered with it, and leaves with it
        later = self.graph.after(step.at)
        return any(
            self.closes[match.key] == name and step.at in later
            for match in self.closing
            for step in self.graph.holding(match.key[0], match.key[1])
        )

    def _local(self, name: str) -> bool:
        """Tell whether a name belongs to this function."""
        grammar = self.graph.unit.grammar
        if not grammar.declares:
            loose = (node for node in self.graph.unit.walk() if node.kind in grammar.loose)
            return not any(name == kid.text for node in loose for kid in node.walk())
        for other in self.graph.steps:
            if (
                other.op not in ("bind", "declare", "each", "parameters")
                or other.node.kind not in grammar.declares
            ):
                continue
            if any(target.text == name for target in other.targets):
                return not other.source_starts("static", "extern")
        return False

    def _after(self, step: Step, state: _State) -> _State:
        new = dict(state)
        if step.op == "assume":
            return self._assume(step, new)
        for name in state:
            if self._ends(step, name):
                del new[name]
        if step.op in ("bind", "augment", "each", "declare", "with"):
            for target in step.targets:
                bound = path(target)
                new.pop(bound, None)
                for name, facts in new.items():
                    if any(bound in fact.companions for fact in facts):
                        new[name] = frozenset(
                            replace(fact, companions=fact.companions - {bound}) for fact in facts
                        )
        for name, fact in self.opens.get(step.at, ()):
            new[name] = frozenset({replace(fact, tests=self._tests_at(step))})
        return new

    def _raised(self, step: Step, before: _State, after: _State) -> _State:
        """What is open if the step raises: what was open before, unless it, or its finally, closes that."""
        if step.op not in ("bind", "evaluate", "augment", "leave", "each") or not step.calls:
            return {}
        closed = self._closed_in_finally(step)
        return {name: facts for name, facts in before.items() if name in after and name not in closed}

    def _closed_in_finally(self, step: Step) -> set[str]:
        """Give what the rest of the `finally` that a step stands in closes; few expect a raise there."""
        holder = step.node.parent
        while holder is not None and holder.kind != "finally_clause":
            holder = holder.parent
        end = holder.end if holder is not None else -1
        return {self.closes[match.key] for match in self.closing if step.node.end <= match.key[0] < end}

    def _tests_at(self, step: Step) -> frozenset[tuple[str, bool]]:
        """Give the tests, asked more than once in the function, under which a step is taken."""
        found = [
            (text, node.start >= test.end and truth)
            for text, test, holder, truth in self.repeated
            for node in (step.node,)
            if holder.start <= node.start and node.end <= holder.end
        ]
        return frozenset(found[:_MOST_TESTS])

    def _assume(self, step: Step, state: dict[str, frozenset[_Open]]) -> _State:
        text = step.node.text
        for name, facts in list(state.items()):
            kept = []
            for fact in facts:
                told = absent(step.node, {name}, fact.companions, truth=step.truth)
                if not told and (text, not step.truth) not in fact.tests:
                    kept.append(fact)
            if kept:
                state[name] = frozenset(kept)
            else:
                del state[name]
        return state

    def _ends(self, step: Step, name: str) -> bool:
        """Tell whether from this step on nobody here has to close it: closed, or given away."""
        if step.op == "exit" or (step.op == "join" and step.node.grammar.role(step.node.kind) in _LOOPS):
            return False  # the head of a loop does not do what its body does
        if captured(step, name):
            return True
        for match in self.closing:
            if (
                self.closes[match.key] == name
                and step.node.start <= match.key[0]
                and match.key[1] <= step.node.end
            ):
                return True
        for use in mentions(step, name, self.uses, self.escapes, set(self.closes)):
            if use is Use.GIVEN:
                return True
        return step.op in ("defer", "with") and name.partition(".")[0] in step.names


def _join(one: _State, other: _State) -> _State:
    if one == other:
        return one
    return {
        name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in one.keys() | other.keys()
    }


def _repeated(graph: Graph) -> list[tuple[str, Node, Node, bool]]:
    """List the tests that are asked more than once, each with the statement that asks it."""
    tests: dict[str, list[tuple[Node, Node]]] = {}
    for step in graph.steps:
        holder = step.node.parent
        if step.op == "assume" and step.truth and holder is not None:
            tests.setdefault(step.node.text, []).append((step.node, holder))
    return [
        (text, test, holder, True)
        for text, those in tests.items()
        if len(those) > 1
        for test, holder in those
    ]
