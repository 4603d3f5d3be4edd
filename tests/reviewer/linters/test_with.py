"""`review --with` and `--analyzers`: other tools in a review, from end to end and without a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import Engine
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.report import FORMATS

DIFF = """\
diff --git a/load.py b/load.py
new file mode 100644
--- /dev/null
+++ b/load.py
@@ -0,0 +1,6 @@
+import yaml
+
+
+def load(text, seen=[]):
+    log(seen, text)
+    return yaml.load(text)
"""


def never(*_: Any) -> Engine:
    raise AssertionError("a model was opened")


def report(*results: tuple[str, int], path: str = "load.py", tool: str = "ruff") -> str:
    """Write a SARIF log."""
    where = {"artifactLocation": {"uri": path}}
    said = [
        {
            "ruleId": rule,
            "message": {"text": f"{rule}: \x1b[31m<b>bad</b>\u202e"},
            "locations": [{"physicalLocation": {**where, "region": {"startLine": line}}}],
        }
        for rule, line in results
    ]
    return json.dumps({"runs": [{"tool": {"driver": {"name": tool}}, "results": said}]})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "x.patch").write_text(DIFF)
    (tmp_path / "r.sarif").write_text(report(("B006", 4), ("S506", 6), ("E501", 5), ("D103", 4)))
    return tmp_path


def reviewed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert run(hunkwise, ["review", "x.patch", "--format", "json", *options], never) in (0, 1)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_report_speaks_in_a_review(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a tool says of new lines is said with its name and page; noise is not, and no model is opened."""
    document = reviewed(capsys, "--with", "sarif=r.sarif")
    said = {found["source"]["rule"]: found for found in document["findings"]}
    assert said["B006"]["source"]["tool"] == "ruff"
    assert said["B006"]["calibrated"] is False
    assert "E501" not in said
    assert "D103" not in said
    assert document["manifest"]["settings"]["analyzers"] == "ruff"
    assert run(hunkwise, ["review", "x.patch", "--with", "sarif=r.sarif", "--fail-on", "medium"], never) == 1
    text = capsys.readouterr().out
    assert "load.py:4:1: medium:" in text
    assert "[correctness, ruff B006, not measured]" in text
    assert "\x1b[31m<b>" not in text


