"""How likely given texts are, token by token: what evaluations ask of /v1/completions."""

from __future__ import annotations

from hunkwise.engine import Bundle, Score, Scored
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.openai.bodies import CompletionBody
from hunkwise.reviewer.server.openai.replies import Head, Value, usage
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.streams import answered


async def scored(server: Server, found: Found, body: CompletionBody, texts: list[str], head: Head) -> Value:
    """Score each text from its beginning, all of them in one bundle."""
    if body.stream or body.n > 1 or body.suffix:
        raise Refused(400, "echo with max_tokens 0 goes with neither stream, n nor suffix", param="echo")
    bundle = Bundle((), tuple(Score(str(number), (), text) for number, text in enumerate(texts)))
    async with server.lease(found.name) as lease:
        answers = await answered(lease, bundle)
    choices = [
        {
            "index": index,
            "text": text,
            "logprobs": None if body.logprobs is None else logprobs_of(text, answer, body.logprobs),
            "finish_reason": "length",
        }
        for index, (text, answer) in enumerate(zip(texts, answers, strict=True))
        if isinstance(answer, Scored)
    ]
    tokens = sum(len(answer.tokens) for answer in answers if isinstance(answer, Scored))
    return head.value(choices, usage=usage(tokens, 0))


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
