"""Prefixes that many questions share: trunks in the cache, and copies of earlier ones elsewhere.

Trunks are the paths of a radix tree: one that begins like another forks from it and pins it, even while
that one is still being computed. A reused prefix must be bit for bit what a fresh prefill would give. Tokens
computed in another chunk differ in the last bits, so a prefix is reused whole or up to a multiple of CHUNK.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from hunkwise.engine.llamacpp.decoding.lanes import CHUNK, Sequences, Trunk
from hunkwise.engine.llamacpp.decoding.port import Context, State, Tokens
from hunkwise.engine.llamacpp.decoding.prefix_files import PrefixFiles

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
    state: State


class Prefixes:
    """The trunks in the pool and the copies outside it. Owned by the engine's thread.

    At most one trunk stays when nobody uses it, since attention spans up to the highest cell in use: cells
    of idle trunks would slow every step. The others move to host memory, at most `keep_bytes` of them. What
    other bundles will begin with goes to `files` too, where the next process finds it.
    """

    def __init__(
        self, context: Context, sequences: Sequences, keep_bytes: int, files: PrefixFiles | None = None
    ) -> None:
        self._context = context
        self._sequences = sequences
        self._keep_bytes = keep_bytes
        self._files = files
        self._used: list[Trunk] = []
        self._idle: Trunk | None = None
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()  # least recently used first

    @property
    def cells(self) -> int:
        """Cells that trunks hold or will hold."""
        trunks = [*self._used, self._idle] if self._idle else self._used
        return sum(len(trunk.tokens) - trunk.start for trunk in trunks)

    def known(self, wanted: Tokens) -> int:
        """Return how many tokens of `wanted` would not have to be computed."""
        held = [trunk.tokens for trunk in self._used]
        held += [self._idle.tokens] if self._idle else []
        held += [kept.tokens for kept in self._kept.values()]
        return max((reusable(tokens, wanted) for tokens in held), default=0)

    def acquire(self, wanted: Tokens, lasting: int = 0) -> tuple[Trunk, int]:
        """Return a trunk for `wanted` and how many of its tokens others compute or have computed.

        Other bundles, of later processes too, begin with the first `lasting` tokens. `release` it after use.
        """
        for trunk in self._used:
            if np.array_equal(trunk.tokens, wanted):
                trunk.users += 1
                return trunk, len(wanted)
        lasting = lasting // CHUNK * CHUNK
        self._fetch(wanted[:lasting])
        trunk = self._find(wanted)
        trunk.users += 1
        trunk.lasting = lasting
        self._used.append(trunk)
        return trunk, max(trunk.computed, trunk.start)

    def release(self, trunk: Trunk) -> None:
        """Give a trunk back; the last one to be used stays in the pool."""
        trunk.users -= 1
        if trunk.users:
            return
        self._used.remove(trunk)
        self.evict()
        parent, trunk.parent, trunk.start = trunk.parent, None, 0
        if trunk.ready:
            self._idle = trunk
            self._write(trunk)
        else:
            self._drop(trunk)
        self._unpin(parent)

    def filling(self) -> list[Trunk]:
        """Return the trunks to compute next; those whose parent is not far enough wait."""
        growing = []
        for trunk in self._used:
            parent = trunk.parent
            if parent and trunk.computed < trunk.start <= parent.computed:
                self._context.fork(parent.sequence, trunk.sequence, trunk.start)
                trunk.computed = trunk.start
            if not trunk.ready and trunk.computed >= trunk.start:
                growing.append(trunk)
        return growing

    def evict(self) -> None:
        """Move the idle trunk out of the pool."""
        trunk, self._idle = self._idle, None
        if trunk:
            self._keep(trunk)
            self._drop(trunk)

    def forget(self, sequences: Sequences) -> None:
        """Drop the trunks of a cache that was cleared; the copies in host memory stay good."""
        self._sequences, self._used, self._idle = sequences, [], None

    def _find(self, wanted: Tokens) -> Trunk:
        parent = max(self._used, key=lambda trunk: reusable(trunk.tokens, wanted), default=None)
        shared = reusable(parent.tokens, wanted) if parent else 0
        if parent and shared < len(parent.tokens) and self._context.has_state_cells:
            shared = 0  # a recurrent state is that of all its tokens
        idle = self._idle
        resident = reusable(idle.tokens, wanted) if idle else 0
        kept = max(self._kept.values(), key=lambda kept: reusable(kept.tokens, wanted), default=None)
        copied = reusable(kept.tokens, wanted) if kept else 0
        if idle and resident and resident >= max(shared, copied):
            return self._shorten(idle, resident, wanted)
        self.evict()
        if parent and shared >= copied and shared:
            parent.users += 1
            return Trunk(self._sequences.take(), wanted, parent=parent, start=shared)
        trunk = Trunk(self._sequences.take(), wanted)
        return self._load(kept, trunk) if kept and copied else trunk

    def _shorten(self, trunk: Trunk, length: int, wanted: Tokens) -> Trunk:
        if trunk is self._idle:
            if trunk.computed - length >= _WORTH:
                self._keep(trunk)
            self._idle = None
        # A recurrent state can't go back to an earlier token: then all is computed again.
        if length < trunk.computed and not self._context.cut(trunk.sequence, length):
            self._context.cut(trunk.sequence, 0)
            length = 0
        trunk.tokens, trunk.computed = wanted, length
        return trunk

    def _load(self, kept: Kept, trunk: Trunk) -> Trunk:
        self._kept.pop(kept.tokens.tobytes(), None)
        if not self._context.restore(trunk.sequence, kept.state):
            self._context.cut(trunk.sequence, 0)
            return trunk  # no room for all of it beside what runs: then it is computed again
        self._remember(kept)
        wanted, trunk.computed = trunk.tokens, len(kept.tokens)
        return self._shorten(trunk, reusable(kept.tokens, wanted), wanted)

    def _fetch(self, wanted: Tokens) -> None:
        """Read a prefix from its file into host memory, unless as much of it is at hand."""
        if self._files and len(wanted) >= _WORTH and self.known(wanted) < len(wanted):
            state = self._files.get(wanted)
            if state is not None and len(state) <= self._keep_bytes:
                self._remember(Kept(wanted, state))

    def _write(self, trunk: Trunk) -> None:
        """Write the lasting part of a trunk to its file; a recurrent state has no part."""
        part = trunk.tokens[: trunk.lasting]
        if not self._files or len(part) < _WORTH or self._context.has_state_cells:
            return
        if len(self._sequences) and not self._files.has(part):
            copy = self._sequences.take()
            self._context.fork(trunk.sequence, copy, len(part))
            self._files.put(part, self._context.save(copy))
            self._context.cut(copy, 0)
            self._sequences.give(copy)

    def _keep(self, trunk: Trunk) -> None:
        name = trunk.tokens.tobytes()
        if name in self._kept:
            self._kept.move_to_end(name)
        elif len(trunk.tokens) >= CHUNK and self._context.size(trunk.sequence) <= self._keep_bytes:
            self._remember(Kept(trunk.tokens, self._context.save(trunk.sequence)))

    def _remember(self, kept: Kept) -> None:
        self._kept[kept.tokens.tobytes()] = kept
        while sum(len(kept.state) for kept in self._kept.values()) > self._keep_bytes:
            self._kept.popitem(last=False)

    def _unpin(self, trunk: Trunk | None) -> None:
        """Let a parent go whose child no longer needs it: the child's own sequence holds the cells."""
        if trunk:
            trunk.users -= 1
            if not trunk.users:
                self._used.remove(trunk)
                self._drop(trunk)
                self._unpin(trunk.parent)

    def _drop(self, trunk: Trunk) -> None:
        self._context.cut(trunk.sequence, 0)
        self._sequences.give(trunk.sequence)
