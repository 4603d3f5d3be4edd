"""The real small model, loaded once for all tests of the runtime."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hunkwise.engine import ModelSpec
from hunkwise.engine.llamacpp.runner import LocalEngine, load
from hunkwise.engine.planning.plan import Plan

PLAN = Plan(n_ctx=2048, n_seq=8, n_threads=1)


@pytest.fixture(scope="session")
def engine(small_model: ModelSpec) -> Iterator[LocalEngine]:
    with load(small_model, PLAN) as engine:
        yield engine
