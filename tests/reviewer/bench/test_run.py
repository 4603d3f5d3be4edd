"""Reading labelled changes, running methods over them, and summing up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import Answer, Bundle, Choice, Choose, Generate, Generated, Question, ScriptedEngine
from hunkwise.reviewer.bench.baselines import BASELINES
from hunkwise.reviewer.bench.cases import as_added, read_cases, sample
from hunkwise.reviewer.bench.run import Remark, Row, ours, run
from hunkwise.reviewer.bench.summary import by_group, summarise
from hunkwise.reviewer.bench.table import table
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.errors import UsageError

BUG = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f(x):\n-    return x + 1\n+    return x - 1\n"
FIX = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f(x):\n-    return x - 1\n+    return x + 1\n"


def _single(name: str, diff: str, text: str, **more: Any) -> dict[str, Any]:
    row = {"id": name, "diff": diff, "file_path": "a.py", "new_file": text, "language": "python"}
    return row | {"kind": "clean", "group": "g", "date": "2025-03-01"} | more


ROWS = [
    _single("bug", BUG, "def f(x):\n    return x - 1\n", kind="bug-introducing", bug_lines=[2], category="x"),
    _single("fix", FIX, "def f(x):\n    return x + 1\n", pair_of="bug"),
    {"id": "many", "diff": BUG, "files": {"a.py": "def f(x):\n    return x - 1\n"}, "language": "python",
     "bugs": [{"file_path": "a.py", "bug_lines": [2], "description": "d"}]},
    {"id": "pull", "diff": BUG, "files": {}, "language": "python", "rejected_comments": [],
     "comments": [{"path": "a.py", "from_line": 2, "to_line": 2, "side": "right", "note": "n"}]},
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in ROWS)
    return path


def test_the_three_forms_are_told_apart(file: Path) -> None:
    """A case with a whole file is single, one with bugs a composite, one with comments a pull request."""
    cases = read_cases([file])

    assert [case.form for case in cases] == ["single", "single", "composite", "pull"]
    assert [case.buggy for case in cases] == [True, False, True, None]
    assert (cases[0].year, cases[1].pair_of, cases[3].places[0].lines) == (2025, "bug", (2,))


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}', '{"id": "x", "diff": "", "new_file": ""}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    """The error says which line of which file is no case."""
    path = tmp_path / "bad.jsonl"
    path.write_text("\n" + line + "\n")

    with pytest.raises(UsageError, match=r"bad\.jsonl:2: no labelled case"):
        read_cases([path])


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    """A file that is no gzip is an error, not a traceback."""
    path = tmp_path / "bad.jsonl.gz"
    path.write_bytes(b"not gzip")

    with pytest.raises(UsageError, match=r"bad\.jsonl\.gz"):
        read_cases([path])


def test_a_sample_keeps_a_fix_with_its_bug(file: Path) -> None:
    """A draw can be repeated, and never parts a pair."""
    cases = read_cases([file])
    drawn = {case.id for case in sample(cases, 1, 0)}

    assert drawn == {case.id for case in sample(cases, 1, 0)}
    assert ("bug" in drawn) == ("fix" in drawn)


def test_added_form_hides_the_old_text(file: Path) -> None:
    """Every line around the change is shown as newly written, with its true number."""
    (change,) = [as_added(case.change()) for case in read_cases([file]) if case.id == "bug"]
    (hunk,) = change.files[0].hunks

    assert [line.kind for line in hunk.lines] == ["added", "added"]
    assert [line.new_no for line in hunk.lines] == [1, 2]


def test_an_interrupted_run_goes_on(file: Path, tmp_path: Path) -> None:
    """Finished cases come from the journal, a line cut off is done again, other settings are refused."""
    journal = tmp_path / "journal"
    cases = read_cases([file])
    first = list(run(cases[:2], ours(Config(), "diff"), ScriptedEngine(), journal, "key"))
    journal.write_text(journal.read_text() + '{"key": "key", "id": "ma')
    asked = ScriptedEngine()
    again = list(run(cases[:2], ours(Config(), "diff"), asked, journal, "key"))

    assert again == first
    assert asked.bundles == []
    with pytest.raises(UsageError, match="other settings"):
        list(run(cases, ours(Config(), "diff"), asked, journal, "another"))


def _row(name: str, score: float, *remarks: Remark) -> Row:
    return Row(name, score, remarks, 2.0, 100, 50, 10, 3)


def test_metrics_of_a_run(file: Path) -> None:
    """Each metric comes from the cases that allow it."""
    cases = read_cases([file])
    hit = Remark("a.py", 2, 0.9, "t")
    rows = [_row("bug", 0.9, hit), _row("fix", 0.1), _row("many", 0.9, hit, Remark("a.py", 40, 0.6, "t"))]
    rows.append(_row("pull", 0.2, Remark("a.py", 2, 0.2, "t", said=False)))
    pairs = list(zip(cases, rows, strict=True))
    measured = summarise(pairs)

    assert (measured["recall"], measured["false_alarm_rate"], measured["pair_score"]) == (1.0, 0.0, 1.0)
    assert (measured["auroc"], measured["average_precision"]) == (1.0, 1.0)
    assert (measured["line_precision"], measured["line_recall"]) == (0.5, 1.0)
    assert measured["reference_recall"] == 0.0
    assert (measured["seconds_per_diff"], measured["model_calls_per_diff"]) == (2.0, 3.0)
    assert by_group(pairs)["year"]["2025"]["cases"] == 2
    assert "AUROC" in table(measured, by_group(pairs))


def test_metrics_of_nothing() -> None:
    """Without cases every share is unknown and nothing breaks."""
    assert summarise([])["auroc"] is None
    assert table(summarise([]), by_group([])) != ""


def _peer(bundle: Bundle, question: Question) -> Answer | None:
    match question:
        case Generate(schema=None):
            return Generated(question.id, "a.py:2: high: wrong sign\nnothing else", "stop")
        case Generate():
            return Generated(
                question.id, '[{"line": 2, "severity": "high", "message": "wrong sign"}]', "schema"
            )
        case Choose():
            return Choice(question.id, (0.8, 0.2), (-0.2, -1.6))
    return None


@pytest.mark.parametrize("name", ["ask-diff", "ask-hunk-json", "yes-no", "first-line"])
def test_each_baseline_remarks_on_the_line(file: Path, name: str) -> None:
    """The peers' ways of asking run through the same engine and end in the same remarks."""
    case = read_cases([file])[0]
    remarks, incomplete = BASELINES[name](case, ScriptedEngine(_peer))

    assert [(remark.path, remark.line, remark.said) for remark in remarks] == [("a.py", 2, True)]
    assert not incomplete


def test_silence_and_the_linter_ask_no_model(file: Path) -> None:
    """Both baselines work without a model; a linter finds nothing wrong with a turned sign."""
    case = read_cases([file])[0]

    assert BASELINES["silent"](case, ScriptedEngine()) == ((), False)
    assert BASELINES["linter"](case, ScriptedEngine()) == ((), False)
