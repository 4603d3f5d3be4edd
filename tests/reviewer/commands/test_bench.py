"""`hunkwise bench` and `hunkwise calibrate` from end to end, with an engine that dislikes one word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")

from hunkwise.engine import Answer, Bundle, Engine, Question, Score, Scored, ScriptedEngine, TokenScore
from hunkwise.reviewer.cli import hunkwise, run


def _dislikes(bundle: Bundle, question: Question) -> Answer | None:
    """Hold every line with "odd" for unlikely."""
    if not isinstance(question, Score):
        return None
    tokens, start = [], 0
    for line in question.text.splitlines(keepends=True):
        end = start + len(line.encode())
        tokens.append(TokenScore(line, start, end, -8.0 if "odd" in line else -0.1, "x", -0.05, 1))
        start = end
    return Scored(question.id, tuple(tokens))


def engine(*_: Any) -> Engine:
    """Open the scripted engine instead of a model."""
    return ScriptedEngine(_dislikes)


def case(name: str, old: str, new: str, **more: Any) -> dict[str, Any]:
    """Make a single-file case whose second line changes."""
    diff = f"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f(x):\n-    return {old}\n+    return {new}\n"
    text = f"def f(x):\n    return {new}\n"
    row = {
        "id": name,
        "diff": diff,
        "file_path": "a.py",
        "new_file": text,
        "language": "python",
        "kind": "clean",
    }
    return row | more


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve pairs, most of whose bugs have the disliked word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    rows = []
    for n in range(12):
        good, bad = f"good({n})", f"{'odd' if n > 2 else 'good'}({n}, 1)"
        rows.append(case(f"bug{n}", good, bad, kind="bug", bug_lines=[2], group=f"g{n}", category="call"))
        rows.append(case(f"fix{n}", bad, good, group=f"g{n}", pair_of=f"bug{n}"))
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("verb", ["bench", "calibrate"])
def test_a_plot_is_drawn_beside_the_figures(
    cases: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """The page counts every change."""
    assert run(hunkwise, [verb, str(cases), "--plot", "p.html"], engine) == 0
    assert capsys.readouterr().err == ""
    assert "24 changes, 12 with a bug" in Path("p.html").read_text()


@pytest.mark.parametrize("verb", ["bench", "calibrate"])
def test_a_plot_that_can_not_be_drawn_costs_no_run(
    cases: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Its name is looked at before the cases are."""
    assert run(hunkwise, [verb, str(cases), "--plot", "p.bmp"], engine) == 2
    assert capsys.readouterr() == ("", "hunkwise: --plot p.bmp: the name must end in .png or .html\n")


def test_a_calibration_goes_on_from_its_journal(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands in the journal is not asked again, unless it lacks what is weighed today."""
    asked: list[ScriptedEngine] = []

    def opened(*_: Any) -> Engine:
        asked.append(ScriptedEngine(_dislikes))
        return asked[-1]

    line = ["calibrate", str(cases), "--journal", "j"]
    assert run(hunkwise, line, opened) == 0
    first = capsys.readouterr().out
    kept = Path("j").read_text().splitlines()
    Path("j").write_text("\n".join([*kept[:-1], kept[-1].replace("gap", "gone")]) + "\n")
    assert run(hunkwise, line, opened) == 0

    assert capsys.readouterr().out == first
    assert len(kept) == 24
    assert (len(asked[0].bundles), len(asked[1].bundles)) == (24, 1)


@pytest.mark.parametrize("kinds", [("clean",), ("pull",), ()])
def test_what_can_not_be_learned_from_is_refused(
    cases: Path, capsys: pytest.CaptureFixture[str], kinds: tuple[str, ...]
) -> None:
    """A fit needs buggy and clean changes of several groups."""
    rows = [row for row in map(json.loads, cases.read_text().splitlines()) if row["kind"] in kinds]
    cases.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert run(hunkwise, ["calibrate", str(cases)], engine) == 2
    assert "needs single-file changes with and without a bug" in capsys.readouterr().err
