"""Reading answers from logits, without a model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hunkwise.engine.llamacpp.decoding.works.reading import exclusive
from hunkwise.engine.llamacpp.native.context import log_total


def test_log_total_survives_large_logits() -> None:
    """The sum of exponentials is taken relative to the largest logit."""
    row = np.array([1000.0, 1000.0, -1000.0], np.float32)

    assert log_total(row) == pytest.approx(1000 + math.log(2))


def test_options_of_their_own_share_by_probability() -> None:
    """Probabilities are normalised over the options."""
    assert exclusive([(1,), (2, 3)], [math.log(0.3), math.log(0.1)]) == pytest.approx((0.75, 0.25))


def test_an_option_does_not_collect_what_a_longer_one_begins_with() -> None:
    """The option 1 means 1 and not 10 or 100: each option loses what its continuations take."""
    options = [(1,), (1, 0), (1, 0, 0), (2,)]
    logprobs = [math.log(p) for p in (0.5, 0.3, 0.1, 0.2)]

    assert exclusive(options, logprobs) == pytest.approx((0.2 / 0.7, 0.2 / 0.7, 0.1 / 0.7, 0.2 / 0.7))
