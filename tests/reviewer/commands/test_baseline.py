"""The baseline: what it silences, and whose word it is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.app.baseline import read_baseline
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.findings.baseline import Entry, parse, render
from hunkwise.reviewer.report.interchange.json import ReportError

SECRET = "ghp_" + "a1B2" * 9  # found by a check that needs no model
RANGE = ["--from", "main", "--to", "topic", "--format", "json"]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose branch `topic` adds a finding, and then writes it into the baseline itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.py").write_text("import os\n")
    review("-o", "json=known.json", "a.patch")
    git(tmp_path, "add", "a.py", "known.json")
    git(tmp_path, "commit", "-q", "-m", "base")
    git(tmp_path, "switch", "-q", "-c", "topic")
    (tmp_path / "a.py").write_text(f"import os\n\ntoken = '{SECRET}'\n")
    git(tmp_path, "commit", "-q", "-am", "a finding")
    assert review(*RANGE, "-o", "known.json") == 0
    git(tmp_path, "commit", "-q", "-am", "and its silence")
    return tmp_path


def review(*arguments: str) -> int:
    Path("a.patch").touch()
    return run(hunkwise, ["review", *arguments], lambda *_: ScriptedEngine())


def found(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    """Review the branch; gives the number of findings, and why others were silenced."""
    capsys.readouterr()
    assert review(*RANGE, "--baseline-file", "known.json", *options) == 0
    report = json.loads(capsys.readouterr().out)
    return len(report["findings"]), [one["silenced"] for one in report["rejected"] if one["silenced"]]


def test_what_a_baseline_knows_is_silenced_and_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On your own machine the file counts as it lies there."""
    assert found(capsys) == (0, ["baseline"])


def test_a_change_can_not_write_itself_into_the_baseline(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stranger's change is held against the baseline as it was before, even behind a link."""
    assert found(capsys, "--untrusted") == (1, [])
    (here / "elsewhere.json").write_bytes((here / "known.json").read_bytes())
    (here / "known.json").unlink()
    (here / "known.json").symlink_to(here / "elsewhere.json")
    assert found(capsys, "--untrusted") == (1, [])


def test_without_a_commit_before_an_untrusted_change_has_no_baseline(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bare diff does not say what stood before it: the baseline is left out, and that is said."""
    (here / "b.patch").write_text(f"--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+t = '{SECRET}'\n")
    assert review("b.patch", "--untrusted", "--baseline-file", "known.json") == 0
    said = capsys.readouterr()
    assert "the baseline is not used" in said.err
    assert "b.py" in said.out


def test_a_baseline_that_can_not_be_read_is_named(here: Path) -> None:
    """A missing file says how to write one; one missing before says where it was looked for."""
    with pytest.raises(ConfigError, match="write one with"):
        read_baseline(Config(baseline_file="gone.json"), here, os.environ)
    with pytest.raises(ConfigError, match="not in main"):
        read_baseline(Config(baseline_file="gone.json"), here, os.environ, "main")
    with pytest.raises(ConfigError, match="can't be used"):
        read_baseline(Config(baseline_file="a.py"), here, os.environ, "main")


def note(*arguments: str) -> int:
    return run(hunkwise, ["baseline", "found.json", *arguments])


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set what day it is, for the commands."""

    def turn(day: str) -> None:
        monkeypatch.setattr("hunkwise.reviewer.commands.baseline.today", lambda: date.fromisoformat(day))
        monkeypatch.setattr("hunkwise.reviewer.app.review.today", lambda: date.fromisoformat(day))

    return turn


def test_a_finding_is_noted_with_a_reason_and_a_last_day(
    here: Path, capsys: pytest.CaptureFixture[str], today: Callable[[str], None]
) -> None:
    """Until that day it is silenced and shown with the reason, after it it is said again, and counted."""
    today("2026-12-01")
    assert review(*RANGE, "-o", "found.json") == 0
    assert note("--reason", "a test token", "--until", "2027-01-01") == 0
    assert "1 known findings, 1 of them new" in capsys.readouterr().out
    options = (*RANGE, "--baseline-file", ".hunkwise/baseline.json", "-o", "a.json", "-o", "sarif=a.sarif")

    today("2027-01-01")
    assert review(*options) == 0
    report, sarif = json.loads(Path("a.json").read_text()), json.loads(Path("a.sarif").read_text())
    assert report["findings"] == []
    assert [one["reason"] for one in report["rejected"] if one["silenced"]] == [
        "known from the baseline: a test token"
    ]
    (suppressed,) = [one["suppressions"] for one in sarif["runs"][0]["results"]]
    assert suppressed[0]["justification"] == "known from the baseline: a test token"

    today("2027-01-02")
    assert review(*options) == 0
    report = json.loads(Path("a.json").read_text())
    assert (len(report["findings"]), report["manifest"]["settings"]["baseline_expired"]) == (1, 1)
    assert "have ended" in capsys.readouterr().err


def test_noting_again_keeps_renews_and_drops(here: Path, today: Callable[[str], None]) -> None:
    """What is found again is renewed, what holds is kept as it is, what has ended is dropped."""
    old = {
        name: Entry(name * 32, "a.py", "t", "old", until)
        for name, until in (("1", "2026-01-01"), ("2", None))
    }
    Path(".hunkwise").mkdir()
    file = Path(".hunkwise/baseline.json")
    file.write_text(render({entry.fingerprint: entry for entry in old.values()}))
    today("2026-12-01")
    assert review(*RANGE, "-o", "found.json") == 0
    assert note("--reason", "new") == 0
    after = parse(file.read_bytes())
    assert sorted(entry.reason for entry in after.values()) == ["new", "old"]
    assert "2" * 32 in after
    assert note("--reason", "newer") == 0
    assert sorted(entry.reason for entry in parse(file.read_bytes()).values()) == ["newer", "old"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "2020-01-01"), "has passed"),
        (("--until", "soon"), "does not match"),
        (("--only", "f" * 32), "no finding with the fingerprint"),
        (("--file", "a.py"), "of no known form"),
    ],
)
def test_a_mistake_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """A day in the past, an unknown finding, or a file that is no baseline."""
    review(*RANGE, "-o", "found.json")
    capsys.readouterr()
    assert note(*arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"form": "hunkwise-baseline", "version": 2, "entries": []},
        {"form": "hunkwise-baseline", "version": 1, "entries": [{"fingerprint": "1"}]},
        {
            "form": "hunkwise-baseline",
            "version": 1,
            "entries": [{"fingerprint": "1", "path": "a", "title": "t", "reason": "", "until": "2027-13-01"}],
        },
    ],
)
def test_a_file_of_another_form_is_refused(wrong: object) -> None:
    """A wrong version, key or day is no silence."""
    with pytest.raises(ReportError):
        parse(json.dumps(wrong).encode())


def test_a_report_that_is_none_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be read is said with the file that it is in."""
    (here / "bad.json").write_text('{"a":')
    assert run(hunkwise, ["baseline", "bad.json"]) == 2
    assert "bad.json: the report is no JSON" in capsys.readouterr().err
