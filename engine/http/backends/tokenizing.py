"""`TokenizingBackend`: what a server has beyond OpenAI's API that counts tokens by its own tokenizer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.http.backends.backend import Prompt, number, part
from hunkwise.engine.http.backends.openai import ABLE, OpenAIBackend
from hunkwise.engine.port import Capability

Tokens = list[int]
KEPT = 256  # prompts whose tokens are remembered: each is counted before it is asked


class TokenizingBackend(OpenAIBackend):
    """Counts exactly, and asks for the tokens of a prompt once."""

    able: tuple[Capability, ...] = (*ABLE, Capability.TOKENIZE)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._known = lru_cache(KEPT)(self.tokenized)

    @abstractmethod
    def tokenized(self, prompt: Prompt) -> Tokens:
        """Ask for the tokens of a prompt. Raises EngineError."""

    def ids(self, prompt: Prompt) -> Tokens:
        """Tokenize a prompt."""
        return self._known(prompt)

    def count(self, prompts: Sequence[Prompt]) -> tuple[int, ...]:
        """Count by the server's own tokenizer."""
        return tuple(len(self.ids(prompt)) for prompt in prompts)


def numbers(answer: object) -> Tokens:
    """Read tokens. Raises NativeFailure."""
    tokens = part(answer, "tokens")
    if not isinstance(tokens, list):
        raise NativeFailure("the server sent no list of tokens")
    return [number(each, "a token") for each in tokens]
