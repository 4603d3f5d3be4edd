"""A context without llama.cpp: it keeps the ledger of cells that a real one keeps, and takes no time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

import numpy as np

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.llamacpp.decoding.port import Rows, State, Tokens

SIZE = 512  # of the vocabulary


class ToyBatch:
    """What is to be computed, as it was added."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget it."""
        self.count = self.outputs = 0
        self.parts: list[tuple[Tokens, int, int, int]] = []

    @property
    def room(self) -> int:
        """How many more tokens fit."""
        return self.capacity - self.count

    def add(self, tokens: Tokens, position: int, sequence: int, outputs: int) -> None:
        """Append tokens."""
        assert len(tokens) <= self.room
        self.parts.append((tokens.copy(), position, sequence, outputs))
        self.count, self.outputs = self.count + len(tokens), self.outputs + outputs


class ToyContext:
    """Cells by sequence, each a token with a number of its own; forks share cells. `gate` holds `decode` back."""

    def __init__(self, cells: int = 512, sequences: int = 4, batch: int = 128, outputs: int = 8) -> None:
        self.cells, self.sequences, self.batch, self.outputs = cells, sequences, batch, outputs
        self.decode_seconds, self.decode_calls, self.computed = 0.0, 0, 0
        self.has_state_cells = self.closed = self.broken = self.whole = False
        self.gate = threading.Event()
        self.gate.set()
        self._interrupted = False
        self._numbers = count()
        self._held: list[list[tuple[int, int]]] = [[] for _ in range(sequences)]

    @property
    def used(self) -> int:
        """How many cells are taken."""
        return len({number for cells in self._held for _, number in cells})

    def tokens(self, sequence: int) -> list[int]:
        """What a sequence holds."""
        return [token for token, _ in self._held[sequence]]

    def new_batch(self) -> ToyBatch:
        """Make an empty batch."""
        return ToyBatch(self.batch)

    def decode(self, batch: ToyBatch, meanwhile: Callable[[], None] | None = None) -> Rows:
        """Put tokens where they belong; after a token the next number is the likeliest."""
        return self._compute(batch, 1, meanwhile)

    def embed(self, batch: ToyBatch) -> Rows:
        """Put tokens where they belong; the vector of a token points to its number."""
        assert batch.outputs == batch.count
        return self._compute(batch, 0, None)

    def _compute(self, batch: ToyBatch, ahead: int, meanwhile: Callable[[], None] | None) -> Rows:
        assert batch.count > 0
        assert batch.outputs <= self.outputs
        if meanwhile:
            beside = threading.Thread(target=meanwhile)
            beside.start()
            beside.join()
        while not self.gate.wait(0.001) and not self._interrupted:
            pass
        if self._interrupted or self.broken:
            raise NativeFailure("llama_decode failed with 2")
        self.decode_calls, self.computed = self.decode_calls + 1, self.computed + batch.count
        rows = []
        for tokens, position, sequence, outputs in batch.parts:
            assert len(self._held[sequence]) == position
            self._held[sequence] += [(int(token), next(self._numbers)) for token in tokens]
            rows += [
                np.eye(SIZE, dtype=np.float32)[token + ahead] for token in tokens[len(tokens) - outputs :]
            ]
        assert self.used <= self.cells
        return np.array(rows, np.float32)

    def interrupt(self) -> None:
        """Make `decode` fail."""
        self._interrupted = True

    def resume(self) -> None:
        """Take that back."""
        self._interrupted = False

    def fork(self, source: int, target: int, length: int) -> None:
        """Share cells."""
        self._held[target] = self._held[source][:length]

    def cut(self, sequence: int, length: int) -> bool:
        """Free cells behind the first."""
        del self._held[sequence][length:]
        return True

    def clear(self) -> None:
        """Free all."""
        self._held = [[] for _ in range(self.sequences)]

    def size(self, sequence: int) -> int:
        """Take four bytes a token."""
        return 4 * len(self._held[sequence])

    def save(self, sequence: int) -> State:
        """Copy the tokens."""
        return np.array(self.tokens(sequence), np.int32).view(np.uint8)

    def restore(self, sequence: int, state: State) -> bool:
        """Put them into cells of their own, if there is room."""
        tokens = state.view(np.int32).tolist()
        if self.used + len(tokens) > self.cells:
            return False
        self._held[sequence] = [(token, next(self._numbers)) for token in tokens]
        return True

    def close(self) -> None:
        """Be closed."""
        self.closed = True
