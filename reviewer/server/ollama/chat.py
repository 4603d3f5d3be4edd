"""POST /api/chat."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.inference.running import Ending, write
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
    ask = ask_for(server, found, wish, _segments(body, found), shorten=body.truncate)

    async def told() -> AsyncGenerator[Line, None]:
        async for piece in write(server, found.name, ask, wish.keep_alive):
            if isinstance(piece, Ending):
                yield {**opening(body.model), "message": _message(""), **ending(piece)}
            else:
                likely = logprobs(piece.tokens, ask.logprobs)
                yield {**opening(body.model), "message": _message(piece.text), "done": False, **likely}

    nothing: Line = {"message": _message("")}
    lines = told() if body.messages else load(server, found, wish.keep_alive, ask.window or 0, nothing)
    headers = ignored_header(wish.options)
    return await respond(lines, stream=body.stream, text="message.content", headers=headers)


def _message(text: str) -> Line:
    return {"role": "assistant", "content": text}


def _segments(body: ChatBody, found: Found) -> tuple[Segment, ...]:
    """Make the prompt. Raises Refused for what this model can't do."""
    for message in body.messages:
        refuse_images(message.images, found.name)
    if body.tools or any(message.tool_calls or message.role == "tool" for message in body.messages):
        found.require("tools")
        raise Refused(400, "tools are not supported by this server yet", param="tools")
    return prompts.chat(((message.role, message.content) for message in body.messages), found.spec)
