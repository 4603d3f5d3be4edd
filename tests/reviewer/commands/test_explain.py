"""`hunkwise explain`: what a report holds of a remark, and ways to silence it that hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.findings.explaining import explain, plain_reason, silencing
from hunkwise.reviewer.report.interchange.json import load
from hunkwise.reviewer.types import Witness

CODE = "import yaml\n\n\ndef load(request):\n    return yaml.load(request.data)\n"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report with one remark, of a rule, on line 5."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "bad.py").write_text(CODE)
    assert said("review", "--scan", "bad.py", "-o", "json=report.json") == 0
    return tmp_path / "report.json"


def said(*arguments: str) -> int:
    return run(hunkwise, arguments, lambda *_: ScriptedEngine())


def test_explains_by_place_and_by_fingerprint(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both name the same remark, with its witness and what its number means."""
    name = load(report.read_bytes()).findings[0].fingerprint
    assert said("explain", "bad.py:5") == 0
    by_place = capsys.readouterr().out
    assert said("explain", name[:6]) == 0
    assert capsys.readouterr().out == by_place
    assert name in by_place
    assert "rule: a rule, which knows this kind of defect" in by_place


def test_what_it_says_to_write_silences(report: Path) -> None:
    """The comment, the rule's name and the glob are copied as they stand, and each of them holds."""
    finding = load(report.read_bytes()).findings[0]
    comment, _, rule, exclude = (way.text for way in explain(finding).silence)
    for change, settings in (
        (CODE.replace("data)", f"data)  {comment}"), ""),
        (CODE, rule),
        (CODE, exclude),
    ):
        Path("bad.py").write_text(change)
        Path(".hunkwise.toml").write_text(settings)
        assert said("review", "--scan", "bad.py", "-o", "json=again.json") == 0
        assert json.loads(Path("again.json").read_text())["findings"] == []


def test_reach_is_no_report_of_another_tool(report: Path) -> None:
    finding = replace(load(report.read_bytes()).findings[0], witnesses=(Witness("reach", "so it is"),))
    assert "the rest of the repository" in explain(finding).witnesses[0]


@pytest.mark.parametrize(
    "wanted", ["bad.py:6", "bad.py:x", "0000", "", "\x1b[31m", "bad.py:99999999999999999999"]
)
def test_refuses_what_is_not_there(report: Path, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence and exit code 2; what was asked for can't steer the terminal."""
    assert said("explain", wanted) == 2
    assert "has no remark" in (told := capsys.readouterr().err)
    assert "\x1b" not in told


@pytest.mark.parametrize("path", ["a.css", "a.html", "a.c", "a.py", "a.sql"])
def test_a_reason_stays_in_its_comment(report: Path, path: str) -> None:
    """Nothing in a reason ends the comment, or the line."""
    finding = replace(load(report.read_bytes()).findings[0], path=path)
    evil = "x */ --> #} %} ?> \n import os\u2028 `@team` " + "y" * 500
    comment = silencing(finding, evil)

    assert comment.count("*/") == comment.count("/* ")
    assert comment.count("-->") == comment.count("<!-- ")
    assert comment.isprintable()
    assert len(plain_reason(evil)) <= 120
