"""Schemas and patterns are translated before anything runs."""

from __future__ import annotations

import pytest

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.runtime.grammar import compile_grammar
from hunkwise.engine.types import Generate


def test_one_constraint_at_most() -> None:
    """A question with both a schema and a pattern is refused by name."""
    with pytest.raises(InvalidQuestion, match="'both'"):
        compile_grammar(Generate("both", (), 9, schema={}, pattern="a"))


def test_a_schema_that_is_no_json_is_refused() -> None:
    """Python objects inside a schema give a sentence."""
    with pytest.raises(InvalidQuestion, match="is not JSON"):
        compile_grammar(Generate("q", (), 9, schema={"enum": [object()]}))
