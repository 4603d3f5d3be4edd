"""A pull request from a fork: both workflows of docs/github.md, run by act one after the other.

Between them the report goes from one run to the other, as an artifact does, and may be anything on arrival.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fakes.act import BIN, HALF, Job, runnable
from fakes.github import Account, FakeGitHub
from fakes.server import serving

from hunkwise.reviewer.report.interchange.json import LARGEST
from hunkwise.reviewer.types import Source

TOKEN = "secret-token"
CHANGE = {"half.py": HALF.replace("//", "/"), "uv.lock": "x = 1\n"}
EXCLUDED = 'exclude = ["half.py"]\n'  # so that no model is needed
SPY = """#!/bin/sh
env > "$KEPT/environment.$$"
exec "{program}" "$@"
"""


class Fork:
    """A pull request from a fork, the artifact between its two runs, and the forge that is posted to."""

    def __init__(self, folder: Path, root: Path, workflows: list[str]) -> None:
        self.job = Job(folder, root / "action.yml")
        self.artifact = self.job.artifact
        spies = folder / "spies"
        spies.mkdir()
        (spies / "hunkwise").write_text(SPY.format(program=BIN / "hunkwise"))
        (spies / "hunkwise").chmod(0o755)
        self.path = (spies, BIN)
        self.first, self.second = (
            runnable(one)
            for key in ("pull_request:\n", "workflow_run:")
            for one in [next(text for text in workflows if key in text and "artifact@" in text)]
        )
        self.job.write(".hunkwise.toml", EXCLUDED)
        self.forge = FakeGitHub(
            patch=self.job.commit(self.first, CHANGE), base=self.job.base, head=self.job.head
        )
        self.forge.accounts[TOKEN] = Account("github-actions[bot]", app=True)

    @property
    def report(self) -> Path:
        """The report in the artifact."""
        return self.artifact / "findings.json"

    def review(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the job that reads the stranger's change. GitHub gives it no token that may write."""
        return self._act("pull_request", self.job.pulled(7), **environ)

    def post(self) -> subprocess.CompletedProcess[str]:
        """Run the job that posts, which GitHub starts with a token when the first has ended."""
        self.job.write(".github/workflows/w.yml", self.second)
        run = {
            "id": 1,
            "event": "pull_request",
            "conclusion": "success",
            "head_branch": "topic",
            "head_sha": self.job.head,
            "head_repository": {"full_name": "octo/repo", "owner": {"login": "octo"}},
        }
        return self._act("workflow_run", {"workflow_run": run}, "-s", f"GITHUB_TOKEN={TOKEN}")

    def _act(
        self, event: str, payload: dict[str, Any], *options: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        given = {"GITHUB_REPOSITORY": "octo/repo", **environ}
        with serving(self.forge):
            return self.job.act(
                event, payload, *options, path=self.path, GITHUB_API_URL=self.forge.url, **given
            )

    def environments(self) -> list[str]:
        """The environments under which `hunkwise` was started so far; forgets them."""
        files = sorted(self.job.kept.glob("environment.*"))
        texts = [file.read_text() for file in files]
        for file in files:
            file.unlink()
        return texts

    def bodies(self) -> list[str]:
        """All that was posted."""
        kinds = (self.forge.reviews, self.forge.review_comments, self.forge.issue_comments)
        return [one["body"] for kind in kinds for one in kind]


@pytest.fixture
def fork(tmp_path: Path, root: Path, blocks: Callable[[str, str], list[str]]) -> Fork:
    """The workflows as the documentation shows them."""
    return Fork(tmp_path, root, blocks("github.md", "yaml"))


def test_the_report_of_one_run_is_posted_by_the_other(fork: Fork) -> None:
    """The first holds no token and speaks to no forge; the second holds it, and posts to the pull request."""
    done = fork.review()
    assert done.returncode == 0, done.stdout
    assert json.loads(fork.report.read_text())["head"] == fork.job.head
    seen = fork.environments()
    assert len(seen) >= 2
    assert [found for text in seen for found in re.findall(r"^\w*TOKEN=.+", text, re.MULTILINE)] == []
    assert fork.forge.requests == []

    done = fork.post()
    assert done.returncode == 0, done.stdout
    (environment,) = fork.environments()
    assert f"GITHUB_TOKEN={TOKEN}" in environment
    assert len(fork.forge.issue_comments) == 1
    assert TOKEN not in done.stdout


def other_head(report: Path, head: str) -> None:
    report.write_text(report.read_text().replace(head, "c" * 40))


def too_large(report: Path, head: str) -> None:
    os.truncate(report, LARGEST + 1)


def a_link(report: Path, head: str) -> None:
    report.unlink()
    report.symlink_to("/etc/passwd")


def outside(report: Path, head: str) -> None:
    added(report, path="../../../etc/passwd")


def added(report: Path, **values: Any) -> None:
    """Add a finding as a stranger would write it."""
    document = json.loads(report.read_text())
    finding = {
        "path": "half.py",
        "start_line": 2,
        "end_line": 2,
        "severity": "critical",
        "category": "security",
        "title": "t",
        "message": "m",
        "confidence": 1.0,
        "calibrated": True,
        "fingerprint": "0" * 32,
        "code": [],
        "part": 0,
        "suggestion": None,
        "source": asdict(Source()),
        "witnesses": [],
        "advice": "",
        "example": "",
        **values,
    }
    report.write_text(json.dumps({**document, "findings": [finding]}))


@pytest.mark.parametrize("tamper", [other_head, too_large, a_link, outside])
def test_a_tampered_report_is_refused(fork: Fork, tamper: Callable[[Path, str], None]) -> None:
    """A report of another commit, too large, or that leads out of its place; see test_post for its form."""
    written = subprocess.run(
        [BIN / "review", "--format", "json", "--untrusted", "--from", fork.job.base, "--to", fork.job.head],
        cwd=fork.job.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    fork.report.write_text(written.stdout)
    tamper(fork.report, fork.job.head)
    done = fork.post()
    assert done.returncode != 0, done.stdout
    assert "hunkwise: " in done.stdout
    assert "Traceback" not in done.stdout
    assert "root:" not in done.stdout
    assert [one.method for one in fork.forge.requests if one.method != "GET"] == []


def test_hostile_text_is_posted_as_text(fork: Fork) -> None:
    """Mentions, images, commands and markers of a forged finding do nothing; modules beside it are not loaded."""
    fork.review()
    hostile = "@everyone <img src=x> ![x](https://evil.example/x) ::error::x <!-- hunkwise:v1 fp=0 -->"
    added(fork.report, title=hostile, message=f"{hostile}\n/approve\n::set-output name=a::b")
    for name in ("click", "json", "hunkwise", "sitecustomize"):
        (fork.artifact / f"{name}.py").write_text(f"open({str(fork.job.home / 'canary')!r}, 'w')\n")
    done = fork.post()
    assert done.returncode == 0, done.stdout
    assert len(fork.forge.review_comments) == 1
    for body in fork.bodies():
        active = re.sub(r"`[^`\n]*`|\\.", "", body)  # what is neither code nor escaped
        assert not re.search(r"@everyone|<img|!\[|<!-- hunkwise:v1 fp=0 |^/app|^::", active, re.MULTILINE)
    assert "❗" not in done.stdout  # act's sign for an error annotation
    assert not (fork.job.home / "canary").exists()


@pytest.mark.model
def test_a_remark_on_a_forks_line(fork: Fork, small_model: Any) -> None:
    """With a model in the first run, the second posts the remark on its line."""
    fork.job.write(".hunkwise.toml", 'model = "qwen2.5-coder:0.5b"\n')
    patch = fork.job.commit(fork.first, {"half.py": HALF + 'NAME = "a\u202eb"\n'})
    fork.forge.patch, fork.forge.base, fork.forge.head = patch, fork.job.base, fork.job.head
    done = fork.review(HUNKWISE_MODELS=str(small_model.weights[0].parents[1]))
    assert done.returncode == 0, done.stdout
    assert fork.post().returncode == 0
    assert ("half.py", 3) in [(one["path"], one["line"]) for one in fork.forge.review_comments]
