"""How likely given texts are, token by token: what evaluations ask of /v1/completions."""

from __future__ import annotations

from dataclasses import dataclass

from hunkwise.engine import Bundle, Score, Scored, Written
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.running import ask_all
from hunkwise.reviewer.server.openai.bodies import CompletionBody
from hunkwise.reviewer.server.openai.replies import Head, Value, usage
from hunkwise.reviewer.server.openai.texts import Prompt
from hunkwise.reviewer.server.state import Server


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt that is repeated before what was written, with how likely it is where that was asked for."""

    text: str = ""
    logprobs: Value | None = None
    tokens: int = 0


async def echoes(server: Server, found: Found, prompts: list[Prompt], wanted: int | None) -> list[Echo]:
    """Score each text from its beginning, all of them in one bundle; nothing is scored where nobody asked."""
    if wanted is None:
        return [Echo(each.text) for each in prompts]
    bundle = Bundle((), tuple(Score(str(number), (), each.text) for number, each in enumerate(prompts)))
    answers = await ask_all(server, found, lambda _: bundle)
    told = []
    for each, answer in zip(prompts, answers, strict=True):
        assert isinstance(answer, Scored)
        each.check(len(answer.tokens))
        told.append(Echo(each.text, logprobs_of(each.text, answer, wanted), len(answer.tokens)))
    return told


async def scored(
    server: Server, found: Found, body: CompletionBody, prompts: list[Prompt], head: Head
) -> Value:
    """Say how likely texts are, and write nothing."""
    if body.stream or body.n > 1 or body.suffix:
        raise Refused(400, "echo with max_tokens 0 goes with neither stream, n nor suffix", param="echo")
    told = await echoes(server, found, prompts, body.logprobs)
    choices = [
        {"index": index, "text": each.text, "logprobs": each.logprobs, "finish_reason": "length"}
        for index, each in enumerate(told)
    ]
    return head.value(choices, usage=usage(sum(each.tokens for each in told), 0))


def logprobs_of(text: str, answer: Scored, wanted: int) -> Value:
    """Write scores as OpenAI does: the first token follows nothing and has none.

    Offsets count characters. Of other tokens than the given one there is the favourite, where that is another.
    """
    encoded = text.encode("utf-8", "replace")
    offsets = [len(encoded[: token.start].decode("utf-8", "ignore")) for token in answer.tokens]
    rest = answer.tokens[1:]
    top = [{token.favourite: token.favourite_logprob, token.text: token.logprob} for token in rest]
    return {
        "tokens": [token.text for token in answer.tokens],
        "token_logprobs": [None, *(token.logprob for token in rest)],
        "top_logprobs": [None, *top] if wanted else None,
        "text_offset": offsets,
    }


def written_of(tokens: tuple[Written, ...], wanted: int, begin: int) -> Value:
    """Write the tokens of an answer as OpenAI does; the answer begins `begin` characters into the text."""
    offsets, at = [], begin
    for token in tokens:
        offsets.append(at)
        at += len(token.text)
    top = [{each.text: each.logprob for each in token.alternatives} for token in tokens]
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": top if wanted else None,
        "text_offset": offsets,
    }


def joined(echo: Echo, written: Value) -> Value:
    """Put what is said of a prompt before what is said of the answer."""
    if echo.logprobs is None:
        return written
    return {
        name: None if value is None else [*echo.logprobs[name], *value] for name, value in written.items()
    }
