"""`hunkwise bench` and `hunkwise calibrate` from end to end, with an engine that dislikes one word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")

from hunkwise.engine import (
    Answer,
    Bundle,
    Engine,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    ScriptedEngine,
    TokenScore,
)
from hunkwise.reviewer.cli import hunkwise, run


def _dislikes(bundle: Bundle, question: Question) -> Answer | None:
    """Hold every line with "odd" for unlikely, and word a remark where one is asked for."""
    if isinstance(question, Generate):
        words = {"line": 2, "title": "This is odd", "message": "The call is odd there.", "severity": "high"}
        return Generated(question.id, json.dumps(words), "schema")
    if not isinstance(question, Score):
        return None
    tokens, start = [], 0
    for line in question.text.splitlines(keepends=True):
        end = start + len(line.encode())
        tokens.append(TokenScore(line, start, end, -8.0 if "odd" in line else -0.1, -0.05))
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


def test_without_a_model_none_is_opened(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks, rules and analyzers alone speak, and nothing counts as left out."""

    def no_engine(*_: Any) -> Engine:
        raise AssertionError

    assert run(hunkwise, ["bench", str(cases), "--model", "none", "--json", "out.json"], no_engine) == 0
    measured = json.loads(Path("out.json").read_text())["metrics"]
    assert (measured["recall"], measured["incomplete"], measured["model_calls_per_diff"]) == (0.0, 0, 0.0)


METRICS = (
    "auroc", "average_precision", "recall", "false_alarm_rate", "balanced_accuracy", "pair_score",
    "line_precision", "line_recall", "line_f1", "comments_per_clean_diff", "reference_recall", "brier", "ece",
    "seconds_per_diff", "tokens_prefilled_per_diff",
)  # fmt: skip


def test_the_report_has_the_documented_keys(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics (null where the cases allow none), groups, a row for each case, and what made it all."""
    assert run(hunkwise, ["bench", str(cases), "--json", "out.json"], engine) == 0
    report = json.loads(Path("out.json").read_text())

    assert report.keys() == {"metrics", "by_group", "cases", "manifest"}
    assert set(METRICS) <= report["metrics"].keys()
    assert (report["metrics"]["pair_score"], report["metrics"]["pair_score_cases"]) == (0.75, 12)
    assert report["metrics"]["reference_recall"] is None
    groups = report["by_group"]
    assert {name: set(values) for name, values in groups.items()} == {
        "language": {"python"}, "category": {"call"}, "source": {"real"}, "year": set(), "needs": set(),
        "defect_form": set(), "severity": set(), "pattern": set(), "witness": {"likelihood"},
    }  # fmt: skip
    assert groups["language"]["python"].keys() == {"cases", *report["metrics"]}
    assert {row["id"] for row in report["cases"]} == {
        f"{kind}{n}" for kind in ("bug", "fix") for n in range(12)
    }
    (said,) = next(row for row in report["cases"] if row["id"] == "bug9")["remarks"]
    assert (said["path"], said["line"], said["said"]) == ("a.py", 2, True)
    manifest = report["manifest"]
    assert manifest["model_digest"] == "0" * 64
    assert len(manifest["prompt_digest"]) == 64
    assert manifest["calibration"] == "none"
    assert {"version", "engine", "settings", "form", "baseline", "model"} <= manifest.keys()
    assert "pair score (chance 25 %)" in capsys.readouterr().out


def test_an_interrupted_run_ends_as_if_it_had_not_been(cases: Path) -> None:
    """What the journal holds is not asked again, a row cut in half is; the report is the same but for the time."""
    asked: list[ScriptedEngine] = []

    def opened(*_: Any) -> Engine:
        asked.append(ScriptedEngine(_dislikes))
        return asked[-1]

    line = ["bench", str(cases), "--journal", "j", "--json", "out.json"]
    assert run(hunkwise, line, opened) == 0
    first, journal = Path("out.json").read_bytes(), Path("j").read_text().splitlines(keepends=True)
    Path("j").write_text("".join(journal[:-1]) + journal[-1][:40])
    assert run(hunkwise, line, opened) == 0
    assert len(asked[1].bundles) * 10 < len(asked[0].bundles)
    times = [_without_times(json.loads(data)) for data in (first, Path("out.json").read_bytes())]
    assert times[0] == times[1]


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(part) for key, part in value.items() if not key.startswith("seconds")}
    return [_without_times(part) for part in value] if isinstance(value, list) else value


def test_a_journal_of_other_settings_is_refused(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that were made in another way are not mixed in."""
    assert run(hunkwise, ["bench", str(cases), "--journal", "j"], engine) == 0
    for other in (["--form", "added"], ["--min-confidence", "0.1"], ["--baseline", "silent"]):
        assert run(hunkwise, ["bench", str(cases), "--journal", "j", *other], engine) == 2
        assert "belongs to a run with other settings" in capsys.readouterr().err


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_holds_whole_pairs(cases: Path, seed: int) -> None:
    """Every fix comes with its bug; the same seed draws the same cases."""
    line = [
        "bench",
        str(cases),
        "--sample",
        "6",
        "--seed",
        str(seed),
        "--baseline",
        "silent",
        "--json",
        "out.json",
    ]
    drawn = []
    for _ in range(2):
        assert run(hunkwise, line, engine) == 0
        drawn.append([row["id"] for row in json.loads(Path("out.json").read_text())["cases"]])

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 6
    assert {name[3:] for name in drawn[0] if name.startswith("bug")} == {name[3:] for name in drawn[0][1::2]}


def test_newly_written_code_has_its_lines_ranked(cases: Path) -> None:
    """With --form added each row has the most suspicious lines, and the table their hits."""
    assert run(hunkwise, ["bench", str(cases), "--form", "added", "--json", "out.json"], engine) == 0
    report = json.loads(Path("out.json").read_text())

    assert report["metrics"]["first_three"] == 1.0
    assert [line["line"] for line in report["cases"][-2]["lines"]] == [2, 1]


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
    assert "needs changes with and without a bug" in capsys.readouterr().err
