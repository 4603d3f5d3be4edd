"""Whether a model has to be opened for new code, told before it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny

from hunkwise.reviewer.app.engines import listens
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge.asked import panel


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "HUNKWISE_MODELS": str(tmp_path / "models")}


@pytest.mark.parametrize(("asked", "listening"), [("on", True), ("off", False), ("auto", False)])
def test_the_setting_decides_where_no_model_is_here(
    environ: dict[str, str], asked: Any, listening: bool
) -> None:
    """Nothing is fetched to find out how large a model is."""
    assert listens(Config(asked=asked), environ) is listening


@pytest.mark.parametrize(("least", "listening"), [(1000, True), (10**9, False)])
def test_the_size_of_a_model_is_read_off_its_header(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, least: int, listening: bool
) -> None:
    """A model that is here is large or not by its own weights."""
    path = tmp_path / "tiny.gguf"
    tiny.write(path)
    monkeypatch.setattr(panel, "LEAST_PARAMETERS", least)

    assert listens(Config(model=str(path)), environ) is listening
