"""Run a parsed Go template over data, as text/template's exec.go does, within a budget of work.

Go's types become str, int, float, bool, None (nil), tuple (slice), Mapping (map) and `Turn` (a chat message).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hunkwise.engine.errors import EngineError
from hunkwise.engine.models.gotemplate import functions
from hunkwise.engine.models.gotemplate.functions import Turn, Value, true
from hunkwise.engine.models.gotemplate.lexer import Origin
from hunkwise.engine.models.gotemplate.parser import (
    Action,
    Argument,
    Branch,
    Call,
    Constant,
    Function,
    Jump,
    Node,
    Path,
    Pipe,
    Text,
)


class Budget:
    """What a template may still do before it is stopped: steps, and characters made or looked at."""

    def __init__(self, steps: int = 500_000, characters: int = 1 << 26) -> None:
        self._steps = steps
        self._characters = characters

    def step(self) -> None:
        """Pay for one node, call or loop turn. Raises EngineError when too many were."""
        self._steps -= 1
        if self._steps < 0:
            raise EngineError("the prompt template runs too long; look for a {{range}} over a large number")

    def characters(self, value: Value) -> None:
        """Pay for a text's characters. Raises EngineError when they were too many."""
        self._characters -= len(value) if isinstance(value, str) else 0
        if self._characters < 0:
            raise EngineError("the prompt template makes too much text; look for a text that doubles itself")


def execute(nodes: tuple[Node, ...], data: Mapping[str, Value], origin: Origin, budget: Budget) -> str:
    """Run the nodes with `data` as the dot. Raises ModelfileError, placed, where Go would stop."""
    run = _Run(data, origin, budget)
    run.nodes(nodes, data)
    return "".join(run.out)


@dataclass(slots=True)
class _Variable:
    name: str
    value: Value


class _Run:
    def __init__(self, data: Mapping[str, Value], origin: Origin, budget: Budget) -> None:
        self.out: list[str] = []
        self._origin = origin
        self._budget = budget
        self._variables = [_Variable("$", data)]

    def nodes(self, nodes: tuple[Node, ...], dot: Value) -> str:
        """Run nodes in turn; returns "break" or "continue" if one was met, else ""."""
        for node in nodes:
            self._budget.step()
            jump = ""
            match node:
                case Text(text=text):
                    self._write(text)
                case Action(pipe=pipe):
                    value = self._pipe(pipe, dot)
                    if not pipe.variables:
                        self._write(self._called(functions.written, (value,), pipe.at))
                case Jump(word=word):
                    return word
                case Branch():
                    jump = self._branch(node, dot)
            if jump:
                return jump
        return ""

    def _write(self, text: Value) -> None:
        assert isinstance(text, str)
        self._budget.characters(text)
        self.out.append(text)

    def _branch(self, node: Branch, dot: Value) -> str:
        mark = len(self._variables)
        if node.word == "range":
            jump = self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            inner = value if node.word == "with" and true(value) else dot
            jump = self.nodes(node.body if true(value) else node.otherwise, inner)
        del self._variables[mark:]
        return jump

    def _range(self, node: Branch, dot: Value) -> str:
        value = self._pipe(node.pipe, dot)
        names = node.pipe.variables
        if len(names) == 2 and isinstance(value, int):
            raise self._origin.error("range over a number has no second variable", node.pipe.at)
        mark = len(self._variables)
        empty = True
        for key, item in self._items(value, node.pipe.at):
            empty = False
            self._budget.step()
            for name, part in zip(names, (key, item)[-len(names) :], strict=False):
                self._find(name).value = part
            jump = self.nodes(node.body, item)
            del self._variables[mark:]
            if jump == "break":
                break
        return self.nodes(node.otherwise, dot) if empty else ""

    def _items(self, value: Value, at: int) -> Iterator[tuple[Value, Value]]:
        if value is None:
            return
        if isinstance(value, int) and not isinstance(value, bool):
            yield from ((index, index) for index in range(value))
        elif isinstance(value, tuple):
            yield from enumerate(value)
        elif isinstance(value, Mapping):
            yield from sorted(value.items())
        else:
            raise self._origin.error(f"range can't go over {functions.kind(value)}", at)

    def _find(self, name: str) -> _Variable:
        return next(variable for variable in reversed(self._variables) if variable.name == name)

    def _pipe(self, pipe: Pipe, dot: Value) -> Value:
        value = self._call(pipe.commands[0], dot, ())
        for call in pipe.commands[1:]:
            value = self._call(call, dot, (value,))
        for name in pipe.variables:
            if pipe.assigns:
                self._find(name).value = value
            else:
                self._variables.append(_Variable(name, value))
        return value

    def _call(self, call: Call, dot: Value, piped: tuple[Value, ...]) -> Value:
        self._budget.step()
        first, *rest = call.arguments
        if first == Constant(None):
            raise self._origin.error("nil alone is not a value", call.at)
        if not isinstance(first, Function):
            return self._argument(first, dot)
        if first.name in ("and", "or"):
            return self._first(first, rest, dot, piped)
        arguments = (*(self._argument(argument, dot) for argument in rest), *piped)
        function, least, most = functions.FUNCTIONS[first.name]
        if not least <= len(arguments) <= most:
            raise self._origin.error(f"{first.name} can't take {len(arguments)} arguments", call.at)
        return self._called(function, arguments, call.at)

    def _first(self, name: Function, rest: list[Argument], dot: Value, piped: tuple[Value, ...]) -> Value:
        """Evaluate `and` or `or`: the arguments after the one that decides are not looked at."""
        value: Value = None
        if not rest and not piped:
            raise self._origin.error(f"{name.name} needs an argument", name.at)
        for argument in rest:
            value = self._argument(argument, dot)
            if true(value) is (name.name == "or"):
                return value
        return piped[0] if piped else value

    def _called(self, function: functions.Function, arguments: tuple[Value, ...], at: int) -> Value:
        for argument in arguments:
            self._budget.characters(argument)
        try:
            value = function(*arguments)
        except functions.Misuse as error:
            raise self._origin.error(str(error), at) from None
        self._budget.characters(value)
        return value

    def _argument(self, argument: Argument, dot: Value) -> Value:
        self._budget.step()
        match argument:
            case Constant(value=value):
                return value
            case Path():
                return self._path(argument, dot)
            case Function(at=at):
                return self._call(Call((argument,), at), dot, ())
            case Pipe():
                return self._pipe(argument, dot)

    def _path(self, path: Path, dot: Value) -> Value:
        if path.start is None:
            value = dot
        elif isinstance(path.start, str):
            value = self._find(path.start).value
        else:
            value = self._pipe(path.start, dot)
        if value is None:  # Go looks up nothing in nothing, but stops at a field of a field that is nil
            return None
        for field in path.fields:
            value = self._field(value, field, path.at)
        return value

    def _field(self, value: Value, name: str, at: int) -> Value:
        if isinstance(value, Mapping):
            return value.get(name)  # missingkey=zero: nil, which prints as "<no value>"
        fields = value.fields() if isinstance(value, Turn) else {}
        if name not in fields:
            raise self._origin.error(f"{functions.kind(value)} has no field {name[:40]}", at)
        return fields[name]
