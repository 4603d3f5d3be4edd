from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of the virtual environment."""

    def run(name: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / name), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **options,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture
def blocks() -> Callable[[str, str], list[str]]:
    """Give the fenced blocks of a page of the documentation whose info string is the one asked for."""

    def find(page: str, info: str) -> list[str]:
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        return re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    return find
