"""`Backend`: what one kind of server can do for one question; and the messages that a bundle becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hunkwise.engine.errors import InvalidQuestion, NativeFailure
from hunkwise.engine.http.backends.tokens import defused
from hunkwise.engine.port import EngineCard
from hunkwise.engine.types import (
    Choose,
    Embed,
    Embedding,
    Finish,
    Generate,
    Generated,
    Sampling,
    Score,
    Scored,
    Segment,
    Usage,
)

Prompt = tuple[Segment, ...]
Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears a text as it comes, and says when nobody waits for it any more."""

    hear: Callable[[str], None] = lambda text: None
    stopped: Callable[[], bool] = lambda: False


class Backend(Protocol):
    """One kind of server. Each method raises EngineError; what the card does not name is never asked for."""

    def card(self) -> EngineCard:
        """Describe what answers: found out when it was connected to."""
        ...

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Give the log-probability of each whole option."""
        ...

    def score(self, prompt: Prompt, question: Score) -> Scored:
        """Give the log-probability of each token of the text."""
        ...

    def generate(self, prompt: Prompt, question: Generate, listener: Listener) -> Generated:
        """Write a text."""
        ...

    def embed(self, question: Embed) -> Embedding:
        """Turn a text into a vector."""
        ...

    def count(self, prompts: tuple[Prompt, ...]) -> tuple[int, ...]:
        """Count the tokens of whole prompts; where the server can't, no fewer than they are."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class Unable:
    """Answers for a backend what it can't do."""

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Refuse."""
        raise InvalidQuestion(f"question {question.id!r}: this server can't choose between given words")

    def score(self, prompt: Prompt, question: Score) -> Scored:
        """Refuse."""
        raise InvalidQuestion(
            f"question {question.id!r}: this server does not tell how likely a given text is"
        )


def is_raw(prompt: Prompt) -> bool:
    """Tell whether the prompt bypasses the chat template."""
    return any(segment.role == "raw" for segment in prompt)


def raw_text(prompt: Prompt) -> str:
    """Join a raw prompt. Raises InvalidQuestion for a marker: only a model's own engine knows its tokens."""
    if any(segment.marker for segment in prompt):
        raise InvalidQuestion(
            "fill-in-the-middle markers can't be sent to a server; give it the prompt as text"
        )
    return "".join(defused(segment.text) for segment in prompt)


def messages(prompt: Prompt) -> list[Message]:
    """Join neighbours of one role into messages; what a server would read as a special token is broken."""
    made: list[Message] = []
    for segment in prompt:
        if made and made[-1]["role"] == segment.role:
            made[-1]["content"] += segment.text
        else:
            made.append({"role": segment.role, "content": segment.text})
    return [{**message, "content": defused(message["content"])} for message in made]


def sampling(given: Sampling) -> dict[str, Any]:
    """Name how tokens are drawn, in the words that OpenAI, vLLM, SGLang and llama-server share."""
    body: dict[str, Any] = {"temperature": given.temperature}
    optional = {
        "top_k": (given.top_k, 0),
        "top_p": (given.top_p, 1.0),
        "min_p": (given.min_p, 0.0),
        "repetition_penalty": (given.repeat_penalty, 1.0),
        "presence_penalty": (given.presence_penalty, 0.0),
        "frequency_penalty": (given.frequency_penalty, 0.0),
        "seed": (given.seed, None),
    }
    return body | {name: value for name, (value, default) in optional.items() if value != default}


def finish_of(question: Generate, text: str, reason: object) -> Finish:
    """Read why a text ended; one that kept to a schema and ended by itself is complete."""
    if reason == "length":
        return "length"
    if question.schema is not None:
        import json

        try:
            json.loads(text)
        except (ValueError, RecursionError):
            raise NativeFailure(
                f"question {question.id!r}: the server did not keep to the schema it was given"
            ) from None
        return "schema"
    return "stop"


def number(value: object, what: str) -> int:
    """Check a count that a server sent. Raises NativeFailure."""
    if type(value) is not int or value < 0:
        raise NativeFailure(f"the server sent no number as {what}")
    return value


def part(value: object, *path: str | int) -> Any:
    """Walk into what a server sent. Raises NativeFailure where it is not as it should be."""
    here: Any = value
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            where = ".".join(map(str, path))
            raise NativeFailure(f"the server's answer has no {where}") from None
    return here


def usage_of(value: object) -> Usage:
    """Read OpenAI's form of usage; what was read from the prefix cache counts as reused."""
    given: Mapping[str, Any] = value if isinstance(value, dict) else {}
    details = given.get("prompt_tokens_details") or {}
    asked, written = given.get("prompt_tokens"), given.get("completion_tokens")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    reused = cached if type(cached) is int else 0
    prompt = asked if type(asked) is int else 0
    return Usage(max(0, prompt - reused), reused, 0, written if type(written) is int else 0)
