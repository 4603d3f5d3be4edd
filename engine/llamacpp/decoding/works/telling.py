"""Telling a text while it is written."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

from hunkwise.engine.types import Piece, Written

Ended = tuple[int, Written]  # a token, and where it ends in the text, in bytes


class Teller:
    """Tells what of a growing text is sure: whole characters, and nothing that a stop may still take back.

    `held` is how many bytes at its end may be the beginning of a stop.
    """

    def __init__(self, tell: Callable[[Piece], None], held: int) -> None:
        self._tell, self._held = tell, held
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._told = 0  # bytes
        self._passed = 0  # tokens

    def __call__(self, text: bytearray, tokens: Sequence[Ended] = (), *, last: bool = False) -> None:
        """Tell what is new in `text`, with those of its tokens that end there; the `last` time all of it."""
        end = len(text) if last else max(self._told, len(text) - self._held)
        piece = self._decoder.decode(bytes(text[self._told : end]), last)
        self._told = end
        ended = [token for place, token in tokens[self._passed :] if place <= end or last]
        if piece or (last and ended):
            self._passed += len(ended)
            self._tell(Piece(piece, tuple(ended)))
