"""Fixtures that many tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from hunkwise.engine import ModelSpec

# Reports leave out the time that a review took, so that equal reviews are equal bytes.
os.environ["SOURCE_DATE_EPOCH"] = "0"
# In CI a property test tries the same examples each time, so that a change is not judged by luck.
# How fast examples come says how busy the machine is.
settings.register_profile("ci", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together where several processes run them, and those with a real model in one process.

    Two models at once take four times as long as one after the other.
    """
    for item in items:
        group = "model" if item.get_closest_marker("model") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
