"""llama.cpp's chain of samplers: penalties, cuts, temperature, and the draw, in its own order and arithmetic."""

from __future__ import annotations

import ctypes
import secrets
import weakref
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.llamacpp.native.context import Row
from hunkwise.engine.llamacpp.native.library import llama
from hunkwise.engine.types import Sampling

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data
_AT_LEAST_ONE = 1  # candidate is kept by every cut


class Sampler:
    """Draws the tokens of one text. Used by one thread at a time."""

    def __init__(
        self, sampling: Sampling, vocabulary: int, context: int, bias: Sequence[tuple[int, float]] = ()
    ) -> None:
        """Make the chain for a vocabulary of so many tokens; penalties of -1 tokens look at all of `context`.

        `bias` adds to the logits of tokens before all else.
        """
        self._chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        weakref.finalize(self, llama.llama_sampler_free, self._chain)
        last = context if sampling.repeat_last_n < 0 else sampling.repeat_last_n
        penalties = (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty)
        seed = secrets.randbelow(2**32 - 1) if sampling.seed is None else sampling.seed
        biases = (llama.llama_logit_bias * len(bias))(*bias)
        for part in (
            llama.llama_sampler_init_logit_bias(vocabulary, len(bias), biases),
            llama.llama_sampler_init_penalties(vocabulary, last, *penalties),
            llama.llama_sampler_init_top_k(sampling.top_k),
            llama.llama_sampler_init_typical(sampling.typical_p, _AT_LEAST_ONE),
            llama.llama_sampler_init_top_p(sampling.top_p, _AT_LEAST_ONE),
            llama.llama_sampler_init_min_p(sampling.min_p, _AT_LEAST_ONE),
            llama.llama_sampler_init_temp(sampling.temperature),
            llama.llama_sampler_init_dist(seed),
        ):
            llama.llama_sampler_chain_add(self._chain, part)

    def draw(self, row: Row, allowed: NDArray[np.bool_] | None) -> int:
        """Draw the next token by its logits, among those allowed if that is given; `accept` it if it is taken."""
        tokens = np.arange(len(row), dtype=np.int32) if allowed is None else np.flatnonzero(allowed)
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["id"], candidates["logit"] = tokens, row[tokens]
        drawn = llama.llama_token_data_array(
            data=candidates.ctypes.data_as(llama.llama_token_data_p),
            size=len(tokens),
            selected=-1,
            sorted=False,
        )
        llama.llama_sampler_apply(self._chain, ctypes.byref(drawn))
        if not 0 <= drawn.selected < drawn.size:
            raise NativeFailure("llama.cpp's samplers chose no token")
        return int(drawn.data[drawn.selected].id)

    def accept(self, token: int) -> None:
        """Take a token into the text, for the penalties."""
        llama.llama_sampler_accept(self._chain, token)
