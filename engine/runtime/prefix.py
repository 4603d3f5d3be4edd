"""Prefixes that stay: the trunk in the cache, and copies of earlier trunks in host memory.

A reused prefix must be bit for bit what a fresh prefill would give. Tokens computed in another chunk differ
in the last bits, so a prefix is reused either whole or up to a multiple of CHUNK.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.runtime.lanes import CHUNK, Sequences, Trunk
from hunkwise.engine.runtime.native import Context, Tokens

_WORTH = 2 * CHUNK  # a shorter tail is computed again sooner than it is kept


def common(one: Tokens, other: Tokens) -> int:
    """Return the length of the common beginning."""
    length = min(len(one), len(other))
    differs = np.nonzero(one[:length] != other[:length])[0]
    return int(differs[0]) if len(differs) else length


def reusable(held: Tokens, wanted: Tokens) -> int:
    """Return how many of the tokens in `held` may serve a prompt that begins with `wanted`."""
    length = common(held, wanted)
    whole = length == len(held) == len(wanted)
    return length if whole else length // CHUNK * CHUNK


@dataclass(frozen=True, slots=True)
class Kept:
    """A trunk's cells, in host memory."""

    tokens: Tokens
    state: bytes


class Prefixes:
    """The one trunk in the pool and the copies outside it. Owned by the engine's thread.

    One trunk only, since cells of idle ones would slow every step: attention spans up to the highest cell.
    """

    def __init__(self, context: Context, sequences: Sequences, keep_bytes: int) -> None:
        self._context = context
        self._sequences = sequences
        self._keep_bytes = keep_bytes
        self._trunk: Trunk | None = None
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()  # least recently used first

    def acquire(self, wanted: Tokens) -> Trunk:
        """Return a trunk for `wanted` that holds as much of it as was known."""
        trunk = self._trunk
        resident = reusable(trunk.tokens[: trunk.computed], wanted) if trunk else 0
        if trunk and trunk.computed - resident >= _WORTH:
            self._keep(trunk)
        best = max(self._kept.values(), key=lambda kept: reusable(kept.tokens, wanted), default=None)
        if best is not None and reusable(best.tokens, wanted) > resident:
            return self._load(best, wanted)
        return self._shorten(trunk, resident, wanted)

    def clear(self) -> None:
        """Forget the trunk; the copies stay."""
        if self._trunk:
            self._context.cut(self._trunk.sequence, 0)
            self._sequences.give(self._trunk.sequence)
        self._trunk = None

    def reset(self) -> None:
        """Forget the trunk without touching the cache, which was cleared after a failure."""
        self._trunk = None

    def _shorten(self, trunk: Trunk | None, length: int, wanted: Tokens) -> Trunk:
        # A recurrent state can't go back to an earlier token: then all is computed again.
        if trunk and length and (length == trunk.computed or self._context.cut(trunk.sequence, length)):
            trunk.tokens, trunk.computed = wanted, length
            return trunk
        self.clear()
        self._trunk = Trunk(self._sequences.take(), wanted)
        return self._trunk

    def _load(self, kept: Kept, wanted: Tokens) -> Trunk:
        self._kept.move_to_end(kept.tokens.tobytes())
        self.clear()
        trunk = self._trunk = Trunk(self._sequences.take(), kept.tokens, len(kept.tokens))
        if not self._context.restore(trunk.sequence, kept.state):
            raise NativeFailure("a kept prefix does not fit back into the cache")
        return self._shorten(trunk, reusable(kept.tokens, wanted), wanted)

    def _keep(self, trunk: Trunk) -> None:
        tokens = trunk.tokens[: trunk.computed]
        name = tokens.tobytes()
        if name in self._kept:
            return self._kept.move_to_end(name)
        if self._context.size(trunk.sequence) > self._keep_bytes:
            return None
        self._kept[name] = Kept(tokens, self._context.save(trunk.sequence))
        while sum(len(kept.state) for kept in self._kept.values()) > self._keep_bytes:
            self._kept.popitem(last=False)
        return None
