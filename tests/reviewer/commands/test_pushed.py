"""Of a push, all that no branch of the remote has, and nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hunkwise.reviewer.app.jobs import hook
from hunkwise.reviewer.app.jobs.child import Ending, review_command
from hunkwise.reviewer.app.jobs.pushes import Task, from_environment, from_lines, remotes
from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.commands.hook import command
from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.source import local
from hunkwise.reviewer.source.git import repository

ZERO = "0" * 40
MARKER = "<<<<<<< HEAD\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def save(folder: Path, name: str, text: str = "x = 1\n") -> str:
    (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, of git's or of pre-commit's is set."""
    for name in list(os.environ):
        if name.startswith(("HUNKWISE_", "GIT_", "PRE_COMMIT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A clone with `feature` pushed, after which somebody else's work came to `main` of the remote."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote")
    work = tmp_path / "work"
    git(tmp_path, "init", "-q", "-b", "main", "work")
    save(work, "base.py")
    git(work, "remote", "add", "origin", "../remote")
    git(work, "checkout", "-qb", "feature")
    save(work, "mine.py")
    git(work, "checkout", "-q", "main")
    git(work, "push", "-q", "origin", "main", "feature")
    save(work, "theirs.py", MARKER)
    git(work, "push", "-q", "origin", "main")
    return work


def line(folder: Path, ref: str, remote_ref: str = "") -> str:
    """What git says of a push of `ref`."""
    remote_ref = remote_ref or ref
    there = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", f"refs/heads/{remote_ref}"],
        cwd=folder / "../remote",
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"refs/heads/{ref} {git(folder, 'rev-parse', ref)} refs/heads/{remote_ref} {there or ZERO}\n"


def sent(folder: Path, *lines: str, remote: str = "origin") -> dict[str, list[str]]:
    """The files that are reviewed, by ref; why not, where that is so."""
    found = {}
    for task in from_lines(lines, remote, folder, os.environ):
        if task.source is None:
            found[task.name] = [task.problem]
            continue
        assert task.source.end is not None
        change = local.between(folder, task.source.starts, task.source.end, Limits(), os.environ)
        found[task.name] = sorted(file.path for file in change.files)
    return found


def test_after_a_rebase(work: Path) -> None:
    """What came with the new base is on the remote already, the push forced or not."""
    git(work, "checkout", "-q", "feature")
    git(work, "rebase", "-q", "main")
    assert sent(work, line(work, "feature")) == {"refs/heads/feature": ["mine.py"]}


def test_after_a_merge(work: Path) -> None:
    """Of main merged into a branch nothing is new; of what was done besides all is."""
    git(work, "checkout", "-q", "feature")
    git(work, "merge", "-q", "-m", "Merge main", "main")
    assert sent(work, line(work, "feature")) == {"refs/heads/feature": []}
    save(work, "more.py")
    assert sent(work, line(work, "feature")) == {"refs/heads/feature": ["more.py"]}
    git(work, "branch", "same")  # what one ref sends is not reviewed again with the next
    assert sent(work, line(work, "feature"), line(work, "same")) == {"refs/heads/feature": ["more.py"]}


@pytest.mark.parametrize("target", ["main", "fresh"])
def test_another_history(work: Path, target: str) -> None:
    """All of it is new, over an old branch or as a new one."""
    git(work, "checkout", "-q", "--orphan", "fresh")
    git(work, "rm", "-rfq", ".")
    save(work, "one.py", MARKER)
    save(work, "two.py")
    assert sent(work, line(work, "fresh", target)) == {"refs/heads/fresh": ["one.py", "two.py"]}
    git(work, "checkout", "-q", "feature")
    git(work, "merge", "-q", "--allow-unrelated-histories", "-m", "both", "fresh")
    assert sent(work, line(work, "feature")) == {"refs/heads/feature": ["one.py", "two.py"]}


def test_a_ref_may_be_an_expression(work: Path) -> None:
    """As in `git push origin ':/fix it:refs/heads/x'`: git hands it on as it was given, blanks and all."""
    git(work, "checkout", "-qb", "topic")
    save(work, "topic.py")
    told = line(work, "topic").replace("refs/heads/topic", ":/fix all  of it", 1)
    assert sent(work, told) == {":/fix all  of it": ["topic.py"]}


def test_odd_refs_cost_no_other(work: Path) -> None:
    """Tags of a commit are its; a tag of a file, and a commit that is gone, are named; deletions send nothing."""
    git(work, "checkout", "-q", "feature")
    save(work, "new.py")
    git(work, "tag", "-am", "v1", "v1")
    blob = git(work, "rev-parse", "HEAD:new.py")
    tag = git(work, "rev-parse", "v1")
    base = git(work, "rev-parse", "main")
    found = sent(
        work,
        f"refs/tags/blob {blob} refs/tags/blob {ZERO}\n",
        f"refs/heads/lost {'1' * 40} refs/heads/lost {ZERO}\n",
        f"(delete) {ZERO} refs/heads/old {base}\n",
        f"refs/tags/v1 {tag} refs/tags/v1 {ZERO}\n",
    )
    assert found == {
        "refs/tags/blob": [f"{blob} is no commit"],
        "refs/heads/lost": [f"{'1' * 40} is no commit"],
        "refs/tags/v1": ["new.py"],
    }


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "../remote", "{}/../remote"])
def test_the_remote_by_its_address(work: Path, form: str) -> None:
    """A path or URL is the remote that has it, for a new branch too."""
    git(work, "checkout", "-qb", "topic")
    save(work, "topic.py")
    address = form.format((work / "../remote").resolve())
    assert sent(work, line(work, "topic"), remote=address) == {"refs/heads/topic": ["topic.py"]}


