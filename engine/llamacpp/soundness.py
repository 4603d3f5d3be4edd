"""Is a model that was loaded one that can be asked? Weights of zeros, NaN, or for another vocabulary are not.

llama.cpp loads whatever has the right shape. Such a model answers every question, and a review by it finds
nothing.
"""

from __future__ import annotations

import math

import numpy as np

from hunkwise.engine.errors import NativeFailure, UnusableModel
from hunkwise.engine.llamacpp.native import Batch, Context, log_probabilities
from hunkwise.engine.llamacpp.vocab import Vocab, join

# plain code, which whatever has read some foresees; how well does not matter; each token is time that a load takes
_TEXT = "def add(first, second):\n    return first + second\n"
_BETTER = 1.0  # nats a token by which a model must beat chance; those in the catalogue beat it by eight


def check_vectors(context: Context, vocab: Vocab) -> None:
    """Have a fresh context embed a little code. Raises UnusableModel where its tokens are all alike."""
    tokens = vocab.whole(_TEXT)[: min(context.batch, context.outputs, context.cells)]
    batch = Batch(context.batch)
    batch.add(tokens, 0, 0, len(tokens))
    try:
        alike = not np.ptp(context.embed(batch), axis=0).any()
    except NativeFailure as error:
        raise UnusableModel(str(error)) from error
    _forget(context)
    if alike:
        raise UnusableModel(
            f"{context.model.name} has the same vector for every token: its weights are empty or damaged; choose "
            "another file of the model"
        )


def _forget(context: Context) -> None:
    context.clear()
    context.decode_calls, context.decode_seconds = 0, 0.0


def check_sound(context: Context, vocab: Vocab) -> None:
    """Have a fresh context read a little code, and leave it as it was.

    Raises UnusableModel where the model foresees that no better than chance.
    """
    tokens = join([vocab.start(), vocab.tokenize(_TEXT)])[: context.cells]
    batch, step = Batch(context.batch), min(context.outputs, context.batch)
    total = 0.0
    try:
        for start in range(0, len(tokens), step):
            some = tokens[start : start + step]
            batch.clear()
            batch.add(some, start, 0, len(some))
            following = tokens[start + 1 : start + 1 + step].tolist()
            rows = context.decode(batch)[: len(following)]
            total += sum(
                log_probabilities(row, [token])[0] for row, token in zip(rows, following, strict=True)
            )
    except NativeFailure as error:
        raise UnusableModel(str(error)) from error
    _forget(context)
    mean, chance = total / max(len(tokens) - 1, 1), -math.log(vocab.size)
    if mean < chance + _BETTER:
        raise UnusableModel(
            f"{context.model.name} foresees plain code no better than chance ({mean:.1f} nats a token, chance is "
            f"{chance:.1f}): its weights are damaged, untrained or for another vocabulary, or the device computes "
            "wrongly; choose another file of the model"
        )
