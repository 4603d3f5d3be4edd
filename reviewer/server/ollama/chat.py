"""POST /api/chat."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from hunkwise.engine import Segment, Written
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.inference.running import Ending, write
from hunkwise.reviewer.server.inference.tools import Call, Turn, calls_in, laid_out, names_of
from hunkwise.reviewer.server.ollama.asking import ask_for, refuse_images, wish_of
from hunkwise.reviewer.server.ollama.bodies import ChatBody
from hunkwise.reviewer.server.ollama.loading import load
from hunkwise.reviewer.server.ollama.replies import Line, ending, ignored_header, logprobs, opening, respond
from hunkwise.reviewer.server.state import Server


async def chat(server: Server, request: Request) -> Response:
    """Say the next message of a chat."""
    body = await read_body(ChatBody, request)
    if not body.model:
        raise Refused(400, "model is required", param="model")
    found = await find(server, body.model)
    wish = wish_of(body, found)
    for message in body.messages:
        refuse_images(message.images, found.name)
    names = names_of(body.tools)
    with_tools = names or any(each.tool_calls or each.role == "tool" for each in body.messages)
    if with_tools:
        found.require("tools")
    goes_on = bool(body.messages) and body.messages[-1].role == "assistant"  # with what it has said already
    thinks = bool(wish.think) and not goes_on
    framed = with_tools or thinks  # by the template at once, so that nothing can be left out later
    messages = await _laid_out(body, found, wish.think) if framed else _segments(body, found)
    ask = ask_for(server, found, wish, messages, shorten=body.truncate and not framed, thinks=thinks)

    async def told() -> AsyncGenerator[Line, None]:
        held, tokens = "", tuple[Written, ...]()  # with tools the text comes whole: it may be a call
        thoughts = ""
        async for piece in write(server, found, ask, wish.keep_alive):
            if isinstance(piece, Ending):
                if held or thoughts:
                    likely = logprobs(tokens, ask.logprobs)
                    message = _message("", thoughts) | _called(held, names)
                    yield {**opening(body.model), "message": message, "done": False, **likely}
                yield {**opening(body.model), "message": _message(""), **ending(piece)}
            elif names:
                held, tokens = held + piece.text, tokens + piece.tokens
                thoughts += piece.thought
            else:
                likely = logprobs(piece.tokens, ask.logprobs)
                message = _message(piece.text, piece.thought)
                yield {**opening(body.model), "message": message, "done": False, **likely}

    nothing: Line = {"message": _message("")}
    lines = told() if body.messages else load(server, found, wish.keep_alive, ask.window or 0, nothing)
    headers = ignored_header(wish.options)
    return await respond(lines, stream=body.stream, text="message.content", headers=headers)


def _message(text: str, thought: str = "") -> Line:
    return {"role": "assistant", "content": text, **({"thinking": thought} if thought else {})}


def _called(text: str, names: Sequence[str]) -> Line:
    """Tell calls from text. Each has an id of its own."""
    rest, calls = calls_in(text, names)
    told = [
        {
            "id": f"call_{secrets.token_hex(4)}",
            "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)},
        }
        for index, call in enumerate(calls)
    ]
    return {**_message(rest), **({"tool_calls": told} if told else {})}


async def _laid_out(body: ChatBody, found: Found, think: bool | str) -> tuple[Segment, ...]:
    """Make the prompt of a chat with tools or thoughts."""
    if not body.messages:
        return ()
    turns = [
        Turn(
            each.role,
            each.content,
            tuple(Call(call.function.name, call.function.arguments) for call in each.tool_calls),
            each.thinking,
        )
        for each in body.messages
    ]
    return await laid_out(found, turns, body.tools, think)


def _segments(body: ChatBody, found: Found) -> tuple[Segment, ...]:
    """Make the prompt."""
    return prompts.chat(((message.role, message.content) for message in body.messages), found.spec)
