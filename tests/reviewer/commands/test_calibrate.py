"""`hunkwise calibrate --of` from end to end: what it writes is what a review reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")

from hunkwise.engine import (
    Answer,
    Bundle,
    Choice,
    Choose,
    Engine,
    Generate,
    Generated,
    Question,
    ScriptedEngine,
)
from hunkwise.reviewer.cli import hunkwise, run

MODEL = "0" * 64


def _script(bundle: Bundle, question: Question) -> Answer | None:
    """Hold for wrong what concatenates SQL, and claim so."""
    code = "".join(segment.text for segment in bundle.shared)
    wrong = "+ name" in code
    if isinstance(question, Choose):
        odds = (2.0 if wrong else -2.0) * (1 if question.id.endswith("wrong first") else -1)
        return Choice(question.id, (0.5, 0.5), (odds, 0.0))
    if isinstance(question, Generate) and question.id.startswith("claims"):
        claim = {"line": 2, "dimension": "security", "severity": "high", "fix": ""}
        words = {"claim": "The name becomes SQL.", "when": "With a quote in the name."}
        return Generated(question.id, json.dumps({"defects": [claim | words] if wrong else []}), "schema")
    return None


def engine(*_: Any) -> Engine:
    """Open the scripted engine instead of a model."""
    return ScriptedEngine(_script)


def _case(number: int, wrong: bool) -> dict[str, Any]:
    given = "'select ' + name" if wrong else "'select ?', name"
    text = f"def f{number}(db, name):\n    db.execute({given})\n"
    added = "".join(f"+{line}\n" for line in text.splitlines())
    row = {
        "id": f"{'bug' if wrong else 'fix'}{number}",
        "diff": f"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n{added}",
        "file_path": "a.py",
        "new_file": text,
        "language": "python",
        "kind": "bug" if wrong else "clean",
        "group": f"g{number}",
    }
    return row | ({"bug_lines": [2]} if wrong else {"pair_of": f"bug{number}"})


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty files that concatenate SQL, and the right version of each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    path = tmp_path / "cases.jsonl"
    rows = [_case(number, wrong) for number in range(40) for wrong in (True, False)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_what_is_measured_of_questions_lets_a_review_ask_them(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that tells right from wrong SQL may be asked for it afterwards, and says what that is worth."""
    (Path("new.patch")).write_text(_case(99, wrong=True)["diff"])
    assert run(hunkwise, ["calibrate", "--of", "questions", "--write", "own.json", str(cases)], engine) == 0
    entry = json.loads(capsys.readouterr().out)
    table = json.loads(Path("own.json").read_text())

    assert table["models"][MODEL] == entry
    assert {figures["python"]["auroc"] for figures in entry["questions"].values()} == {1.0}
    review = ["review", "new.patch", "--format", "json", "--asked", "on", "--competence-file"]
    spoken = _witnesses([*review, "own.json"], capsys) - {"asked", "rule"}
    skilled = {
        f"question {name}" for name, figures in entry["questions"].items() if figures["all"]["low"] == 1
    }
    assert spoken
    assert spoken <= skilled
    assert _witnesses([*review, "none"], capsys) - {"asked", "rule"} == set()


def _witnesses(verb: list[str], capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Name who speaks for what a review found, said or not."""
    assert run(hunkwise, verb, engine) == 0
    made = json.loads(capsys.readouterr().out)
    found = [*made["findings"], *(drop["finding"] for drop in made["rejected"])]
    return {witness["name"] for one in found for witness in one["witnesses"]}


def test_a_free_review_is_measured_beside_the_questions(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file holds both; measuring the one keeps the other."""
    for witness in ("questions", "asked"):
        assert run(hunkwise, ["calibrate", "--of", witness, "--write", "own.json", str(cases)], engine) == 0
    entry = json.loads(Path("own.json").read_text())["models"][MODEL]

    assert entry["free"] == {"said": 40, "right": 40}
    assert entry["together"]["defects"] >= 40
    capsys.readouterr()


def test_an_interrupted_measuring_goes_on_from_its_journal(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in the journal is not asked again, and one of other questions is refused."""
    verb = ["calibrate", "--of", "questions", "--journal", "j.jsonl", str(cases)]
    assert run(hunkwise, verb, engine) == 0
    first = capsys.readouterr().out

    def silent(*_: Any) -> Engine:
        def script(bundle: Bundle, question: Question) -> Answer:
            raise AssertionError

        return ScriptedEngine(script)

    assert run(hunkwise, verb, silent) == 0
    assert capsys.readouterr().out == first
    assert run(hunkwise, [*verb, "--context-tokens", "7"], engine) == 2
    assert "another model or prompt" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"models": 3}'])
def test_a_file_that_is_no_table_is_left_alone(
    cases: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """It is refused before anything is measured."""
    Path("own.json").write_text(text)

    assert run(hunkwise, ["calibrate", "--of", "questions", "--write", "own.json", str(cases)], engine) == 2
    assert "--write own.json" in capsys.readouterr().err
    assert Path("own.json").read_text() == text


@pytest.mark.parametrize("witness", ["asked", "questions"])
def test_a_witness_is_measured_alone(cases: Path, capsys: pytest.CaptureFixture[str], witness: str) -> None:
    """The table and the JSON are those of any measurement."""
    verb = ["bench", "--witness", witness, "--json", "out.json", "--sample", "8", str(cases)]
    assert run(hunkwise, verb, engine) == 0
    report = json.loads(Path("out.json").read_text())

    assert report["metrics"]["auroc"] == 1.0
    assert all(name.split()[0] in ("asked", "question") for name in report["by_group"]["witness"])
    capsys.readouterr()


@pytest.mark.parametrize("other", [["--baseline", "silent"], ["--model", "none"]])
def test_a_witness_of_the_model_is_no_baseline(
    cases: Path, capsys: pytest.CaptureFixture[str], other: list[str]
) -> None:
    """What excludes each other is refused."""
    assert run(hunkwise, ["bench", "--witness", "asked", *other, str(cases)], engine) == 2
    assert "--witness" in capsys.readouterr().err


def test_a_model_of_any_size_can_be_asked(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both flags open the model for new code, which nobody else asks it about."""
    Path("new.patch").write_text(_case(99, wrong=True)["diff"])
    for flag in (["--witness", "asked"], ["--asked", "on"]):
        assert "asked" in _witnesses(["review", "new.patch", "--format", "json", *flag], capsys)
