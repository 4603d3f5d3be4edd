"""What one question makes the model compute, and how its answer is read from what comes out.

A `Work` names the tokens to compute next and takes the rows it asked for, one by one. It knows nothing of
sequences, batches or other questions. Its first tokens are what the question adds to the shared prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hunkwise.engine.llamacpp.decoding.port import Row, Tokens
from hunkwise.engine.types import Answer, Usage

Feed = tuple[Tokens, int]  # tokens to compute, and for how many of the last of them rows are wanted
NOTHING: Feed = (np.empty(0, np.int32), 0)


class Work(Protocol):
    """One question's computation; `cells` is the most the KV cache must hold for it beyond the prefix.

    Its rows are logits, or with `vectors` the vectors of tokens.
    """

    cells: int
    vectors: bool

    def next(self) -> Feed:
        """Return what to compute next; nothing when finished."""
        ...

    def foresee(self) -> None:
        """Do what needs no logits before `take` does; called in another thread, during `llama_decode`."""
        ...

    def take(self, row: Row) -> None:
        """Read the row of one of the wanted tokens, in order; the row is only lent."""
        ...

    def branches(self) -> Sequence[Work]:
        """Return works to run on forks of this sequence before `next` is asked again."""
        ...

    def answer(self, usage: Usage) -> Answer:
        """Return the finished answer; `usage` counts what the runner knows: prompt tokens."""
        ...
