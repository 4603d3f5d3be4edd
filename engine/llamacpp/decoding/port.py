"""What decoding needs of a KV cache with a decoder: `native.Context` is one; tests have one of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]
Row = NDArray[np.float32]  # logits of one position, [n_vocab], or its vector
Rows = NDArray[np.float32]  # those of several, [outputs, n_vocab]
State = NDArray[np.uint8]  # a sequence's cells


class Batch(Protocol):
    """Tokens for one `decode`."""

    count: int
    outputs: int

    @property
    def room(self) -> int:
        """How many more tokens fit."""
        ...

    def clear(self) -> None:
        """Forget all tokens."""
        ...

    def add(self, tokens: Tokens, position: int, sequence: int, outputs: int) -> None:
        """Append tokens at `position` and after, with logits for the last `outputs` of them."""
        ...


class Context(Protocol):
    """A cache of `cells` tokens shared by `sequences` sequences. One thread owns it, but for `interrupt`."""

    cells: int
    sequences: int
    batch: int  # tokens that one `decode` takes
    outputs: int  # rows that one `decode` or `embed` gives
    whole: bool  # a sequence must be computed in one batch
    decode_seconds: float
    decode_calls: int

    @property
    def has_state_cells(self) -> bool:
        """True if a sequence can't go back to an earlier token (recurrent state)."""
        ...

    def new_batch(self) -> Batch:
        """Make an empty batch for `decode`."""
        ...

    def decode(self, batch: Any, meanwhile: Callable[[], None] | None = None) -> Rows:
        """Compute a batch that `new_batch` made; `meanwhile` runs beside it. Raises NativeFailure."""
        ...

    def embed(self, batch: Any) -> Rows:
        """Compute a batch whose tokens are all outputs, and give their vectors. Raises NativeFailure."""
        ...

    def interrupt(self) -> None:
        """Make the running and the next `decode` fail soon, until `resume`. From any thread."""
        ...

    def resume(self) -> None:
        """Take `interrupt` back."""
        ...

    def fork(self, source: int, target: int, length: int) -> None:
        """Let `target` share the first `length` tokens of `source`."""
        ...

    def cut(self, sequence: int, length: int) -> bool:
        """Keep the first `length` tokens of a sequence; False if the model can't."""
        ...

    def clear(self) -> None:
        """Forget all sequences."""
        ...

    def size(self, sequence: int) -> int:
        """Return how many bytes `save` would give."""
        ...

    def save(self, sequence: int) -> State:
        """Copy a sequence's cells to host memory."""
        ...

    def restore(self, sequence: int, state: State) -> bool:
        """Put back what `save` gave; False if there is no room."""
        ...

    def close(self) -> None:
        """Free the cache; harmless when done twice."""
        ...
