"""Tools in OpenAI's words."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.tools import Call, Turn, forced, laid_out, names_of
from hunkwise.reviewer.server.openai.bodies import ChatBody, ToolCall
from hunkwise.reviewer.server.openai.replies import Value


def names_in(body: ChatBody) -> tuple[str, ...]:
    """Name the tools that the model may call. Raises Refused."""
    return () if body.tool_choice == "none" else names_of(body.tools)


def has_tools(body: ChatBody) -> bool:
    """Tell whether tools are offered, or were called before."""
    return bool(names_in(body)) or any(each.tool_calls or each.role == "tool" for each in body.messages)


async def with_tools(body: ChatBody, found: Found, think: bool | str) -> tuple[Segment, ...]:
    """Make the prompt of a chat with tools or thoughts."""
    turns = [
        Turn(
            "system" if each.role == "developer" else each.role,
            each.text,
            tuple(map(_call, each.tool_calls)),
            each.reasoning_content,
        )
        for each in body.messages
    ]
    return await laid_out(found, turns, body.tools if names_in(body) else (), think)


def _call(call: ToolCall) -> Call:
    try:
        arguments = json.loads(call.function.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise Refused(
            400, f"the arguments of {call.function.name[:60]!r} must be a JSON object", param="messages"
        )
    return Call(call.function.name, arguments)


def schema_of_choice(body: ChatBody) -> Mapping[str, Any] | None:
    """Say what an answer must keep to that has to be a call. Raises Refused."""
    match body.tool_choice:
        case "" | "none" | "auto":
            return None
        case "required":
            return forced(body.tools, None)
        case {"function": {"name": str(name)}}:
            return forced(body.tools, name)
    raise Refused(400, "tool_choice must be none, auto, required or a function", param="tool_choice")


def called(calls: tuple[Call, ...], *, numbered: bool) -> list[Value]:
    """Write calls; in a stream each has its number."""
    return [
        {
            **({"index": index} if numbered else {}),
            "id": f"call_{secrets.token_hex(4)}",
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
            },
        }
        for index, call in enumerate(calls)
    ]
