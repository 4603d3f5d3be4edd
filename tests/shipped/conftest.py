from __future__ import annotations

import re
import shutil
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
def context(tmp_path: Path) -> Path:
    """What .dockerignore lets through, as `COPY . .` would copy it."""
    into = tmp_path / "context"
    into.mkdir()
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    for name in (line[1:] for line in lines if line.startswith("!")):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, into / name)
    return into


@pytest.fixture
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of the virtual environment."""

    def run(name: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(BIN / name), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            **options,  # type: ignore[call-overload]
        )
        return done

    return run


@pytest.fixture
def blocks() -> Callable[[str, str], list[str]]:
    """Give the fenced blocks of a page of the documentation whose info string is the one asked for."""

    def find(page: str, info: str) -> list[str]:
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        return re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    return find
