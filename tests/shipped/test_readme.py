"""What the README shows in Python runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hunkwise.engine import ModelSpec

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.model
def test_the_example_in_python_finds_what_is_planted(
    small_model: ModelSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Copied and pasted, with the small model in the default one's place."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "diff.patch").write_bytes((ROOT / "examples/python-pages.patch").read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("qwen2.5-coder:1.5b", small_model.name), "README.md", "exec"), {})

    assert "shop/orders.py 34 " in capsys.readouterr().out
