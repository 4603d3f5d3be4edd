"""How much of a known prefix may be used again."""

from __future__ import annotations

import numpy as np
import pytest

from hunkwise.engine import LocalEngine
from hunkwise.engine.llamacpp.decoding.lanes import Lanes, Sequences, Trunk
from hunkwise.engine.llamacpp.decoding.prefix import Prefixes, common, reusable
from hunkwise.engine.llamacpp.native import Batch, Context, Tokens


def tokens(length: int, change_at: int | None = None) -> np.ndarray:
    made = np.arange(length, dtype=np.int32)
    if change_at is not None:
        made[change_at:] += 1000
    return made


@pytest.mark.parametrize(
    ("held", "wanted", "length"),
    [
        (tokens(300), tokens(300), 300),  # the same prefix: whole
        (tokens(300), tokens(700), 256),  # longer: the last chunk was a short one, so it is computed again
        (tokens(384), tokens(700), 384),
        (tokens(700), tokens(300), 256),  # shorter: likewise
        (tokens(700), tokens(700, 400), 384),
        (tokens(700), tokens(700, 100), 0),
        (tokens(0), tokens(5), 0),
        (tokens(5), tokens(0), 0),
    ],
)
def test_a_prefix_is_reused_whole_or_up_to_a_chunk(held: np.ndarray, wanted: np.ndarray, length: int) -> None:
    """What is reused has the bits of a fresh prefill: its chunks are the same."""
    assert reusable(held, wanted) == length


def test_common_beginning() -> None:
    """The common beginning ends at the first difference or with the shorter array."""
    assert common(tokens(9), tokens(5)) == 5
    assert common(tokens(9), tokens(9, 3)) == 3


TEXT = "def mean(values):\n    return sum(values) / len(values)\n" * 20


def grown(prefixes: Prefixes, lanes: Lanes, wanted: Tokens) -> tuple[Trunk, int]:
    """Acquire a prefix and compute what is missing; give it with the number of tokens that took."""
    before = lanes.computed
    trunk, _ = prefixes.acquire(wanted)
    while filling := prefixes.filling():
        lanes.step(filling)
    return trunk, lanes.computed - before


def logits(context: Context, trunk: Trunk) -> bytes:
    """Give what the model expects after the prefix and one more token, to the last bit."""
    batch = Batch(8)
    batch.add(np.array([9], np.int32), len(trunk.tokens), trunk.sequence, 1)
    row: bytes = context.decode(batch)[0].tobytes()
    context.cut(trunk.sequence, len(trunk.tokens))
    return row


@pytest.mark.model
@pytest.mark.parametrize(("keep", "computed_again"), [(64 << 20, 0), (100, 200)])
def test_a_prefix_returns_from_host_memory_bit_for_bit(
    engine: LocalEngine, keep: int, computed_again: int
) -> None:
    """Moved out of the pool and back, a prefix is what it was; beyond the bound it is computed again."""
    wanted = engine._model.tokenize(TEXT.encode(), special=False)[:200]
    context = Context(engine._model, cells=512, sequences=4, batch=512, outputs=8, threads=1)
    try:
        sequences = Sequences(4)
        prefixes, lanes = Prefixes(context, sequences, keep), Lanes(context, sequences)
        trunk, first = grown(prefixes, lanes, wanted)
        before = logits(context, trunk)
        prefixes.release(trunk)
        prefixes.evict()
        assert (prefixes.cells, len(sequences)) == (0, 4)

        other, _ = grown(prefixes, lanes, wanted[::-1].copy())  # in the same cells
        prefixes.release(other)
        returned, again = grown(prefixes, lanes, wanted)

        assert (first, again) == (200, computed_again)
        assert logits(context, returned) == before
        prefixes.release(returned)
        prefixes.evict()
        assert (prefixes.cells, len(sequences)) == (0, 4)
    finally:
        context.close()


@pytest.mark.model
def test_a_prefix_that_finds_no_room_is_computed_again(engine: LocalEngine) -> None:
    """A long copy in host memory that does not fit beside what runs is no error for a short prompt."""
    tokens = engine._model.tokenize(TEXT.encode(), special=False)
    context = Context(engine._model, cells=512, sequences=4, batch=512, outputs=8, threads=1)
    try:
        sequences = Sequences(4)
        prefixes, lanes = Prefixes(context, sequences, 64 << 20), Lanes(context, sequences)
        long, _ = grown(prefixes, lanes, tokens[:300])
        prefixes.release(long)
        prefixes.evict()
        running, _ = grown(prefixes, lanes, tokens[::-1][:300].copy())

        short, computed = grown(prefixes, lanes, tokens[:140])

        assert computed == 140
        assert short.ready
        assert running.ready
    finally:
        context.close()
