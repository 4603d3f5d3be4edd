"""Schemas and patterns are translated before anything runs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hunkwise.engine import LocalEngine
from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.grammar import compile_grammar
from hunkwise.engine.types import Generate


def test_one_constraint_at_most() -> None:
    """A question with both a schema and a pattern is refused by name."""
    with pytest.raises(InvalidQuestion, match="'both'"):
        compile_grammar(Generate("both", (), 9, schema={}, pattern="a"))


def test_a_schema_that_is_no_json_is_refused() -> None:
    """Python objects inside a schema give a sentence."""
    with pytest.raises(InvalidQuestion, match="is not JSON"):
        compile_grammar(Generate("q", (), 9, schema={"enum": [object()]}))


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
