"""How much of a known prefix may be used again."""

from __future__ import annotations

import numpy as np
import pytest

from hunkwise.engine.runtime.prefix import common, reusable


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