def test_an_unknown_remote_has_what_the_push_says(work: Path) -> None:
    """Of a remote that nobody fetched from only the pushed refs' old values are known."""
    git(work, "checkout", "-qb", "topic")
    save(work, "topic.py")
    both = sent(work, line(work, "main"), line(work, "topic"), remote="/elsewhere")
    assert both == {"refs/heads/topic": ["topic.py"]}
    assert sent(work, line(work, "topic"), remote="/elsewhere") == {
        "refs/heads/topic": ["base.py", "theirs.py", "topic.py"]
    }


@pytest.mark.parametrize(
    ("url", "given", "known"),
    [
        ("git@example.com:o/r.git", "https://example.com/o/r", True),
        ("https://me@example.com/o/r", "ssh://git@example.com/o/r.git/", True),
        ("https://example.com/o/r", "https://EXAMPLE.com/o/r", True),
        ("https://example.com/o/r", "https://example.com/o/s", False),
        ("https://example.com/o/r", "https://example.com:8443/o/r", False),
        ("gh:o/r", "https://example.com/o/r", True),
        ("/srv/r", "--upload-pack=touch canary", False),
        ("/srv/r", "http://[", False),
    ],
)
def test_addresses(work: Path, url: str, given: str, known: bool) -> None:
    """One place is known in all its spellings, and by the user's own abbreviations."""
    git(work, "config", "url.https://example.com/.insteadOf", "gh:")
    git(work, "remote", "add", "other", "/nowhere")
    git(work, "remote", "set-url", "--push", "other", url)
    assert remotes(repository(work, os.environ), given) == ["other"] * known


def test_no_remote_is_asked(work: Path, tmp_path: Path) -> None:
    """Addresses and settings that would run a program are read as text."""
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{tmp_path}/canary'\n")
    script.chmod(0o755)
    for key in ("uploadpack", "receivepack", "vcs", "proxy"):
        git(work, "config", f"remote.evil.{key}", str(script))
    git(work, "config", "remote.evil.url", f"ext::{script}")
    git(work, "config", "core.sshCommand", str(script))
    git(work, "checkout", "-qb", "topic")
    save(work, "topic.py")
    assert remotes(repository(work, os.environ), f"ext::{script}") == ["evil"]
    assert sent(work, line(work, "topic"), remote=f"ext::{script}")
    assert not (tmp_path / "canary").exists()


def test_a_shallow_clone_is_told(work: Path, tmp_path: Path) -> None:
    """Where the history is cut off before it meets the remote's, that is said, and what helps."""
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}/remote", "shallow")
    git(tmp_path / "shallow", "remote", "rename", "origin", "first")
    new = save(tmp_path / "shallow", "new.py")
    (task,) = from_lines(
        [f"refs/heads/x {new} refs/heads/x {ZERO}\n"], "elsewhere", tmp_path / "shallow", os.environ
    )
    assert "--unshallow" in task.problem


def test_pre_commit_says_the_same(work: Path) -> None:
    """Under pre-commit a push is what no branch of its remote has; the range it computes is not enough."""
    old = git(work, "rev-parse", "feature")
    git(work, "checkout", "-q", "feature")
    git(work, "rebase", "-q", "main")
    environ = {
        "PRE_COMMIT_FROM_REF": old,
        "PRE_COMMIT_TO_REF": git(work, "rev-parse", "HEAD"),
        "PRE_COMMIT_REMOTE_NAME": "origin",
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/feature",
    }
    main = git(work, "rev-parse", "main")
    expected = Source(starts=tuple(sorted((main,))), end=environ["PRE_COMMIT_TO_REF"])
    assert from_environment(environ, work) == [Task("refs/heads/feature", expected)]


@pytest.mark.parametrize(("policy", "code"), [("pass", 0), ("fail", 1)])
def test_what_passes_unreviewed_is_said(
    work: Path, monkeypatch: pytest.MonkeyPatch, policy: str, code: int
) -> None:
    """A ref that can't be read is named, with what git does now; the other ref is reviewed."""
    calls: list[list[str]] = []

    def supervise(argv: list[str], limit: float, **_: Any) -> Ending:
        calls.append(argv[len(review_command(())) :])
        return Ending(0, 0.1)

    monkeypatch.setattr(hook, "supervise", supervise)
    monkeypatch.chdir(work)
    git(work, "checkout", "-q", "feature")
    save(work, "new.py", MARKER)
    lines = f"refs/heads/lost {'1' * 40} refs/heads/lost {ZERO}\n" + line(work, "feature")
    result = CliRunner().invoke(
        command, ["--push", "origin", "--on-error", policy], standalone_mode=False, input=lines
    )
    assert result.return_value == code
    assert calls
    assert "--from" in calls[0]
    assert f"refs/heads/lost: {'1' * 40} is no commit; it was not reviewed, and the push " in result.stderr
    assert ("HUNKWISE_SKIP=1 git push" in result.stderr) == bool(code)


@pytest.mark.parametrize("environ", [{"PRE_COMMIT": "1"}, {}])
def test_advice_works_where_the_hook_runs(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """In pre-commit's environment pip of the shell reaches nothing: its own key for dependencies does."""
    monkeypatch.setattr(hook, "find_spec", lambda name: None)
    advice = hook._missing(environ)
    assert ("additional_dependencies: [" in advice and "llama-cpp-python==" in advice) == bool(environ)
    assert ("-m pip install" in advice) != bool(environ)
