"""POST /v1/completions: raw prompts continued, filled in, or scored token by token."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.fitting import Ask
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.inference.running import Written, write
from hunkwise.reviewer.server.openai.asking import ask_for
from hunkwise.reviewer.server.openai.bodies import CompletionBody
from hunkwise.reviewer.server.openai.replies import DONE, Head, Value, left_out, reason, usage, usage_of
from hunkwise.reviewer.server.openai.scoring import scored
from hunkwise.reviewer.server.openai.texts import texts_of
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import sse


async def completions(server: Server, request: Request) -> Response:
    """Continue raw prompts; with `echo` and no tokens to write, say how likely their own tokens are."""
    body = await read_body(CompletionBody, request)
    found = await find(server, body.model)
    texts = texts_of(body.prompt, "prompt")
    head = Head("text_completion", body.model, "cmpl")
    if body.echo and body.max_tokens == 0:
        return JSONResponse(await scored(server, found, body, texts, head))
    if body.echo:
        raise Refused(400, "echo is answered with max_tokens 0 alone, as a scorer asks", param="echo")
    if body.logprobs is not None:
        raise Refused(400, "logprobs: this server gives none of written text yet", param="logprobs")
    if body.max_tokens == 0:
        raise Refused(400, "max_tokens must be 1 or more, or echo true", param="max_tokens")
    asks = [ask_for(server, found, body, _segments(body, found, text)) for text in texts]
    if body.stream:
        if len(asks) > 1:
            raise Refused(400, "a stream answers one prompt", param="prompt")
        return sse(_chunks(server, found, body, asks[0], head))
    return JSONResponse(await _whole(server, found, asks, head))


def _segments(body: CompletionBody, found: Found, text: str) -> tuple[Segment, ...]:
    if not body.suffix:
        return prompts.raw(text)
    found.require("insert")
    return prompts.fill_in(text, body.suffix)


async def _whole(server: Server, found: Found, asks: list[Ask], head: Head) -> Value:
    """Answer the prompts one after the other; the engine has them share what they have in common."""
    choices: list[Value] = []
    prompt = completion = cached = 0
    more: Value = {}
    for ask in asks:
        async for piece in write(server, found.name, ask, None):
            if isinstance(piece, Written):
                for answer in piece.answers:
                    choices.append(choice(len(choices), answer.text, reason(answer)))
                prompt, completion = prompt + piece.prompt_tokens, completion + piece.written_tokens
                cached += piece.answers[0].usage.reused
                more |= left_out(piece)
    return head.value(choices, usage=usage(prompt, completion, cached), **more)


async def _chunks(
    server: Server, found: Found, body: CompletionBody, ask: Ask, head: Head
) -> AsyncGenerator[Value | str, None]:
    counted = body.stream_options.include_usage
    nothing: Value = {"usage": None} if counted else {}
    async for piece in write(server, found.name, ask, None):
        if not isinstance(piece, Written):
            yield head.value([choice(int(piece.id), piece.text, None)], **nothing)
            continue
        for index, answer in enumerate(piece.answers):
            yield head.value([choice(index, "", reason(answer))], **nothing, **left_out(piece))
        if counted:
            yield head.value([], usage=usage_of(piece))
    yield DONE


def choice(index: int, text: str, ended: str | None, logprobs: Value | None = None) -> Value:
    """Make one choice."""
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": ended}
