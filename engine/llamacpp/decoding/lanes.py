"""Lanes: the questions that run side by side, and the step that moves them all on by one `llama_decode`.

A lane is one sequence of the context, forked from a trunk (the prefix that several questions share). All
choices here depend on the questions alone, never on time, so that equal bundles meet equal batches.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hunkwise.engine.llamacpp.decoding.port import Context, Rows, Tokens

if TYPE_CHECKING:
    from hunkwise.engine.llamacpp.decoding.works.work import Work

CHUNK = 128  # prompts cut at multiples of it give the same bits as whole ones


@dataclass(eq=False, slots=True)
class Trunk:
    """A shared prefix in the cache: `tokens`, of which the first `computed` are there. `users` fork from it.

    The first `start` tokens are (or will be) those of `parent`. Other bundles begin with the first `lasting`.
    """

    sequence: int
    tokens: Tokens
    computed: int = 0
    users: int = 0
    parent: Trunk | None = None
    start: int = 0
    lasting: int = 0

    @property
    def ready(self) -> bool:
        """True if all of it is computed."""
        return self.computed == len(self.tokens)


@dataclass(eq=False, slots=True)
class Lane:
    """A running work: its sequence, how many tokens that holds, and what is to be computed next."""

    work: Work
    sequence: int
    position: int
    done: Callable[[Lane], None]
    pending: Tokens = field(default_factory=lambda: np.empty(0, np.int32))
    outputs: int = 0  # logits wanted, for the last of the pending tokens
    branches: int = 0  # works on forks of this lane that it waits for
    parent: Lane | None = None  # of a branch


class Sequences:
    """The context's sequence numbers, lowest first."""

    def __init__(self, count: int) -> None:
        self._free = list(range(count))

    def __len__(self) -> int:
        return len(self._free)

    def take(self) -> int:
        """Take the lowest free number."""
        return heapq.heappop(self._free)

    def give(self, sequence: int) -> None:
        """Put a number back."""
        heapq.heappush(self._free, sequence)


class Lanes:
    """All running lanes of one context. Owned by one thread.

    Where jobs have `company`, answers depend on it anyhow, and work is ordered for the time to the first token:
    trunks are computed one after the other, and those that have become ready have the next batch to themselves.
    """

    def __init__(self, context: Context, sequences: Sequences, *, company: bool = False) -> None:
        self._company = company
        self._fresh = False  # a trunk has just become ready
        self._context = context
        self._sequences = sequences
        self._batch = context.new_batch()
        self._running: list[Lane] = []
        self._waiting: deque[tuple[Lane, Work]] = deque()  # branches without a sequence yet
        self.computed = 0  # tokens

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Work, source: Trunk | Lane, done: Callable[[Lane], None]) -> Lane:
        """Run a work on a fork of `source`; `done` is called from `step` when it has its answer."""
        lane = Lane(work, self._sequences.take(), 0, done)
        if isinstance(source, Lane):
            lane.position, lane.parent = source.position, source
        else:
            lane.position = source.computed
        self._context.fork(source.sequence, lane.sequence, lane.position)
        self._running.append(lane)
        lane.pending, lane.outputs = work.next()
        return lane

    def stop(self, lane: Lane) -> None:
        """End a lane and its branches, and free their cells."""
        self._waiting = deque(pair for pair in self._waiting if pair[0] is not lane)
        for ended in [lane, *(branch for branch in self._running if branch.parent is lane)]:
            self._running.remove(ended)
            self._context.cut(ended.sequence, 0)
            self._sequences.give(ended.sequence)

    def step(self, trunks: Sequence[Trunk] = ()) -> None:
        """Compute one batch: every lane's next tokens, then as much of the trunks' as there is room for.

        Lanes that want vectors have a batch of their own.
        """
        self._branch()
        if self._fresh and self._running:
            trunks = ()
        self._fresh = False
        embedding = [lane for lane in self._running if lane.work.vectors]
        self._compute([lane for lane in self._running if not lane.work.vectors], trunks)
        self._compute(embedding, ())

    def _compute(self, lanes: Sequence[Lane], trunks: Sequence[Trunk]) -> None:
        batch = self._batch
        batch.clear()
        fed = [(lane, *self._feed(lane)) for lane in lanes]
        grown = [(trunk, self._grow(trunk)) for trunk in trunks]
        if batch.count:
            served = [lane.work for lane, _, outputs in fed if outputs]
            rows = iter(self._rows(served))
            self.computed += batch.count
        for trunk, count in grown:
            trunk.computed += count
            self._fresh = self._fresh or (self._company and bool(count) and trunk.ready)
        for lane, count, outputs in fed:
            lane.pending = lane.pending[count:]
            lane.position += count
            lane.outputs -= outputs
            for _ in range(outputs):
                lane.work.take(next(rows))
            if not len(lane.pending) and not lane.branches:
                self._advance(lane)

    def _rows(self, works: Sequence[Work]) -> Rows:
        if any(work.vectors for work in works):
            return self._context.embed(self._batch)
        return self._context.decode(self._batch, partial(_foresee, works))

    def _feed(self, lane: Lane) -> tuple[int, int]:
        batch = self._batch
        silent = len(lane.pending) - lane.outputs
        count = min(len(lane.pending), batch.room, silent + self._context.outputs - batch.outputs)
        if self._context.whole and count < len(lane.pending):
            return 0, 0  # in a batch with more room
        outputs = max(count - silent, 0)
        if count:
            batch.add(lane.pending[:count], lane.position, lane.sequence, outputs)
        return count, outputs

    def _grow(self, trunk: Trunk) -> int:
        # Chunks end on multiples of CHUNK, and what is left over is a chunk of its own: a short one takes
        # other kernels (seen below 64 tokens), so it must be the same whether or not the rest was reused.
        size = self._context.batch
        grid = size - size % CHUNK or size
        left = len(trunk.tokens) // CHUNK * CHUNK
        if self._company:
            left = len(trunk.tokens)
        end = min(left if trunk.computed < left else len(trunk.tokens), (trunk.computed // grid + 1) * grid)
        if end - trunk.computed > self._batch.room:
            end = (trunk.computed + self._batch.room) // CHUNK * CHUNK
        count = max(end - trunk.computed, 0)
        if count:
            self._batch.add(trunk.tokens[trunk.computed : end], trunk.computed, trunk.sequence, 0)
        return count

    def _advance(self, lane: Lane) -> None:
        branches = lane.work.branches()
        lane.branches = len(branches)
        self._waiting.extend((lane, work) for work in branches)
        if not branches:
            self._finish(lane)

    def _finish(self, lane: Lane) -> None:
        lane.pending, lane.outputs = lane.work.next()
        if not len(lane.pending):
            self.stop(lane)
            lane.done(lane)

    def _branch(self) -> None:
        while self._waiting and len(self._sequences):
            parent, work = self._waiting.popleft()
            self.start(work, parent, partial(self._join, parent))

    def _join(self, parent: Lane, _branch: Lane) -> None:
        parent.branches -= 1
        if not parent.branches:
            self._finish(parent)


def _foresee(works: Sequence[Work]) -> None:
    for work in works:
        work.foresee()
