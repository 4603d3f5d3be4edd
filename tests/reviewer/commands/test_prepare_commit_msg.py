"""The hook that begins messages: real commits of a real git, whose editor keeps what it was shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.commands.setup.install_hook import script

TITLE = "Change `x < 1` to `x <= 1` in `f`"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a commit, a staged change, and the hook."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncp "$1" "{tmp_path}/shown"\necho mine > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("GIT_EDITOR", str(editor))
    folder = tmp_path / "r e p o"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "-q", "-b", "main")
    Path("a.py").write_text("def f(x):\n    return x < 1\n")
    git("add", "a.py")
    git("commit", "-q", "-m", "base")
    Path("a.py").write_text("def f(x):\n    return x <= 1\n")
    git("add", "a.py")
    hook = Path(".git/hooks/prepare-commit-msg")
    hook.parent.mkdir(exist_ok=True)
    program = tmp_path / "hunkwise"
    program.write_text(f"#!{sys.executable} -P\nfrom hunkwise.reviewer.cli import main\nmain()\n")
    program.chmod(0o755)
    patient = script("prepare-commit-msg", program).replace(' "$@"', ' --time-limit 60 "$@"')
    hook.write_text(patient)
    hook.chmod(0o755)
    return tmp_path


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


def shown(here: Path) -> str:
    return (here / "shown").read_text() if (here / "shown").exists() else ""


def test_a_plain_commit_has_its_message_begun(here: Path) -> None:
    """The editor sees the title on the first line and git's own comments below; what it writes holds."""
    git("commit", "-q", "-v")

    assert shown(here).startswith(f"{TITLE}\n")
    assert "# Please enter the commit message" in shown(here)
    assert git("log", "-1", "--format=%s").strip() == "mine"


EMPTY = "\n# what git says\n"


def begun(here: Path, *arguments: str, text: str = EMPTY) -> bool:
    """Call the hook on a message; tell whether it was changed."""
    message = here / "message"
    message.write_text(text)
    assert run(hunkwise, ["prepare-commit-msg", "--time-limit", "60", str(message), *arguments]) == 0
    assert [path.name for path in here.glob("message*")] == ["message"]
    return message.read_text() != text


@pytest.mark.parametrize(
    "name", ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "sequencer"]
)
def test_what_is_under_way_is_left_alone(here: Path, name: str) -> None:
    """Git keeps these while it rebases, merges, picks and reverts."""
    (Path(".git") / name).mkdir()

    assert not begun(here)


def test_messages_of_others_are_left_alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What -m, an amended commit, a template and pre-commit hand on, and a message that somebody began."""
    assert not begun(here, "message")
    assert not begun(here, "commit", "HEAD")
    assert not begun(here, "template")
    assert not begun(here, text="mine\n\n# what git says\n")
    monkeypatch.setenv("PRE_COMMIT_COMMIT_MSG_SOURCE", "merge")
    assert not begun(here)
    monkeypatch.delenv("PRE_COMMIT_COMMIT_MSG_SOURCE")
    monkeypatch.setenv("HUNKWISE_SKIP", "1")
    assert not begun(here)


def test_it_never_blocks(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing staged, a message that is not there, a time that is over: nothing is written."""
    git("reset", "-q", "--hard")
    assert not begun(here)
    assert run(hunkwise, ["prepare-commit-msg", "nowhere/at/all"]) == 0

    def late(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("describe", 1)

    monkeypatch.setattr(subprocess, "run", late)
    assert not begun(here)


def test_a_hook_whose_program_is_gone_lets_git_go_on(here: Path) -> None:
    """An uninstalled hunkwise, and one that fails, stop no commit."""
    (here / "hunkwise").write_text("#!/bin/sh\nexit 3\n")
    git("commit", "-q")
    assert shown(here).startswith("\n")
