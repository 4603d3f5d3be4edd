"""The hook, run by pre-commit itself on a real repository."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Tool = Callable[..., Any]
Blocks = Callable[[str, str], list[str]]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def environment(home: Path) -> dict[str, str]:
    """The environment without what hooks and hunkwise read, with pre-commit's folder in `home`."""
    hidden = ("HUNKWISE_", "GIT_", "PRE_COMMIT", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {**kept, "PRE_COMMIT_HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}


def test_manifest(root: Path, tool: Tool) -> None:
    """pre-commit takes the manifest."""
    done = tool("pre-commit", "validate-manifest", root / ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def test_documentation(tmp_path: Path, blocks: Blocks, tool: Tool) -> None:
    """pre-commit takes the configurations of the documentation."""
    found = blocks("pre-commit.md", "yaml pre-commit")
    assert len(found) == 3
    for text in found:
        (tmp_path / "config.yaml").write_text(text)
        done = tool("pre-commit", "validate-config", tmp_path / "config.yaml")
        assert done.returncode == 0, done.stdout


def test_documented_extra(root: Path, blocks: Blocks) -> None:
    """The packages that the documentation adds to the hook are those of the extra `local`."""
    extra = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["local"]
    shown = [yaml.safe_load(text)["repos"][0] for text in blocks("pre-commit.md", "yaml pre-commit")]
    ours = [repository["hooks"][0] for repository in shown if repository["repo"] != "local"]
    assert [hook["additional_dependencies"] for hook in ours] == [extra, extra]


def test_documented_stages(root: Path, blocks: Blocks) -> None:
    """For each stage that a sample names, the text says how to have git call it: pre-push does not by itself."""
    text = (root / "docs/pre-commit.md").read_text()
    for block in blocks("pre-commit.md", "yaml pre-commit"):
        for hook in yaml.safe_load(block)["repos"][0]["hooks"]:
            assert all(f"--hook-type {stage}" in text for stage in hook.get("stages", ()))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("def half(n):\n    return n // 2\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.mark.network
def test_try_repo(root: Path, repository: Path, tmp_path: Path, tool: Tool) -> None:
    """From a fresh clone, a commit that no model is asked about passes, and says so."""
    (repository / "uv.lock").write_text("x = 1\n")
    (repository / "a.py").write_text("not staged\n")
    git(repository, "add", "uv.lock")
    command = ["pre-commit", "try-repo", root, "hunkwise", "--verbose"]
    done = tool(*command, cwd=repository, env=environment(tmp_path / "home"))
    assert done.returncode == 0, done.stdout
    assert "no remarks; checked without the model" in done.stdout


@pytest.mark.network
def test_without_a_model(root: Path, repository: Path, tmp_path: Path, tool: Tool) -> None:
    """As installed by pre-commit, code without a model passes with a note, at a commit and at a push."""
    hook = {"repo": str(root), "rev": git(root, "rev-parse", "HEAD"), "hooks": [{"id": "hunkwise"}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))
    (repository / "a.py").write_text("def half(n):\n    return n / 2\n")
    git(repository, "add", ".")
    options: dict[str, Any] = {"cwd": repository, "env": environment(tmp_path / "home")}
    staged = tool("pre-commit", "run", **options)
    git(repository, "commit", "-q", "-m", "second")
    push = ["pre-commit", "run", "--hook-stage", "pre-push", "--from-ref", "HEAD~1", "--to-ref", "HEAD"]
    for done in (staged, tool(*push, **options)):
        assert done.returncode == 0, done.stdout
        assert "hunkwise[local]" in done.stdout
        assert "the commit goes on" in done.stdout
    skipped = tool(*push, cwd=repository, env={**options["env"], "HUNKWISE_SKIP": "1"})
    assert "HUNKWISE_SKIP" in skipped.stdout
