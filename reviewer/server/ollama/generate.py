"""POST /api/generate."""

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
from hunkwise.reviewer.server.inference.tools import Turn, laid_out
from hunkwise.reviewer.server.ollama.asking import ask_for, refuse_images, wish_of
from hunkwise.reviewer.server.ollama.bodies import GenerateBody
from hunkwise.reviewer.server.ollama.loading import load
from hunkwise.reviewer.server.ollama.replies import Line, ending, ignored_header, logprobs, opening, respond
from hunkwise.reviewer.server.state import Server


async def generate(server: Server, request: Request) -> Response:
    """Continue a prompt, as a template frames it or raw, or fill in what stands before a suffix."""
    body = await read_body(GenerateBody, request)
    found = await find(server, body.model)
    wish = wish_of(body, found)
    thinks = bool(wish.think) and not (body.raw or body.suffix or body.template)
    segments = _segments(body, found)
    if thinks and body.prompt:
        segments = await laid_out(found, [Turn(each.role, each.text) for each in segments], (), wish.think)
    ask = ask_for(server, found, wish, segments, shorten=body.truncate and not thinks, thinks=thinks)

    async def told() -> AsyncGenerator[Line, None]:
        async for piece in write(server, found, ask, wish.keep_alive):
            if isinstance(piece, Ending):
                yield {**opening(body.model), "response": "", **ending(piece)}
            else:
                likely = logprobs(piece.tokens, ask.logprobs)
                thought = {"thinking": piece.thought} if piece.thought else {}
                yield {**opening(body.model), "response": piece.text, **thought, "done": False, **likely}

    loads = not body.prompt and not body.suffix
    lines = load(server, found, wish.keep_alive, ask.window or 0, {"response": ""}) if loads else told()
    return await respond(lines, stream=body.stream, text="response", headers=ignored_header(wish.options))


def _segments(body: GenerateBody, found: Found) -> tuple[Segment, ...]:
    """Make the prompt. Raises Refused for what does not go together, or with this model."""
    refuse_images(body.images, found.name)
    if body.raw and (body.template or body.system or body.context):
        raise Refused(400, "raw mode does not support template, system, or context")
    if body.context:
        raise Refused(
            400, "context is not supported here; send the conversation to /api/chat", param="context"
        )
    own = body.template or found.spec.template or ""
    if body.suffix and ".Suffix" in own:
        return prompts.templated(own, body.prompt, suffix=body.suffix)
    if body.suffix:
        found.require("insert")
        return prompts.fill_in(body.prompt, body.suffix)
    if body.template:
        return prompts.templated(body.template, body.prompt, body.system or found.spec.system or "")
    return prompts.raw(body.prompt) if body.raw else prompts.prompt(body.prompt, body.system)
