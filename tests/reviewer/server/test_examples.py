"""The curl examples of docs/server-apis.md, run as they stand but for the address and the model."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tiny
from modelled import Loads, modelled

from hunkwise.engine import ScriptedEngine

DOCS = Path(__file__).parents[3] / "docs" / "server-apis.md"
ADDRESS, MODEL = "http://127.0.0.1:11435", "qwen2.5-coder:1.5b"


def able(spec: Any, context: int) -> ScriptedEngine:
    return ScriptedEngine(context=context, model=spec.name)


def examples() -> list[str]:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ curl ")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_examples(tmp_path: Path) -> None:
    assert len(examples()) > 10
    with modelled(tmp_path, Loads(able), extra={"special": tiny.FIM}) as (_, client):
        address = str(client.base_url).rstrip("/")
        for line in examples():
            command = (
                line.replace(ADDRESS, address).replace(MODEL, "tiny").replace("curl -s", "curl -sS --fail")
            )
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, (line, done.stderr)
            if done.stdout:
                assert "error" not in json.loads(done.stdout), line
