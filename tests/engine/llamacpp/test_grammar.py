"""What a grammar allows next."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hunkwise.engine import LocalEngine
from hunkwise.engine.types import Generate


@pytest.mark.model
def test_a_mask_computed_ahead_is_the_mask(engine: LocalEngine) -> None:
    """What the grammar allows does not depend on when it was asked, and a mask serves one token only."""
    question = Generate("q", (), 9, pattern="[0-9][a-z]{3}!")
    plain, ahead = engine._grammars.matcher(question), engine._grammars.matcher(question)
    assert plain
    assert ahead
    row = np.random.default_rng(1).normal(size=engine._model.size).astype(np.float32)
    written = b""

    while not plain.complete:
        if not written:
            ahead.foresee()
        token = plain.best(row)
        assert ahead.best(row) == token
        written += engine._model.piece(token)
        plain.accept(token)
        ahead.accept(token)

    assert re.fullmatch(rb"[0-9][a-z]{3}!", written)
