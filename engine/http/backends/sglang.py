"""`SglangBackend`: SGLang, which scores by its own `/generate`, over its prefix cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.http.backends.backend import part
from hunkwise.engine.http.backends.scoring import Likelihoods, ScoringBackend
from hunkwise.engine.http.backends.tokenizing import Tokens
from hunkwise.engine.types import Generate, Usage


class SglangBackend(ScoringBackend):
    """Speaks to SGLang 0.5 and later."""

    name = "sglang"
    tokenize = "/v1/tokenize"

    def likelihoods(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[Likelihoods]:
        """Send all continuations as one batch; log-probabilities begin with the prompt's last token.

        The first of several goes alone: it fills the prefix cache for the others.
        """
        batches = [continuations[:1], continuations[1:]] if len(continuations) > 1 else [continuations]
        found: list[Likelihoods] = []
        for batch in batches:
            body = {
                "input_ids": [prompt + each for each in batch],
                "sampling_params": {"max_new_tokens": 1, "temperature": 0},
                "return_logprob": True,
                "logprob_start_len": max(0, len(prompt) - 1),
                "top_logprobs_num": 1,
            }
            answers = self.client.post("/generate", body)
            found += [_read(part(answers, n, "meta_info"), each) for n, each in enumerate(batch)]
        return found

    def constraint(self, question: Generate) -> dict[str, Any]:
        """Name a pattern too."""
        return {"regex": question.pattern} if question.pattern is not None else super().constraint(question)


def _read(meta: object, tokens: Tokens) -> Likelihoods:
    """Read the last positions of one input: [log-probability, token, …], and the likeliest of each place."""
    own, top = part(meta, "input_token_logprobs"), part(meta, "input_top_logprobs")
    if not isinstance(own, list) or not isinstance(top, list) or min(len(own), len(top)) < len(tokens):
        raise NativeFailure("the server left out positions of the text that was scored")
    mine, favourite = [], []
    for place, best, token in zip(own[-len(tokens) :], top[-len(tokens) :], tokens, strict=True):
        value, said, likeliest = part(place, 0), part(place, 1), part(best, 0, 0)
        if said != token or type(value) not in (int, float) or type(likeliest) not in (int, float):
            raise NativeFailure("the server left out the text's own tokens; it scores something else")
        mine.append(float(value))
        favourite.append(float(likeliest))
    asked, cached = part(meta, "prompt_tokens"), meta.get("cached_tokens", 0) if isinstance(meta, dict) else 0
    reused = cached if type(cached) is int else 0
    return Likelihoods(mine, favourite, Usage(max(0, asked - reused) if type(asked) is int else 0, reused))
