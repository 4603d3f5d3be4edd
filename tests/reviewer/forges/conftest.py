"""Fake forges on loopback HTTP, checked in both directions against the forges' own descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.server import serving
from fakes.wire import Checked, Wire

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts"


@pytest.fixture(scope="session")
def contracts() -> dict[str, Checked]:
    """The descriptions; without them the tests go on unchecked, and test_contracts.py says so."""
    if not CONTRACTS.is_dir():
        return {}
    names = ("github", "gitlab")
    return {name: Checked((CONTRACTS / f"{name}.openapi.json").read_text("utf-8")) for name in names}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    line = Wire()
    real = requests.adapters.HTTPAdapter.send
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter,
        "send",
        lambda self, request, **kw: line.send(real, self, request, **kw),
    )
    return line


@pytest.fixture
def github(wire: Wire, contracts: dict[str, Checked]) -> Iterator[Callable[..., FakeGitHub]]:
    """Start a fake GitHub, the SDK's calls to it checked."""
    yield from _started(FakeGitHub, wire, contracts.get("github"))


@pytest.fixture
def gitlab(wire: Wire, contracts: dict[str, Checked]) -> Iterator[Callable[..., FakeGitLab]]:
    """Start a fake GitLab, the SDK's calls to it checked."""
    yield from _started(FakeGitLab, wire, contracts.get("gitlab"))


def _started(kind: Any, wire: Wire, checked: Checked | None) -> Iterator[Callable[..., Any]]:
    with ExitStack() as stack:

        def start(*, check: bool = True, **settings: Any) -> Any:
            forge = kind(**settings)
            stack.enter_context(serving(forge))
            wire.checked = checked if check else None
            return forge

        yield start
