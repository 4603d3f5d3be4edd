"""The steps of a function and how they follow each other: what the analyses walk over."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from hunkwise.reviewer.checks.flow.steps.tree import Call, Node

Op = Literal[
    "evaluate",
    "bind",
    "augment",
    "each",
    "declare",
    "with",
    "assume",
    "leave",
    "exit",
    "defer",
    "entry",
    "join",
    "parameters",
]

MOST_STEPS = 4_000  # of a function; longer ones are left alone
State = TypeVar("State")


@dataclass(slots=True)
class Step:
    """One thing that a function does. `next`: the steps that may follow; `raises`: those after an exception."""

    at: int
    op: Op
    node: Node
    targets: tuple[Node, ...] = ()
    value: Node | None = None
    truth: bool = True
    next: list[int] = field(default_factory=list)
    raises: list[int] = field(default_factory=list)
    _calls: list[Call] | None = None
    _names: dict[str, list[Node]] | None = None
    _closures: list[Node] | None = None

    @property
    def calls(self) -> list[Call]:
        """The calls in what is evaluated, outermost first."""
        if self._calls is None:
            self._calls = [Call(node) for node in self._walk() if node.kind in node.grammar.calls]
        return self._calls

    @property
    def names(self) -> dict[str, list[Node]]:
        """The variables that are mentioned, each with its places."""
        if self._names is None:
            self._names = {}
            for node in self._walk():
                if node.is_name or node.kind in node.grammar.selves:
                    self._names.setdefault(node.text, []).append(node)
        return self._names

    @property
    def closures(self) -> list[Node]:
        """The functions and types that are made here."""
        if self._closures is None:
            self._closures = [node for node in self._walk() if node.is_closed]
        return self._closures

    def source_starts(self, *words: str) -> bool:
        """Tell whether the declaration that this is part of starts with one of these words."""
        holder = self.node.parent or self.node
        return self.node.source.startswith(words, holder.start)

    def _walk(self) -> Iterator[Node]:
        if self.op in ("entry", "join", "exit"):
            return
        yield from self.node.walk()


def _inside_another(node: Node, start: int, end: int) -> bool:
    """Tell whether a range of a node is in a function that is made there, and runs some other time."""
    while True:
        kid = next((kid for kid in node.named if kid.start <= start and end <= kid.end), None)
        if kid is None or (kid.start == start and kid.end == end):
            return False
        if kid.is_closed:
            return True
        node = kid


@dataclass(slots=True)
class Graph:
    """The steps of a function; the first is its entry, `end` is where all ways out lead."""

    unit: Node
    steps: list[Step]
    end: int
    branched: bool = False  # by the preprocessor: what is compiled is not known

    def holding(self, start: int, end: int) -> list[Step]:
        """Give the steps that a range of text belongs to: several, where a `finally` is on several ways."""
        real = [step for step in self.steps if step.op not in ("entry", "join", "exit", "assume")]
        around = [step for step in real if step.node.start <= start and end <= step.node.end]
        if around:
            least = min(step.node.end - step.node.start for step in around)
            those = [step for step in around if step.node.end - step.node.start == least]
            return [step for step in those if not _inside_another(step.node, start, end)]
        within = [step for step in real if start <= step.node.start and step.node.end <= end]
        last = max((step.node.end for step in within), default=-1)
        return [step for step in within if step.node.end == last][:1]

    def after(self, at: int) -> set[int]:
        """Give the steps that can be reached from one."""
        seen: set[int] = set()
        queue = [at]
        while queue:
            for to in self.steps[queue.pop()].next:
                if to not in seen:
                    seen.add(to)
                    queue.append(to)
        return seen

    def forward(
        self,
        start: State,
        transfer: Callable[[Step, State], State],
        join: Callable[[State, State], State],
        *,
        raising: bool,
        on_raise: Callable[[Step, State, State], State] | None = None,
    ) -> dict[int, State]:
        """Give what holds before each step that can be reached: a fixed point, each step at most 30 times."""
        before: dict[int, State] = {0: start}
        queue = [0]
        visits = [0] * len(self.steps)
        while queue:
            at = heapq.heappop(queue)
            step = self.steps[at]
            visits[at] += 1
            after = transfer(step, before[at])
            ways = [(to, after) for to in step.next]
            if raising and step.raises:
                thrown = on_raise(step, before[at], after) if on_raise else after
                ways += [(to, thrown) for to in step.raises]
            for to, state in ways:
                new = state if to not in before else join(before[to], state)
                if (to not in before or new != before[to]) and visits[to] < 30:
                    before[to] = new
                    if to not in queue:
                        heapq.heappush(queue, to)
        return before

    def live_after(
        self, reads: Callable[[Step], set[str]], writes: Callable[[Step], set[str]]
    ) -> list[set[str]]:
        """Give the names that may still be read after each step."""
        live: list[set[str]] = [set() for _ in self.steps]
        before: list[set[str]] = [set() for _ in self.steps]
        changed = True
        while changed:
            changed = False
            for step in reversed(self.steps):
                after = set().union(*(before[to] for to in (*step.next, *step.raises)))
                here = reads(step) | (after - writes(step))
                if after != live[step.at] or here != before[step.at]:
                    live[step.at], before[step.at] = after, here
                    changed = True
        return live
