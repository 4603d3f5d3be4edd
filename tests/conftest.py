"""Fixtures that many tests share."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep a file's tests together, and the files with a real model in one process.

    Two models at once take four times as long as one after the other.
    """
    return FilesTogether(config, log)


class FilesTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Give each process whole files; those that name the mark `model` count as one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "model" if file in self._with_model else file

    @cached_property
    def _with_model(self) -> set[str]:
        root = self.config.rootpath
        files = (root / "tests").rglob("test_*.py")
        return {
            file.relative_to(root).as_posix()
            for file in files
            if "pytest.mark.model" in file.read_text("utf-8")
        }
