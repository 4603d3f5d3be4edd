"""POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Written
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference import prompts
from hunkwise.reviewer.server.inference.finding import Found, find
from hunkwise.reviewer.server.inference.fitting import Ask
from hunkwise.reviewer.server.inference.reading import read_body
from hunkwise.reviewer.server.inference.running import Ending, entries, write
from hunkwise.reviewer.server.inference.thinking import wanted
from hunkwise.reviewer.server.inference.tools import calls_in
from hunkwise.reviewer.server.openai.asking import MOST_ALTERNATIVES, ask_for
from hunkwise.reviewer.server.openai.bodies import ChatBody, schema_of
from hunkwise.reviewer.server.openai.replies import DONE, Head, Value, left_out, reason, usage_of
from hunkwise.reviewer.server.openai.tools import called, has_tools, names_in, schema_of_choice, with_tools
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import sse


async def chat(server: Server, request: Request) -> Response:
    """Say the next message of a chat."""
    body = await read_body(ChatBody, request)
    found = await find(server, body.model)
    if not 0 <= body.top_logprobs <= MOST_ALTERNATIVES or (body.top_logprobs and not body.logprobs):
        raise Refused(400, f"top_logprobs must be between 0 and {MOST_ALTERNATIVES}, beside logprobs true")
    alternatives = body.top_logprobs if body.logprobs else None
    if not body.messages:
        raise Refused(400, "messages must hold at least one message", param="messages")
    names, schema = names_in(body), schema_of(body.response_format)
    tools = has_tools(body)
    if tools:
        found.require("tools")
        schema = schema_of_choice(body) or schema
    param = "reasoning_effort" if body.reasoning_effort else "enable_thinking"
    think = wanted(found, body.think, constrained=schema is not None, param=param)
    thinks = bool(think) and body.messages[-1].role != "assistant"
    if tools or thinks:
        messages = await with_tools(body, found, think)
    else:
        messages = prompts.chat(((each.role, each.text) for each in body.messages), found.spec)
    ask = ask_for(server, found, body, messages, alternatives)
    ask = replace(ask, shorten=not (tools or thinks), schema=schema, thinks=thinks)
    head = Head("chat.completion", body.model, "chatcmpl")
    if body.stream:
        return sse(_chunks(server, found, body, ask, head, names))
    texts, thoughts = [""] * body.n, [""] * body.n
    async for piece in write(server, found, ask, None):
        if isinstance(piece, Ending):
            return JSONResponse(_whole(piece, texts, thoughts, head, names))
        texts[piece.number] += piece.text
        thoughts[piece.number] += piece.thought
    raise AssertionError("a run ends with what was written")


def _likely(tokens: tuple[Written, ...]) -> Value | None:
    """Say how likely tokens were; nothing where nobody asked."""
    return {"content": entries(tokens, alternatives=True), "refusal": None} if tokens else None


def _whole(written: Ending, texts: list[str], thoughts: list[str], head: Head, names: Sequence[str]) -> Value:
    choices = []
    for number, answer in enumerate(written.answers):
        text, calls = calls_in(texts[number], names)
        message: Value = {"role": "assistant", "content": text or None if calls else text, "refusal": None}
        if thoughts[number]:
            message["reasoning_content"] = thoughts[number]
        if calls:
            message["tool_calls"] = called(calls, numbered=False)
        ended = "tool_calls" if calls else reason(answer)
        choices.append(
            {"index": number, "message": message, "logprobs": _likely(answer.tokens), "finish_reason": ended}
        )
    return head.value(choices, usage=usage_of(written), **left_out(written))


async def _chunks(
    server: Server, found: Found, body: ChatBody, ask: Ask, head: Head, names: Sequence[str]
) -> AsyncGenerator[Value | str, None]:
    """Tell the role first, then the text, why it ended, and the usage for those who ask for it.

    With tools a text comes whole, for it may be a call.
    """
    counted = body.stream_options.include_usage
    nothing = {"usage": None} if counted else {}

    def chunk(index: int, delta: Value, ended: str | None = None, tokens: tuple[Written, ...] = ()) -> Value:
        choice = {"index": index, "delta": delta, "logprobs": _likely(tokens), "finish_reason": ended}
        return head.value([choice], chunk=True, **nothing)

    begun, held = False, [""] * body.n
    async for piece in write(server, found, ask, None):
        for index in range(0 if begun else body.n):
            yield chunk(index, {"role": "assistant", "content": ""})
        begun = True
        if not isinstance(piece, Ending):
            thought = {"reasoning_content": piece.thought} if piece.thought else {}
            said = {} if names or (thought and not piece.text) else {"content": piece.text}
            held[piece.number] += piece.text if names else ""
            if thought or said:
                yield chunk(piece.number, {**thought, **said}, tokens=() if names else piece.tokens)
            continue
        for index, answer in enumerate(piece.answers):
            text, calls = calls_in(held[index], names)
            if text:
                yield chunk(index, {"content": text}, tokens=answer.tokens)
            if calls:
                yield chunk(index, {"tool_calls": called(calls, numbered=True)})
            yield chunk(index, {}, "tool_calls" if calls else reason(answer)) | left_out(piece)
        if counted:
            yield head.value([], chunk=True, usage=usage_of(piece))
    yield DONE
