from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hunkwise.reviewer.app.jobs.ci_job import base_config, check_history, read_inputs
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.source.ci import Range, read_range

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40


def inputs(workspace: Path, **given: str) -> Any:
    environ = {f"INPUT_{name.upper()}": value for name, value in given.items()}
    return read_inputs({"GITHUB_WORKSPACE": str(workspace), **environ})


def test_defaults(tmp_path: Path) -> None:
    """Without inputs nothing is asked of the review beyond what the configuration says."""
    read = inputs(tmp_path)
    assert read.flags == []
    assert read.reporter == "github-pr-review"
    assert read.workdir == tmp_path


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({"fail_level": "error"}, ["--fail-on=high"]),
        ({"fail_level": "warning"}, ["--fail-on=medium"]),
        ({"fail_level": "info"}, ["--fail-on=info"]),
        ({"fail_level": "any"}, ["--fail-on=info"]),
        ({"fail_level": "none"}, ["--fail-on=none"]),
        ({"fail_level": "critical"}, ["--fail-on=critical"]),
        ({"level": "warning"}, ["--min-severity=medium"]),
        ({"level": "warning", "min_severity": "low"}, ["--min-severity=low"]),
        ({"model": "--output=/etc/passwd"}, ["--model=--output=/etc/passwd"]),
        ({"language": "German", "max_comments": "3"}, ["--max-comments=3", "--language=German"]),
    ],
)
def test_flags(tmp_path: Path, given: dict[str, str], flags: list[str]) -> None:
    """Inputs become flags, reviewdog's levels become severities, and no value becomes a flag of its own."""
    assert inputs(tmp_path, **given).flags == flags


@pytest.mark.parametrize(
    "given",
    [
        {"reporter": "github-check"},
        {"filter_mode": "nofilter"},
        {"level": "none"},
        {"fail_level": "errors"},
        {"workdir": ".."},
        {"workdir": "/"},
        {"workdir": "absent"},
    ],
)
def test_refused(tmp_path: Path, given: dict[str, str]) -> None:
    """A value that an input can't have is refused with a sentence that names the input."""
    with pytest.raises(UsageError, match=next(iter(given))):
        inputs(tmp_path, **given)


@pytest.mark.parametrize("mode", ["file", "nofilter"])
def test_reviewdogs_wider_filters_say_why_not(tmp_path: Path, mode: str) -> None:
    """There is nothing to filter: remarks are made on changed lines alone."""
    with pytest.raises(UsageError, match="judges changed lines and remarks on no other"):
        inputs(tmp_path, filter_mode=mode)


@pytest.mark.parametrize(
    ("event", "commits"),
    [
        ({"pull_request": {"base": {"sha": A}, "head": {"sha": B}}}, Range(A, B)),
        ({"merge_group": {"base_sha": A, "head_sha": B}}, Range(A, B)),
        ({"before": A, "after": B}, Range(A, B)),
        ({"before": ZERO, "after": B}, Range(f"{B}^", B)),
    ],
)
def test_range(tmp_path: Path, event: object, commits: Range) -> None:
    """Pull requests, merge groups and pushes name their commits."""
    (tmp_path / "event").write_text(json.dumps(event))
    assert read_range({"GITHUB_EVENT_PATH": str(tmp_path / "event")}) == commits


@pytest.mark.parametrize(
    "event",
    [
        "{",
        "[]",
        "{}",
        '{"pull_request": 3}',
        '{"pull_request": "x", "merge_group": "y"}',
        json.dumps({"before": "--upload-pack=x", "after": B}),
    ],
)
def test_no_range(tmp_path: Path, event: str) -> None:
    """Other events, and commits that are none, are refused."""
    (tmp_path / "event").write_text(event)
    with pytest.raises(UsageError, match="event"):
        read_range({"GITHUB_EVENT_PATH": str(tmp_path / "event")})


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def commits(tmp_path: Path) -> Range:
    """A repository in which the head loosens the base's configuration."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".hunkwise.toml").write_text('fail_on = "low"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "base")
    base = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / ".hunkwise.toml").write_text('fail_on = "none"\n')
    git(tmp_path, "commit", "-q", "-am", "head")
    return Range(base, git(tmp_path, "rev-parse", "HEAD"))


def test_configuration_of_the_base(tmp_path: Path, commits: Range) -> None:
    """The configuration is read as it stood at the base, not as the change left it."""
    into = tmp_path / "into"
    into.mkdir()
    copy = base_config(tmp_path, commits, ".hunkwise.toml", into, os.environ)
    assert copy.read_text() == 'fail_on = "low"\n'


@pytest.mark.parametrize("name", ["absent.toml", "../x", "/etc/passwd", "--help"])
def test_no_such_configuration(tmp_path: Path, commits: Range, name: str) -> None:
    """A configuration that the base does not have is refused, whatever lies elsewhere."""
    with pytest.raises(UsageError, match="config"):
        base_config(tmp_path, commits, name, tmp_path, os.environ)


def test_history(tmp_path: Path, commits: Range) -> None:
    """A checkout without the base commit is refused with the line that mends it."""
    assert check_history(tmp_path, commits, os.environ) == commits
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        check_history(tmp_path, Range(A, commits.head), os.environ)


def test_the_first_push_is_all_new(tmp_path: Path, commits: Range) -> None:
    """A first commit has no parent; one whose parent was not fetched is refused as ever."""
    empty = git(tmp_path, "hash-object", "-t", "tree", "/dev/null")
    assert check_history(tmp_path, Range(f"{commits.base}^", commits.base), os.environ) == Range(
        empty, commits.base
    )
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}", "shallow")
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        check_history(tmp_path / "shallow", Range(f"{commits.head}^", commits.head), os.environ)
