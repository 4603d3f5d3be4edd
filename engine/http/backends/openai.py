"""`OpenAIBackend`: what every server of OpenAI's API can do, which is to write; others add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, hypot, isfinite, log
from typing import Any

from hunkwise.engine.errors import InvalidQuestion, NativeFailure
from hunkwise.engine.http.backends.backend import (
    Listener,
    Prompt,
    Unable,
    finish_of,
    is_raw,
    messages,
    part,
    raw_text,
    sampling,
    usage_of,
)
from hunkwise.engine.http.client import Client
from hunkwise.engine.port import Capability, EngineCard, Served
from hunkwise.engine.types import Choose, Embed, Embedding, Generate, Generated, Sampling, Usage

ABLE = (
    Capability.CHOOSE,
    Capability.GENERATE,
    Capability.SCHEMA,
    Capability.STREAM,
    Capability.EMBED,
)
CONTEXT = 8192  # tokens, where a server does not say
LISTED = 20  # most alternatives of one token that this API gives
_BYTES_A_TOKEN = 2  # code has three and more; what a server can't count is better taken for too long


class OpenAIBackend(Unable):
    """Writes by `/v1/chat/completions`; chooses by the likeliest first tokens, as far as they are listed.

    An option that is not among the twenty likeliest beginnings counts as likely as the last of them; two options
    that begin with the same token can't be told apart, and are refused.
    """

    name = "openai"
    able: tuple[Capability, ...] = ABLE

    def __init__(
        self, client: Client, model: str, *, context: int = 0, build: str = "", revision: str = ""
    ) -> None:
        self.client, self.model = client, model
        served = Served(client.url, model, revision)
        self._card = EngineCard(model, served, build or self.name, context or CONTEXT, {}, self.able)

    def card(self) -> EngineCard:
        """Describe the served model."""
        return self._card

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def generate(self, prompt: Prompt, question: Generate, listener: Listener) -> Generated:
        """Write, and tell each piece as it comes."""
        raw = is_raw(prompt)
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": question.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.drawn(question.sampling),
            **self.constraint(question),
        }
        if question.stop:
            body["stop"] = list(question.stop)
        if question.bias:
            body["logit_bias"] = {str(token): added for token, added in question.bias}
        if raw:
            path, body["prompt"] = "/v1/completions", raw_text(prompt)
        else:
            path, body["messages"] = "/v1/chat/completions", messages(prompt)
            body |= self.continued(prompt)
        text, reason, usage = "", None, Usage()
        for event in self.client.events(path, body, listener.stopped):
            if isinstance(event, dict) and event.get("error"):
                raise NativeFailure(f"{self.client.host} broke off: {event['error']}")
            if isinstance(event, dict) and event.get("usage"):
                usage = usage_of(event["usage"])
            for choice in part(event, "choices") or []:
                piece = choice.get("text") if raw else (choice.get("delta") or {}).get("content")
                if isinstance(piece, str) and piece:
                    text += piece
                    listener.hear(piece)
                reason = choice.get("finish_reason") or reason
        if reason is None and not listener.stopped():
            raise NativeFailure(f"{self.client.host} broke off in the middle of a text")
        return Generated(question.id, text, finish_of(question, text, reason), usage)

    def drawn(self, given: Sampling) -> dict[str, Any]:
        """Name how tokens are drawn."""
        return sampling(given)

    def constraint(self, question: Generate) -> dict[str, Any]:
        """Name what the text must keep to. Raises InvalidQuestion for what this API has no word for."""
        if question.pattern is not None:
            raise InvalidQuestion(f"question {question.id!r}: this server keeps to schemas, not to patterns")
        if question.schema is None:
            return {}
        schema = {"name": "answer", "strict": True, "schema": dict(question.schema)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def continued(self, prompt: Prompt) -> dict[str, Any]:
        """Say that the last message is to be gone on with. Raises InvalidQuestion: this API has no word for it."""
        if prompt[-1].role == "assistant":
            raise InvalidQuestion("this server can't go on with a message that was begun for it")
        return {}

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Read the alternatives of the first token."""
        if is_raw(prompt):
            raise InvalidQuestion(f"question {question.id!r}: this server chooses in chats alone")
        body = {
            "model": self.model,
            "messages": messages(prompt),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": LISTED,
            **self.continued(prompt),
        }
        answer = self.client.post("/v1/chat/completions", body)
        listed = part(answer, "choices", 0, "logprobs", "content", 0, "top_logprobs")
        return by_first_token(question, listed), usage_of(answer.get("usage"))

    def embed(self, question: Embed) -> Embedding:
        """Turn a text into a vector, by the server's own pooling."""
        answer = self.client.post("/v1/embeddings", {"model": self.model, "input": [question.text]})
        return embedding(question, part(answer, "data", 0, "embedding"), usage_of(answer.get("usage")))

    def count(self, prompts: Sequence[Prompt]) -> tuple[int, ...]:
        """Guess by bytes, and rather too many: this API counts nothing beforehand."""
        return tuple(guess(prompt) for prompt in prompts)


def embedding(question: Embed, value: object, usage: Usage) -> Embedding:
    """Check a vector, and give it the length 1 where that is asked for. Raises EngineError."""
    if question.pooling is not None:
        raise InvalidQuestion(f"question {question.id!r}: this server has a pooling of its own")
    if not isinstance(value, list) or not value or any(type(each) not in (int, float) for each in value):
        raise NativeFailure("the server sent no vector")
    length = hypot(*value) if question.normalised else 1.0
    if not isfinite(length) or not length:
        raise NativeFailure("the server sent a vector without a length")
    return Embedding(question.id, tuple(float(each) / length for each in value), usage)


def guess(prompt: Prompt) -> int:
    """Take a prompt for longer than it is likely to be."""
    text = sum(len(segment.text.encode("utf-8", "replace")) for segment in prompt)
    return text // _BYTES_A_TOKEN + 8 * (len(prompt) + 1)


def by_first_token(question: Choose, listed: object) -> tuple[float, ...]:
    """Give each option the log-probability of its beginning among the listed tokens.

    Raises InvalidQuestion where options begin alike, NativeFailure where none is listed.
    """
    shares = [0.0] * len(question.options)
    lowest = 1.0
    for entry in listed if isinstance(listed, list) else []:
        token, logprob = part(entry, "token"), part(entry, "logprob")
        if not isinstance(token, str) or type(logprob) not in (int, float):
            raise NativeFailure("the server sent what is no list of tokens with their log-probabilities")
        share = exp(min(0.0, logprob))
        lowest = min(lowest, share)
        begun = [n for n, option in enumerate(question.options) if _begins(option, token)]
        if len(begun) > 1:
            raise InvalidQuestion(
                f"question {question.id!r}: {token!r} begins several options, so none is told apart"
            )
        for n in begun:
            shares[n] += share
    if not any(shares):
        raise NativeFailure(f"question {question.id!r}: none of the options is among the likeliest words")
    return tuple(min(0.0, log(max(share, min(lowest, 1.0), 1e-30))) for share in shares)


def _begins(option: str, token: str) -> bool:
    word = token.strip()
    return bool(word) and option.strip().startswith(word)


def models(client: Client) -> list[Mapping[str, Any]]:
    """List what `/v1/models` names; nothing where there is no such path."""
    found = client.offers("/v1/models")
    data = found.get("data") if found else None
    return (
        [each for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)]
        if isinstance(data, list)
        else []
    )
