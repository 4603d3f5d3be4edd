"""TEMPLATE of a Modelfile: Go templates rendered to a prompt with Ollama's meaning (template/template.go).

A template with `.Messages` runs once over the whole chat. An older one, with `.Prompt` and `.Response`, runs once
for each exchange, and the last run ends where the answer begins. Contents come through as they are; nothing
depends on the clock: `currentDate` is an error where a template really asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hunkwise.engine.errors import EngineError
from hunkwise.engine.models.gotemplate.exec import Budget, execute
from hunkwise.engine.models.gotemplate.functions import Turn, Value
from hunkwise.engine.models.gotemplate.lexer import Origin
from hunkwise.engine.models.gotemplate.parser import Action, Argument, Branch, Call, Node, Path, Pipe, parse

_RESPONSE = Action(Pipe((), False, (Call((Path(None, ("Response",), 0),), 0),), 0))
# What Ollama hands to every template; we never have tools, nor ask a model to think.
_ALWAYS: Mapping[str, Value] = {"Response": "", "Think": False, "ThinkLevel": "", "IsThinkSet": False}


@dataclass(frozen=True, slots=True)
class GoTemplate:
    """A compiled template. `names` are the fields and variables it mentions, in lower case."""

    origin: Origin
    nodes: tuple[Node, ...]
    names: frozenset[str]

    def render(self, messages: Sequence[tuple[str, str]], *, system: str = "", suffix: str = "") -> str:
        """Write the prompt for `messages`, (role, content) each, up to where the answer begins.

        `system` is put first unless the chat begins with a system message. With `suffix` the prompt asks to
        fill in the middle between the user's text and the suffix. Raises ModelfileError where the template
        goes wrong on this chat, EngineError where it does too much work or can't fill in.
        """
        if system and (not messages or messages[0][0] != "system"):
            messages = [("system", system), *messages]
        turns = _collate(messages)
        budget = Budget()
        if suffix:
            return self._fill_in(turns, suffix, budget)
        if "messages" in self.names:
            texts = [turn.content for turn in _collate(messages, only="system")]
            data = {**_ALWAYS, "System": "".join(texts), "Messages": turns, "Tools": ()}
            return execute(self.nodes, data, self.origin, budget)
        return self._by_exchange(turns, budget)

    def _fill_in(self, turns: tuple[Turn, ...], suffix: str, budget: Budget) -> str:
        if "suffix" not in self.names:
            raise EngineError(f"{self.origin.source} has no .Suffix, so the model can't fill in the middle")
        prompt = "".join(turn.content for turn in turns[-1:] if turn.role == "user")
        data = {**_ALWAYS, "Prompt": prompt, "Suffix": suffix}
        return execute(self.nodes, data, self.origin, budget)

    def _by_exchange(self, turns: tuple[Turn, ...], budget: Budget) -> str:
        parts: list[str] = []
        said = {"System": "", "Prompt": "", "Response": ""}
        # a turn begins a new exchange if a later part of the old one was already said
        later = {"system": ("Prompt", "Response"), "user": ("Response",)}
        names = {"system": "System", "user": "Prompt", "assistant": "Response"}
        for turn in turns:
            if any(said[name] for name in later.get(turn.role, ())):
                parts.append(execute(self.nodes, {**_ALWAYS, **said}, self.origin, budget))
                said = dict.fromkeys(said, "")
            if turn.role in names:
                said[names[turn.role]] = turn.content
        nodes, _ = _until_response(self.nodes)
        parts.append(execute(nodes, {**_ALWAYS, **said}, self.origin, budget))
        return "".join(parts)


def compile_template(text: str, source: str = "TEMPLATE") -> GoTemplate:
    """Compile a template. Raises ModelfileError with the place of the first mistake."""
    origin = Origin(text, source)
    nodes = parse(origin)
    names = frozenset(name.lower() for name in _names(nodes))
    if not names & {"messages", "response"}:
        nodes = (*nodes, _RESPONSE)
    return GoTemplate(origin, nodes, names | {"response"})


def _collate(messages: Sequence[tuple[str, str]], only: str | None = None) -> tuple[Turn, ...]:
    """Join neighbours of one role with a blank line, after dropping all roles but `only` if it is given."""
    turns: list[Turn] = []
    for role, content in messages:
        if only is not None and role != only:
            continue
        if turns and turns[-1].role == role != "tool":
            turns[-1] = Turn(role, f"{turns[-1].content}\n\n{content}")
        else:
            turns.append(Turn(role, content))
    return tuple(turns)


def _names(nodes: tuple[Node, ...]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        if isinstance(node, Action):
            found += _names_of(node.pipe)
        elif isinstance(node, Branch):
            found += _names_of(node.pipe) + _names(node.body) + _names(node.otherwise)
    return found


def _names_of(argument: Argument) -> list[str]:
    if isinstance(argument, Path):
        inner = _names_of(argument.start) if isinstance(argument.start, Pipe) else []
        return [*inner, *argument.fields]
    if isinstance(argument, Pipe):
        return [name for call in argument.commands for each in call.arguments for name in _names_of(each)]
    return []


def _until_response(nodes: tuple[Node, ...]) -> tuple[tuple[Node, ...], bool]:
    """Keep what comes before the first action that writes `.Response`, and that action; say if there was one."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Branch):
            body, found = _until_response(node.body)
            otherwise, found = ((), True) if found else _until_response(node.otherwise)
            kept.append(Branch(node.word, node.pipe, body, otherwise))
        else:
            found = isinstance(node, Action) and "Response" in _names_of(node.pipe)
            kept.append(node)
        if found:
            return tuple(kept), True
    return tuple(kept), False
