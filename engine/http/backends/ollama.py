"""`OllamaBackend`: Ollama, which writes; its answer is refused where it would have cut the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hunkwise.engine.errors import InvalidQuestion, NativeFailure
from hunkwise.engine.http.backends.backend import (
    Listener,
    Prompt,
    finish_of,
    is_raw,
    messages,
    part,
    raw_text,
)
from hunkwise.engine.http.backends.openai import ABLE, OpenAIBackend, by_first_token, embedding, guess
from hunkwise.engine.types import Choose, Embed, Embedding, Generate, Generated, Sampling, Usage

LISTED = 20  # most alternatives of one token that Ollama gives
MOST_CONTEXT = 32_768  # tokens that are asked for, whatever the model could hold


class OllamaBackend(OpenAIBackend):
    """Speaks Ollama's own API: its OpenAI layer has no context length, and drops log-probabilities."""

    name = "ollama"
    able = ABLE

    def generate(self, prompt: Prompt, question: Generate, listener: Listener) -> Generated:
        """Write, and tell each piece as it comes."""
        if question.pattern is not None:
            raise InvalidQuestion(f"question {question.id!r}: this server keeps to schemas, not to patterns")
        if question.bias:
            raise InvalidQuestion(f"question {question.id!r}: this server takes no bias for tokens")
        body = self._body(prompt, question.max_tokens, question.sampling, question.stop)
        if question.schema is not None:
            body["format"] = dict(question.schema)
        text, reason, usage = "", None, Usage()
        for line in self.client.lines(self._path(prompt), body, listener.stopped):
            event = self.client.parse(line)
            if isinstance(event, dict) and "error" in event:
                raise NativeFailure(f"{self.client.host} broke off: {event['error']}")
            piece = event.get("response") if is_raw(prompt) else (event.get("message") or {}).get("content")
            if isinstance(piece, str) and piece:
                text += piece
                listener.hear(piece)
            if event.get("done"):
                reason, usage = event.get("done_reason", "stop"), _usage(event)
        if reason is None and not listener.stopped():
            raise NativeFailure(f"{self.client.host} broke off in the middle of a text")
        return Generated(question.id, text, finish_of(question, text, reason), usage)

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Read the alternatives of the first token."""
        body = self._body(prompt, 1, Sampling(), ())
        body |= {"stream": False, "logprobs": True, "top_logprobs": LISTED}
        answer = self.client.post(self._path(prompt), body)
        listed = part(answer, "logprobs", 0, "top_logprobs")
        return by_first_token(question, listed), _usage(answer)

    def embed(self, question: Embed) -> Embedding:
        """Turn a text into a vector; one that is too long is refused, not cut."""
        body = {"model": self.model, "input": [question.text], "truncate": False}
        answer = self.client.post("/api/embed", body)
        return embedding(question, part(answer, "embeddings", 0), _usage(answer))

    def count(self, prompts: Sequence[Prompt]) -> tuple[int, ...]:
        """Guess by bytes, and rather too many: Ollama counts nothing beforehand."""
        return tuple(guess(prompt) for prompt in prompts)

    def _path(self, prompt: Prompt) -> str:
        return "/api/generate" if is_raw(prompt) else "/api/chat"

    def _body(self, prompt: Prompt, most: int, drawn: Sampling, stop: tuple[str, ...]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "stream": True,
            "truncate": False,
            "shift": False,
            "think": False,
        }
        if is_raw(prompt):
            body |= {"prompt": raw_text(prompt), "raw": True}
        else:
            body["messages"] = messages(prompt)
        options: dict[str, Any] = {
            "num_ctx": self._card.context,
            "num_predict": most,
            "temperature": drawn.temperature,
            "top_k": drawn.top_k,
            "top_p": drawn.top_p,
            "min_p": drawn.min_p,
            "repeat_penalty": drawn.repeat_penalty,
            "repeat_last_n": drawn.repeat_last_n,
            "presence_penalty": drawn.presence_penalty,
            "frequency_penalty": drawn.frequency_penalty,
        }
        if drawn.seed is not None:
            options["seed"] = drawn.seed
        if stop:
            options["stop"] = list(stop)
        return body | {"options": options}


def _usage(event: dict[str, Any]) -> Usage:
    asked, written = event.get("prompt_eval_count", 0), event.get("eval_count", 0)
    return Usage(prefilled=asked if type(asked) is int else 0, sampled=written if type(written) is int else 0)
