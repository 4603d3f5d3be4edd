"""Text to tokens and back. Only this program's own words may become special tokens, never a reviewed file's."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.native import Model, Tokens
from hunkwise.engine.types import Marker


@dataclass(frozen=True, slots=True)
class Span:
    """One token of a text: its bytes, and where they lie in it (`end` exclusive)."""

    token: int
    piece: bytes
    start: int
    end: int


def encode(text: str) -> bytes:
    """Return UTF-8; what is no character (a lone surrogate, such as an undecodable byte) becomes "?"."""
    return text.encode("utf-8", "replace")


def join(parts: list[Tokens]) -> Tokens:
    """Concatenate token arrays."""
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


class Vocab:
    """The tokenizer of one model. Thread-safe."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self.size = model.size
        self.special = model.special_tokens()

    def tokenize(self, text: str) -> Tokens:
        """Tokenise data: `<|im_end|>` in it stays text."""
        return self._model.tokenize(encode(text), special=False)

    def whole(self, text: str) -> Tokens:
        """Tokenise data as a text of its own, with what the model puts before and after one."""
        return self._model.tokenize(encode(text), special=False, whole=True)

    def tokenize_frame(self, text: str) -> Tokens:
        """Tokenise a chat template's own words, special tokens among them."""
        return self._model.tokenize(encode(text), special=True)

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token spells."""
        known = self._pieces.get(token)
        if known is None:
            with self._lock:
                known = self._pieces[token] = self._model.piece(token)
        return known

    def text(self, token: int) -> str:
        """Return what a token spells; a part of a character shows as U+FFFD."""
        return self.piece(token).decode("utf-8", "replace")

    def ends(self, token: int) -> bool:
        """Tell whether a token ends the answer."""
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = self._model.ends_generation(token)
        return known

    def spans(self, tokens: Tokens, text: bytes) -> tuple[Span, ...]:
        """Say where in `text` each of its tokens lies; a space that the tokenizer put before it counts not."""
        pieces = [self.piece(token) for token in tokens.tolist()]
        ends = list(accumulate(map(len, pieces)))
        shift = max(ends[-1] - len(text), 0) if ends else 0
        starts = [0, *(max(end - shift, 0) for end in ends)]
        return tuple(map(Span, tokens.tolist(), pieces, starts, starts[1:]))

    def start(self) -> Tokens:
        """Return what every prompt of this model begins with: its BOS token, or nothing."""
        bos = self.special.bos
        return np.array([bos] if self.special.add_bos and bos is not None else [], np.int32)

    def marker(self, name: Marker) -> int:
        """Return a special token by name; raises InvalidQuestion if the model has none."""
        token = getattr(self.special, name)
        if token is None:
            raise InvalidQuestion(f"this model has no {name} token; ask without it or choose another model")
        return int(token)