def test_a_rule_of_ours_and_a_tool_say_it_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a rule of ours says of the line too is one remark, and both are its witnesses."""
    document = reviewed(capsys, "--with", "sarif=r.sarif")
    (yaml,) = (found for found in document["findings"] if found["start_line"] == 6)
    assert yaml["source"]["rule"] == "python-yaml-load-unsafe"
    assert [witness["name"] for witness in yaml["witnesses"]] == ["rule", "ruff"]


@pytest.mark.parametrize("form", FORMATS.rows)
def test_every_format_says_it(here: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    """No format hides a tool's remark, and none lets its text act."""
    assert run(hunkwise, ["review", "x.patch", "--with", "sarif=r.sarif", "--format", form], never) == 0
    out = capsys.readouterr().out
    assert "B006" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_projects_choose(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules off, severities, kinds and comments hold for other tools too."""
    assert {"B006", "python-yaml-load-unsafe"} <= rules(reviewed(capsys, "--with", "sarif=r.sarif"))
    (here / ".hunkwise.toml").write_text(
        'disabled_rules = ["python-*", "ruff:S5*"]\nrule_severities = ["ruff:B006=critical"]\n'
    )
    document = reviewed(capsys, "--with", "sarif=r.sarif")
    assert rules(document) == {"B006"}
    assert document["findings"][0]["severity"] == "critical"
    assert "B006" not in rules(reviewed(capsys, "--with", "sarif=r.sarif", "--categories", "security"))
    (here / "x.patch").write_text(
        DIFF.replace("seen=[]):", "seen=[]):  # hunkwise: ignore[ruff:b006] -- meant")
    )
    assert "B006" not in rules(reviewed(capsys, "--with", "sarif=r.sarif"))


def rules(document: dict[str, Any]) -> set[str]:
    return {found["source"]["rule"] for found in document["findings"]}


def test_other_tools_take_no_place_of_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many remarks of a tool are cut by themselves, the worst first; the rest is counted."""
    (here / "r.sarif").write_text(
        report(*((f"X{number}", 4) for number in range(40)), ("B006", 5), tool="ruff")
    )
    document = reviewed(capsys, "--with", "sarif=r.sarif", "--max-comments", "2")
    assert "python-yaml-load-unsafe" in rules(document)
    assert sum("over --max-comments" in each["reason"] for each in document["rejected"]) == 39


def test_a_report_of_another_folder_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no path of a report is in the repository, the user learns of it."""
    (here / "r.sarif").write_text(report(("B006", 4), path="file:///elsewhere/load.py"))
    assert run(hunkwise, ["review", "x.patch", "--with", "sarif=r.sarif"], never) == 0
    assert "r.sarif: none of its remarks (1) is on a file in" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sarif", "must be FORMAT=FILE, with a format of sarif, rdjson"),
        ("sarf=x", "must be FORMAT=FILE"),
        ("sarif=", "must be FORMAT=FILE"),
        ("sarif=none.sarif", "none.sarif: can't be read: No such file or directory"),
        ("eslint=r.sarif", "r.sarif: the report: must be a list of files"),
        ("checkstyle=r.sarif", "r.sarif: line 1, column 1: no XML"),
    ],
)
def test_a_report_that_can_not_be_read_is_a_usage_error(
    here: Path, capsys: pytest.CaptureFixture[str], given: str, message: str
) -> None:
    """Exit code 2 and one sentence that names the file and the place."""
    assert run(hunkwise, ["review", "x.patch", "--with", given], never) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def fake_ruff(here: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> None:
    """Put a program that calls itself ruff on the path."""
    folder = here / "bin"
    folder.mkdir()
    (folder / "ruff").write_text(f"#!/bin/sh\ncat <<'END'\n{prints}\nEND\n")
    (folder / "ruff").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


SAID = json.dumps(
    [
        {
            "code": "B006",
            "filename": "load.py",
            "message": "Mutable default",
            "location": {"row": 4, "column": 16},
            "end_location": {"row": 4, "column": 18},
            "url": "https://docs.astral.sh/ruff/rules/mutable-argument-default",
        }
    ]
)


def test_a_tool_that_is_named_is_run(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the flag, the variable or the file; by default none is. The review says who has read what."""
    fake_ruff(here, monkeypatch, SAID)
    assert "B006" not in rules(reviewed(capsys))
    document = reviewed(capsys, "--analyzers", "ruff")
    assert "B006" in rules(document)
    assert document["manifest"]["settings"]["analyzers"] == "ruff"
    assert document["skipped"][0]["reason"].endswith("read by ruff")
    assert "B006" in rules(reviewed(capsys, "--analyzers", "auto"))
    (here / ".hunkwise.toml").write_text('analyzers = ["ruff"]\n')
    assert "B006" in rules(reviewed(capsys))
    assert "B006" not in rules(reviewed(capsys, "--analyzers", "none"))
    monkeypatch.setenv("HUNKWISE_ANALYZERS", "none")
    assert "B006" not in rules(reviewed(capsys))


def test_a_tool_that_fails_leaves_the_review_incomplete(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the review is made; the report names the file and the reason, and the exit code is 3."""
    fake_ruff(here, monkeypatch, "nonsense")
    assert run(hunkwise, ["review", "x.patch", "--analyzers", "ruff"], never) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "load.py: ruff: its output can't be read: line 1, column 1: no JSON" in out
    assert "python-yaml-load-unsafe" in out
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(hunkwise, ["review", "x.patch", "--analyzers", "shellcheck"], never) == 0


def test_a_stranger_chooses_no_tool(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --untrusted, the setting of the change itself counts for nothing, and no program of it is found."""
    fake_ruff(here, monkeypatch, SAID)
    (here / ".git").mkdir()
    (here / ".hunkwise.toml").write_text('analyzers = ["ruff"]\n')
    capsys.readouterr()
    assert run(hunkwise, ["review", "x.patch", "--untrusted", "--format", "json"], never) == 0
    said = capsys.readouterr()
    assert "B006" not in said.out
    assert "analyzers is ignored, because it comes from the change itself" in said.err
    options = ["--untrusted", "--analyzers", "ruff", "--format", "json"]
    run(hunkwise, ["review", "x.patch", *options], never)
    assert "Mutable default" not in capsys.readouterr().out  # a real ruff may be beside our own Python


@pytest.mark.parametrize(
    ("names", "message"), [("staticcheck", "staticcheck is not run here"), ("rough", "one of")]
)
def test_a_tool_that_is_not_run_is_a_usage_error(
    here: Path, capsys: pytest.CaptureFixture[str], names: str, message: str
) -> None:
    """Exit code 2, and why."""
    assert run(hunkwise, ["review", "x.patch", "--analyzers", names], never) == 2
    assert message in " ".join(capsys.readouterr().err.split())
