"""`VllmBackend`: vLLM, which scores by `prompt_logprobs` of its completions.

A request with them skips the server's prefix cache, so each continuation costs its whole prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.http.backends.backend import part
from hunkwise.engine.http.backends.scoring import Likelihoods, ScoringBackend
from hunkwise.engine.http.backends.tokenizing import Tokens
from hunkwise.engine.types import Generate, Usage


class VllmBackend(ScoringBackend):
    """Speaks to vLLM 0.10 and later."""

    name = "vllm"

    def likelihoods(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[Likelihoods]:
        """Send all continuations as one batch of prompts."""
        body = {
            "model": self.model,
            "prompt": [prompt + each for each in continuations],
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 1,
        }
        answer = self.client.post("/v1/completions", body)
        choices = {part(choice, "index"): choice for choice in part(answer, "choices")}
        return [
            _read(part(choices, n, "prompt_logprobs"), len(prompt), each)
            for n, each in enumerate(continuations)
        ]

    def constraint(self, question: Generate) -> dict[str, Any]:
        """Name a pattern too."""
        if question.pattern is not None:
            return {"structured_outputs": {"regex": question.pattern}}
        return super().constraint(question)


def _read(positions: object, start: int, tokens: Tokens) -> Likelihoods:
    """Read one prompt's positions; each maps token numbers, as text, to their log-probability."""
    if not isinstance(positions, list) or len(positions) < start + len(tokens):
        raise NativeFailure("the server left out positions of the text that was scored")
    own, favourite = [], []
    for place, token in zip(positions[start:], tokens, strict=False):
        values = {key: part(value, "logprob") for key, value in (place or {}).items()}
        if str(token) not in values or any(type(value) not in (int, float) for value in values.values()):
            raise NativeFailure("the server left out the text's own tokens; it scores something else")
        own.append(float(values[str(token)]))
        favourite.append(float(max(values.values())))
    return Likelihoods(own, favourite, Usage(prefilled=start + len(tokens)))
