"""Chats that the model's own template lays out, for tools or thoughts; and the calls in what it writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hunkwise.engine import Segment, tool_prompt
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.threads import in_thread

_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FENCE = re.compile(r"\A\s*```(?:json)?\n(.*?)\n?```\s*\Z", re.DOTALL)
_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the model wants called."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of such a chat: what was said, what was called, and what was thought before."""

    role: str
    content: str
    calls: tuple[Call, ...] = ()
    thought: str = ""


def names_of(tools: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the functions. Raises Refused for a tool that is none."""
    names = []
    for number, tool in enumerate(tools):
        function = tool.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str) or not name:
            raise Refused(400, f"tools[{number}].function.name must be a text", param="tools")
        names.append(name)
    return tuple(names)


async def laid_out(
    found: Found, turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]], think: bool | str = False
) -> tuple[Segment, ...]:
    """Make the prompt of a chat with tools, or with thoughts.

    Raises Refused, and CorruptModel where the template can't take it.
    """
    names_of(tools)
    turns = (*(Turn(role, text) for role, text in found.spec.messages), *turns)
    system = found.spec.system
    if system and turns[0].role != "system":
        turns = (Turn("system", system), *turns)
    messages: list[dict[str, Any]] = []
    for number, turn in enumerate(turns):
        if turn.role not in _ROLES:
            known = ", ".join(_ROLES)
            raise Refused(400, f"messages[{number}].role must be one of {known}", param="messages")
        calls = [
            {"type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
            for call in turn.calls
        ]
        message: dict[str, Any] = {"role": turn.role, "content": turn.content}
        thought = {"reasoning_content": turn.thought} if turn.thought else {}
        messages.append(message | thought | ({"tool_calls": calls} if calls else {}))
    template = found.described.header.chat_template or ""
    return await in_thread(partial(tool_prompt, template, messages, tools, think))


def forced(tools: Sequence[Mapping[str, Any]], name: str | None) -> Mapping[str, Any]:
    """Write the schema of a call of one tool, or of any. Raises Refused for a tool that is not offered."""
    wanted = [
        {
            "type": "object",
            "properties": {
                "name": {"const": tool["function"]["name"]},
                "arguments": tool["function"].get("parameters") or {"type": "object"},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
        if name in (None, tool["function"]["name"])
    ]
    if not wanted:
        raise Refused(400, f"tool_choice names {str(name)[:60]!r}, which is no tool of this request")
    return wanted[0] if len(wanted) == 1 else {"anyOf": wanted}


def calls_in(text: str, names: Sequence[str]) -> tuple[str, tuple[Call, ...]]:
    """Tell the calls of offered tools from the rest of a text: tagged ones, or a text of nothing but calls."""
    tagged = [call for match in _TAGGED.finditer(text) for call in _calls(match[1], names)]
    if tagged:
        return _TAGGED.sub("", text).strip(), tuple(tagged)
    fenced = _FENCE.match(text)
    alone = _calls(fenced[1] if fenced else text, names)
    return ("", tuple(alone)) if alone else (text, ())


def _calls(text: str, names: Sequence[str]) -> list[Call]:
    """Read one call, or a list of them; nothing where anything else stands."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = []
    for each in value if isinstance(value, list) else [value]:
        name = each.get("name") if isinstance(each, dict) else None
        arguments = each.get("arguments", each.get("parameters", {})) if isinstance(each, dict) else None
        if name not in names or not isinstance(arguments, dict):
            return []
        found.append(Call(str(name), arguments))
    return found
