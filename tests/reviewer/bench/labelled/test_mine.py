"""Mining a history: what a fix removes, and the commit that wrote it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from hunkwise.reviewer.bench.labelled.cases import read_cases
from hunkwise.reviewer.bench.labelled.mine import mine, ordinary
from hunkwise.reviewer.commands.quality.mine import command

START = "def total(rows):\n    return sum(rows)\n"
BUG = START + "\n\ndef last(rows):\n    n = len(rows)\n    return rows[n]\n"
FIXED = BUG.replace("rows[n]", "rows[n - 1]")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository in which a commit wrote a bug, and another put it right."""
    _git(tmp_path, "init", "-q", "-b", "main")
    for subject, text in (
        ("Add totals", START),
        ("Give the last row", BUG),
        ("Fix last() reading one past the end", FIXED),
        ("Fix typo in the docs of last", FIXED.replace("def total", "# the sum\ndef total")),
    ):
        (tmp_path / "rows.py").write_text(text, "utf-8")
        _git(tmp_path, "add", ".")
        _git(tmp_path, "commit", "-q", "-m", subject)
    return tmp_path


def _git(folder: Path, *command: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *who, *command], check=True)


def test_a_fix_names_the_change_that_brought_the_bug(history: Path) -> None:
    """The case is the commit that wrote the line, with the line as it stood there."""
    (found,) = mine(history, 10, os.environ)

    assert found["bug_lines"] == [7]
    assert found["new_file"] == BUG
    assert found["description"] == "Fix last() reading one past the end"
    assert found["defect_form"] == "added"
    assert (found["added"], found["removed"]) == (5, 0)


def test_lines_that_two_commits_wrote_name_no_change(history: Path) -> None:
    """Of a fix of several lines one commit wrote all, where they stood then, or it is none."""
    text = "# rows\n" + FIXED.replace("return sum(rows)", "return sum(rows[n:])").replace("n - 1", "n - 2")
    (history / "rows.py").write_text(text, "utf-8")
    _git(history, "commit", "-q", "-am", "Fix both sums of the rows")
    (history / "rows.py").write_text(
        text.replace("sum(rows[n:])", "sum(rows)").replace("n - 2", "n - 1"), "utf-8"
    )
    _git(history, "commit", "-q", "-am", "Fix what the fix of the rows broke")

    assert [found["bug_lines"] for found in mine(history, 10, os.environ)] == [[3, 8], [7]]


def test_what_is_mined_is_what_bench_reads(history: Path, tmp_path: Path) -> None:
    """The verb writes the form of labelled changes."""
    out = tmp_path / "mined.jsonl"
    done = CliRunner().invoke(command, [str(history), "-o", str(out)])

    assert done.exit_code == 0
    assert f"hunkwise bench {out}" in done.output
    (case,) = read_cases([out])
    assert case.buggy
    assert case.places[0].lines == (7,)
    assert case.change().files[0].path == "rows.py"


def test_a_history_without_a_fix_gives_no_file(history: Path, tmp_path: Path) -> None:
    """And says so."""
    out = tmp_path / "mined.jsonl"
    done = CliRunner().invoke(command, [str(history), "-o", str(out), "--from", "main~2"])

    assert done.exit_code == 0
    assert "None of the last 20,000 commits is a fix" in done.output
    assert not out.exists()


def test_ordinary_commits_are_drawn_the_same_each_time(history: Path, tmp_path: Path) -> None:
    """Those that alter code, without a labelled bug; a commit that only adds says nothing of old text."""
    out = tmp_path / "ordinary.jsonl"
    done = CliRunner().invoke(command, [str(history), "-o", str(out), "--ordinary", "--seed", "1"])

    assert done.exit_code == 0
    (case,) = read_cases([out])
    assert (case.form, case.buggy, case.places) == ("composite", False, ())
    assert case.changed_lines() == 2
    assert list(ordinary(history, 5, os.environ, 2)) == list(ordinary(history, 5, os.environ, 2))


@pytest.mark.parametrize(
    "subject", ["fix", "fix: tcp", "Fix typo in the parser of rows", "Add a cache for the rows"]
)
def test_a_subject_that_promises_no_fix_is_passed_over(history: Path, subject: str) -> None:
    """Work on something new, words and style are no fixes."""
    (history / "rows.py").write_text(FIXED.replace("sum(rows)", "sum(rows, 0)"), "utf-8")
    _git(history, "commit", "-q", "-am", subject)

    assert [json.loads(json.dumps(found))["bug_lines"] for found in mine(history, 10, os.environ)] == [[7]]
