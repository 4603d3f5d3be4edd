from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hunkwise.reviewer.commands.setup.install_hook import command, script
from hunkwise.reviewer.errors import GitError, UsageError


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, in which the test runs."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    git(tmp_path, "init", "-q", "-b", "main", "r e p o")
    monkeypatch.chdir(tmp_path / "r e p o")
    return tmp_path / "r e p o"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


@pytest.mark.parametrize("stage", ["pre-commit", "pre-push"])
def test_installs(repository: Path, stage: str) -> None:
    """The hook is where git looks for it, can be run, and is renewed without a word."""
    for _ in range(2):
        result = invoke("--stage", stage)
        assert result.exception is None
    file = repository / ".git" / "hooks" / stage
    assert str(file) in result.output
    assert os.access(file, os.X_OK)
    assert subprocess.run(["sh", "-n", str(file)], check=False).returncode == 0


def test_git_runs_it(repository: Path) -> None:
    """A commit of nothing reviewable passes through the installed hook, which says so."""
    invoke()
    (repository / "empty").touch()
    git(repository, "add", ".")
    done = git(repository, "commit", "-m", "x")
    assert done.returncode == 0, done.stderr
    assert "hunkwise: nothing to review" in done.stderr


def test_foreign_hook_stays(repository: Path) -> None:
    """Another's hook is not overwritten without --force, and kept with it."""
    file = repository / ".git" / "hooks" / "pre-commit"
    file.parent.mkdir(exist_ok=True)
    file.write_text("#!/bin/sh\nexit 0\n")
    assert isinstance(invoke().exception, UsageError)
    assert file.read_text() == "#!/bin/sh\nexit 0\n"
    assert invoke("--force").exception is None
    assert "hunkwise" in file.read_text()
    assert file.with_name("pre-commit.old").read_text() == "#!/bin/sh\nexit 0\n"


def test_link_stays(repository: Path, tmp_path: Path) -> None:
    """A link is not written through, wherever it points."""
    file = repository / ".git" / "hooks" / "pre-commit"
    file.parent.mkdir(exist_ok=True)
    file.symlink_to(tmp_path / "target")
    assert isinstance(invoke().exception, UsageError)
    assert invoke("--force").exception is None
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_ours(repository: Path, make: Callable[[Path], None]) -> None:
    """A pipe in a hook's place holds nothing up, and --force puts it aside."""
    file = repository / ".git" / "hooks" / "pre-commit"
    file.parent.mkdir(exist_ok=True)
    make(file)
    assert isinstance(invoke().exception, UsageError)
    assert invoke("--force").exception is None
    assert file.is_file()


def test_hooks_path(repository: Path, tmp_path: Path) -> None:
    """core.hooksPath is followed; where it leads out of the repository the reach is said."""
    git(repository, "config", "core.hooksPath", "own hooks")
    assert "shared" not in invoke().stderr
    assert (repository / "own hooks" / "pre-commit").exists()
    git(repository, "config", "core.hooksPath", str(tmp_path / "all"))
    assert "shared" in invoke().stderr
    assert (tmp_path / "all" / "pre-commit").exists()


def test_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a repository there is a sentence."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert isinstance(invoke().exception, GitError)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else(repository: Path) -> None:
    """Why git does not read it is said, and what helps."""
    for path in (repository, repository / ".git"):
        os.chown(path, 1234, 1234)
    assert "safe.directory" in str(invoke().exception)


def test_uninstalled(tmp_path: Path) -> None:
    """Where hunkwise was uninstalled the commit goes on with a note."""
    file = tmp_path / "hook"
    file.write_text(script("pre-commit", tmp_path / "it's gone"))
    done = subprocess.run(
        ["/bin/sh", str(file)], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "not installed" in done.stderr
