"""One vector of a text: the vectors of its tokens, pooled as llama.cpp does it in its own graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.decoding.port import Row, Tokens
from hunkwise.engine.llamacpp.decoding.works.work import NOTHING, Feed, Work
from hunkwise.engine.types import Answer, Embed, Embedding, Pooling, Usage


class Embedder:
    """Pool the vectors of a text's tokens, each as it comes; `pooling` is the model's own way.

    The context is the one that texts are written with, switched for a batch: a second one would take as much
    memory again, and llama.cpp's own pooling would need one for each way.
    """

    vectors = True

    def __init__(self, question: Embed, tokens: Tokens, pooling: Pooling | None) -> None:
        if not len(tokens):
            raise InvalidQuestion(f"question {question.id!r} embeds a text without tokens")
        self._question = question
        self._pooling: Pooling = question.pooling or pooling or "mean"
        self.cells = len(tokens)
        self._feed: Feed = (tokens, len(tokens))
        self._seen = 0
        self._pooled: NDArray[np.float64] = np.empty(0)

    def next(self) -> Feed:
        """Compute the text in one go."""
        feed, self._feed = self._feed, NOTHING
        return feed

    def foresee(self) -> None:
        """Need nothing."""

    def take(self, row: Row) -> None:
        """Pool the next token's vector."""
        if not self._seen or self._pooling == "last":
            self._pooled = row.astype(np.float64)
        elif self._pooling == "mean":
            self._pooled += row
        self._seen += 1

    def branches(self) -> Sequence[Work]:
        """Have none."""
        return ()

    def answer(self, usage: Usage) -> Answer:
        """Return the vector; one of zeros has no length to change."""
        vector = self._pooled / (self._seen if self._pooling == "mean" else 1)
        length = float(np.linalg.norm(vector))
        if self._question.normalised and length:
            vector /= length
        return Embedding(self._question.id, tuple(vector.astype(np.float32).tolist()), usage)
