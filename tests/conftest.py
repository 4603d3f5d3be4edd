"""Fixtures that many tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from hunkwise.engine import ModelSpec

# Reports leave out the time that a review took, so that equal reviews are equal bytes.
os.environ["SOURCE_DATE_EPOCH"] = "0"
# In CI a property test tries the same examples each time, so that a change is not judged by luck.
settings.register_profile("ci", derandomize=True)
# HYPOTHESIS_PROFILE=long looks on until it is stopped.
settings.register_profile("long", max_examples=10_000_000)
if profile := os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else ""):
    settings.load_profile(profile)


@pytest.fixture(scope="session")
def small_model() -> ModelSpec:
    """qwen2.5-coder:0.5b; fetched once into the user's own store, where the next run finds it."""
    from hunkwise.engine import library_from_environment

    spec = library_from_environment(os.environ).ensure("qwen2.5-coder:0.5b")
    assert isinstance(spec, ModelSpec)
    return spec
