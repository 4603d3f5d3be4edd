"""Reading labelled changes, running methods over them, and summing up."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import (
    Answer,
    Bundle,
    Choice,
    Choose,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    ScriptedEngine,
    TokenScore,
)
from hunkwise.reviewer.bench.baselines import BASELINES
from hunkwise.reviewer.bench.labelled.cases import Case, Place, _quoted, newly_written, read_cases, sample
from hunkwise.reviewer.bench.run import Remark, Row, our_ranking, ours, run, run_case
from hunkwise.reviewer.bench.spots import Suspected
from hunkwise.reviewer.bench.summary import by_group, summarise
from hunkwise.reviewer.bench.table import table
from hunkwise.reviewer.config.settings import Config
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
    (change,) = [newly_written(case).change() for case in read_cases([file]) if case.id == "bug"]
    (hunk,) = change.files[0].hunks

    assert [line.kind for line in hunk.lines] == ["added", "added"]
    assert [line.new_no for line in hunk.lines] == [1, 2]


LONG = "\n".join(
    ["import a", "", "def f(x):", "    return x + 1", "", "def g(x):", "    y = x", "    return y", ""]
)
GONE = "--- a/a.py\n+++ b/a.py\n@@ -6,4 +6,3 @@\n def g(x):\n-    check(x)\n     y = x\n     return y\n"
TOP = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-import b\n+import a\n"


@pytest.mark.parametrize(
    ("diff", "shown"),
    [(GONE, [6, 7, 8]), (TOP, [1, 2, 3, 4, 5, 6, 7, 8]), (TOP.replace("1 +1", "4 +4"), [3, 4, 5])],
)
def test_added_form_shows_the_function_or_the_file(tmp_path: Path, diff: str, shown: list[int]) -> None:
    """What encloses the change: the function it stands in, also where lines only went, else the whole file."""
    path = tmp_path / "one.jsonl"
    if "-4 +4" in diff:
        diff = diff.replace("+import a", "+    return x + 1").replace("-import b", "-    return x + 2")
    path.write_text(json.dumps(_single("x", diff, LONG, kind="bug", bug_lines=[7], file_path="a.py")))
    (case,) = read_cases([path])
    lines = [line for hunk in newly_written(case).change().files[0].hunks for line in hunk.lines]

    assert [line.new_no for line in lines] == shown
    assert {line.kind for line in lines} == {"added"}
    assert [line.text for line in lines] == [LONG.split("\n")[number - 1] for number in shown]


def test_added_form_of_a_very_long_file_shows_what_is_near(tmp_path: Path) -> None:
    """A file of thousands of lines is not read as a whole; one whose text is not known is left out."""
    text = "".join(f"a{n} = {n}\n" for n in range(1, 2001))
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1000 +1000 @@\n-a = 0\n+a1000 = 1000\n"
    path = tmp_path / "one.jsonl"
    rows = [_single("x", diff, text), {"id": "y", "diff": diff, "files": {}, "bugs": []}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    near, unknown = map(newly_written, read_cases([path]))

    (hunk,) = near.change().files[0].hunks
    assert (hunk.new_start, hunk.new_length) == (940, 121)
    assert unknown.change().files == ()


@pytest.mark.parametrize("name", ["a b.py", 'q"uote.py', "täb\t.py", "back\\slash.py"])
def test_added_form_keeps_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    """Also one that a diff has to quote."""
    diff = BUG.replace("a/a.py", _quoted("a", name)).replace("b/a.py", _quoted("b", name))
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(_single("x", diff, "def f(x):\n    return x - 1\n", file_path=name)))
    (case,) = read_cases([path])

    assert [file.path for file in newly_written(case).change().files] == [name]


def _surprised(bundle: Bundle, question: Question) -> Answer | None:
    """Hold lines for the less likely the more "odd" they hold."""
    if not isinstance(question, Score):
        return None
    tokens, start = [], 0
    for line in question.text.splitlines(keepends=True):
        end = start + len(line.encode())
        tokens.append(TokenScore(line, start, end, -0.1 - line.count("odd"), -0.05))
        start = end
    return Scored(question.id, tuple(tokens))


def test_lines_are_ranked_by_file() -> None:
    """The most surprising first, with their numbers; what ranking costs is no cost of the review."""
    text = "def f(x):\n    odd\n    fine\n    odd odd\n    return x\n"
    diff = "--- a/{0}\n+++ b/{0}\n@@ -2 +2 @@\n-    even\n+    odd\n"
    change = diff.format("b.py") + diff.format("a.py")
    case = Case(
        "c", "composite", change, {"a.py": text, "b.py": text}, True, (Place("b.py", (3,)),), "python"
    )
    engine, ranking = ScriptedEngine(_surprised), our_ranking(Config())
    ((_, row),) = run([newly_written(case)], ours(Config()), engine, None, "k", ranking)

    assert [(each.path, each.line) for each in row.lines][:3] == [("a.py", 4), ("a.py", 2), ("a.py", 5)]
    assert [each.line for each in row.lines if each.path == "b.py"] == [4, 2, 5, 3, 1]
    assert row.calls == run_case(newly_written(case), ours(Config()), ScriptedEngine(_surprised)).calls


def test_the_bug_counts_among_the_first_three_of_its_file() -> None:
    """The very line, not its neighbour, and whatever other files hold; without a ranking the remarks count."""
    bug = Case("c", "single", "", {}, True, (Place("b.py", (3,)),), "python")
    others = tuple(Suspected("a.py", n, 0.9) for n in range(1, 9))

    def first_three(*lines: int) -> float | None:
        ranked = (*others, *(Suspected("b.py", line, 0.5) for line in lines))
        share: float | None = summarise([(bug, replace(_row("c", 0.0), lines=ranked))])["first_three"]
        return share

    assert first_three(9, 8, 3, 7) == 1.0
    assert first_three(9, 8, 7, 3) == 0.0
    assert first_three(2, 4, 5) == 0.0
    assert summarise([(bug, _row("c", 0.2, Remark("b.py", 3, 0.2, "t", said=False)))])["first_three"] == 1.0


def test_an_interrupted_run_goes_on(file: Path, tmp_path: Path) -> None:
    """Finished cases come from the journal, a line cut off is done again, other settings are refused."""
    journal = tmp_path / "journal"
    cases = read_cases([file])
    first = list(run(cases[:2], ours(Config()), ScriptedEngine(), journal, "key"))
    journal.write_text(journal.read_text() + '{"key": "key", "id": "ma')
    asked = ScriptedEngine()
    again = list(run(cases[:2], ours(Config()), asked, journal, "key"))

    assert again == first
    assert asked.bundles == []
    with pytest.raises(UsageError, match="other settings"):
        list(run(cases, ours(Config()), asked, journal, "another"))


def test_cases_side_by_side_give_the_same_rows(file: Path, tmp_path: Path) -> None:
    """With several jobs the rows come in the same order and say the same, but for the time."""
    cases, journal = read_cases([file]), tmp_path / "journal"

    def untimed(jobs: int) -> list[Row]:
        made = run(cases, ours(Config()), ScriptedEngine(), journal if jobs > 1 else None, "key", jobs=jobs)
        return [replace(row, seconds=0.0) for _, row in made]

    assert untimed(3) == untimed(1)
    assert len(journal.read_text().splitlines()) == len(cases)


def test_other_tools_are_heard_and_counted_once(tmp_path: Path) -> None:
    """What a rule says too is the rule's remark; the rest is the tool's. Without the setting none is heard."""
    code = "import yaml\n\n\ndef load(text, seen=[]):\n    return yaml.load(text), NotThere\n"
    lines = code.splitlines()
    diff = f"--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(
        f"+{line}\n" for line in lines
    )
    path = tmp_path / "case.jsonl"
    path.write_text(json.dumps(_single("new", diff, code)))
    here = {"PATH": str(Path(sys.executable).parent)}

    def said(*analyzers: str) -> list[tuple[str, int]]:
        method = ours(Config(analyzers=analyzers), here, asking=False)
        ((_, row),) = run(read_cases([path]), method, ScriptedEngine(), None, "key")
        return sorted((remark.witness, remark.line) for remark in row.remarks if remark.said)

    alone = said("none")
    assert alone == [("rule", 5), ("rule", 5)]
    assert said("ruff") == [("ruff", 4), *alone]  # S506 and F821 are what the rules say


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
    assert (measured["line_precision"], measured["line_recall"]) == (2 / 3, 1.0)
    assert measured["reference_recall"] == 0.0
    assert measured["references"] == {"hits": 0, "misses": 1, "extra": 0}
    assert measured["noise_per_diff"] == 0.25
    assert (measured["seconds_per_diff"], measured["model_calls_per_diff"]) == (2.0, 3.0)
    assert by_group(pairs)["year"]["2025"]["cases"] == 2
    assert "AUROC" in table(measured, by_group(pairs))


def test_single_cases_have_figures_by_line_and_by_pair(file: Path) -> None:
    """A remark away from the bug is no hit, and a bug is told apart only at its line and with a silent twin."""
    bug, fix = read_cases([file])[:2]

    def measured(at: int, of_fix: tuple[Remark, ...] = ()) -> dict[str, Any]:
        row = replace(_row("bug", 0.9, Remark("a.py", at, 0.9, "t", witness="rule")), changed=2)
        return summarise([(bug, row), (fix, replace(_row("fix", 0.0, *of_fix), changed=8))])

    assert (measured(4)["line_recall"], measured(5)["line_recall"]) == (1.0, 0.0)
    assert (measured(4)["told_apart"], measured(5)["told_apart"]) == (1.0, 0.0)
    assert measured(4)["comments_per_100_lines"] == 10
    noisy = measured(2, (Remark("a.py", 1, 1.0, "t", witness="check"),))
    assert (noisy["line_precision"], noisy["told_apart"]) == (0.5, 0.0)


def test_witnesses_are_measured_one_by_one(file: Path) -> None:
    """What each would say if it alone spoke, over all the cases."""
    cases = read_cases([file])[:2]
    of_bug = (Remark("a.py", 2, 1.0, "t", witness="rule"), Remark("a.py", 9, 0.9, "t", witness="likelihood"))
    alone = by_group(list(zip(cases, [_row("bug", 1.0, *of_bug), _row("fix", 0.0)], strict=True)))["witness"]

    assert {name: row["line_precision"] for name, row in alone.items()} == {"rule": 1.0, "likelihood": 0.0}
    assert alone["rule"]["cases"] == 2


def test_a_case_tells_its_kind_of_defect(tmp_path: Path) -> None:
    """What has to be seen, where the bug is, how bad, of which kind; a right version names its bug as its twin."""
    more = {"needs": "diff", "defect_form": "added", "severity": "high", "pattern": "xss", "cwe": 79}
    rows = [_single("bug", BUG, "x", kind="bug", bug_lines=[2], twin="fix", **more)]
    rows.append(_single("fix", FIX, "x", twin="bug", pattern="xss"))
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bug, fix = read_cases([path])

    assert {name: getattr(bug, name) for name in more} == more
    assert (bug.pair_of, fix.pair_of) == ("", "bug")


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


def test_a_reply_that_copies_the_form_names_the_only_file(file: Path) -> None:
    """A small model writes "file" where the form says file; of several files that names none."""
    case = read_cases([file])[0]
    engine = ScriptedEngine(lambda _, question: Generated(question.id, "file:2: low: wrong sign", "stop"))
    two = replace(case, diff=case.diff + case.diff.replace("a.py", "b.py"))

    assert [remark.path for remark in BASELINES["ask-diff"](case, engine)[0]] == ["a.py"]
    assert BASELINES["ask-diff"](two, engine)[0] == ()


def test_silence_and_the_linter_ask_no_model(file: Path) -> None:
    """Both baselines work without a model; a linter finds nothing wrong with a turned sign."""
    case = read_cases([file])[0]

    assert BASELINES["silent"](case, ScriptedEngine()) == ((), False)
    assert BASELINES["linter"](case, ScriptedEngine()) == ((), False)
