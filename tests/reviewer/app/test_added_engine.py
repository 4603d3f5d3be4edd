"""An engine that another package adds: nothing of this repository is touched for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from strangers import install

from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.report.interchange.json import load

TOY = """
from hunkwise.engine import ScriptedEngine


class ToyEngine(ScriptedEngine):
    def close(self):
        print("closed", self.card().model)


def open_engine(config, environment, progress):
    environment.say(f"asked for {config.model}")
    return ToyEngine(model=config.model)
"""
DIFF = """\
--- a/pool.py
+++ b/pool.py
@@ -1,3 +1,3 @@
 def take(lock):
-    lock.acquire(7)
+    lock.acquire(8)
     return lock
"""


def _reviewed(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str, model: str) -> int:
    install(
        monkeypatch,
        folder,
        "acme-engine",
        {"hunkwise.engines:toy": "acme_engine:open_engine"},
        acme_engine=source,
    )
    (folder / "a.patch").write_text(DIFF)
    report = f"json={folder}/report.json"
    return run(hunkwise, ["review", str(folder / "a.patch"), "--model", model, "-o", report])


def test_it_reviews_like_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`NAME://MODEL` opens it with the model it is asked for; it is closed in the end, and the report names it."""
    assert _reviewed(monkeypatch, tmp_path, TOY, "toy://server:8000/large") == 0

    said = capsys.readouterr()
    assert "asked for server:8000/large" in said.err
    assert said.out == "closed server:8000/large\n"
    made = load((tmp_path / "report.json").read_bytes())
    assert made.manifest.model == "server:8000/large"
    assert made.complete


def test_the_example_of_the_how_to_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What CONTRIBUTING.md shows can be copied."""
    text = (Path(__file__).resolve().parents[3] / "CONTRIBUTING.md").read_text("utf-8")
    code = re.search(r"```python\n([^`]*def open_engine.*?)```", text, re.DOTALL)
    assert code is not None

    assert _reviewed(monkeypatch, tmp_path, code[1], "toy://any") == 0


def test_a_broken_one_names_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checks that need no model are made all the same, and the package is named; exit code 2."""
    broken = "def open_engine(config, environment, progress): return 1 / 0"

    assert _reviewed(monkeypatch, tmp_path, broken, "toy://x") == 2
    assert "the engine 'toy' of the package acme-engine 1.0 fails" in capsys.readouterr().err


def test_an_engine_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown one is told as such, with those that there are."""
    assert _reviewed(monkeypatch, tmp_path, TOY, "toi://x") == 2
    assert "no engine 'toi'; engines are llamacpp, toy" in capsys.readouterr().err
