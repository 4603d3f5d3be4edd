"""POST /v1/completions: raw prompts continued, filled in, or scored token by token."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Segment
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.fitting import Ask
from hunkwise.reviewer.server.inference.prompts import fill_in, raw
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.inference.running import Ending, write
from hunkwise.reviewer.server.openai.asking import ask_for
from hunkwise.reviewer.server.openai.bodies import CompletionBody
from hunkwise.reviewer.server.openai.replies import DONE, Head, Value, left_out, reason, usage, usage_of
from hunkwise.reviewer.server.openai.scoring import Echo, echoes, joined, scored, written_of
from hunkwise.reviewer.server.openai.texts import prompts_of
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import sse


async def completions(server: Server, request: Request) -> Response:
    """Continue raw prompts; with `echo` and no tokens to write, say how likely their own tokens are."""
    body = await read_body(CompletionBody, request)
    found = await find(server, body.model)
    prompts = await prompts_of(server, body.prompt, found)
    head = Head("text_completion", body.model, "cmpl")
    if body.echo and body.max_tokens == 0:
        return JSONResponse(await scored(server, found, body, prompts, head))
    if body.max_tokens == 0:
        raise Refused(400, "max_tokens must be 1 or more, or echo true", param="max_tokens")
    asks = [
        ask_for(server, found, body, _segments(body, found, each.text), body.logprobs) for each in prompts
    ]
    if body.stream:
        if len(asks) > 1 or body.echo:
            raise Refused(400, "a stream answers one prompt, without echo", param="stream")
        return sse(_chunks(server, found, body, asks[0], head))
    before = [Echo()] * len(prompts)
    if body.echo:
        if body.suffix:
            raise Refused(400, "echo does not go with suffix", param="echo")
        before = await echoes(server, found, prompts, body.logprobs)
        asks = [replace(ask, shorten=False) for ask in asks]
    return JSONResponse(await _whole(server, found, asks, before, head))


def _segments(body: CompletionBody, found: Found, text: str) -> tuple[Segment, ...]:
    if not body.suffix:
        return raw(text)
    found.require("insert")
    return fill_in(text, body.suffix)


async def _whole(server: Server, found: Found, asks: list[Ask], before: list[Echo], head: Head) -> Value:
    """Answer the prompts one after the other; `before` each answer stands the prompt where it is to be echoed."""
    choices: list[Value] = []
    prompt = completion = cached = 0
    more: Value = {}
    for ask, echo in zip(asks, before, strict=True):
        async for piece in write(server, found, ask, None):
            if isinstance(piece, Ending):
                for answer in piece.answers:
                    likely = None
                    if ask.logprobs is not None:
                        likely = joined(echo, written_of(answer.tokens, ask.logprobs, len(echo.text)))
                    text = echo.text + answer.text
                    choices.append(choice(len(choices), text, reason(answer), likely))
                prompt, completion = prompt + piece.prompt_tokens, completion + piece.written_tokens
                cached += piece.answers[0].usage.reused
                more |= left_out(piece)
    return head.value(choices, usage=usage(prompt, completion, cached), **more)


async def _chunks(
    server: Server, found: Found, body: CompletionBody, ask: Ask, head: Head
) -> AsyncGenerator[Value | str, None]:
    counted = body.stream_options.include_usage
    nothing: Value = {"usage": None} if counted else {}
    said = [0] * body.n  # characters
    async for piece in write(server, found, ask, None):
        if not isinstance(piece, Ending):
            likely = None
            if ask.logprobs is not None:
                likely = written_of(piece.tokens, ask.logprobs, said[piece.number])
            said[piece.number] += len(piece.text)
            yield head.value([choice(piece.number, piece.text, None, likely)], **nothing)
            continue
        for index, answer in enumerate(piece.answers):
            yield head.value([choice(index, "", reason(answer))], **nothing, **left_out(piece))
        if counted:
            yield head.value([], usage=usage_of(piece))
    yield DONE


def choice(index: int, text: str, ended: str | None, logprobs: Value | None = None) -> Value:
    """Make one choice."""
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": ended}
