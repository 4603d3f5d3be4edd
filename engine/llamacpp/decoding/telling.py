"""Telling a text while it is written."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class Teller:
    """Tells what of a growing text is sure: whole characters, and nothing that a stop may still take back.

    `held` is how many bytes at its end may be the beginning of a stop.
    """

    def __init__(self, tell: Callable[[str], None], held: int) -> None:
        self._tell, self._held = tell, held
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._told = 0  # bytes

    def __call__(self, text: bytearray, *, last: bool = False) -> None:
        """Tell what is new in `text`; the `last` time all of it."""
        end = len(text) if last else max(self._told, len(text) - self._held)
        piece = self._decoder.decode(bytes(text[self._told : end]), last)
        self._told = end
        if piece:
            self._tell(piece)
