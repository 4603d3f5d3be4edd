"""The action, run by act (https://github.com/nektos/act) on a real repository, without Docker and network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.github import FakeGitHub
from fakes.server import serving

from hunkwise.engine import ModelSpec

BIN = Path(sys.executable).parent
WORKFLOW = """
on: pull_request
jobs:
  review:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd
      - id: hunkwise
        uses: ./.action
        with: INPUTS
      - if: always()
        run: |
          echo "told=$FINDINGS,$WORST,$CODE"
          cp "$REPORT" "$SARIF" "$KEPT"
          hunkwise config show --json > "$KEPT/config.json"
        env:
          FINDINGS: ${{ steps.hunkwise.outputs.findings }}
          WORST: ${{ steps.hunkwise.outputs.highest_severity }}
          CODE: ${{ steps.hunkwise.outputs.exit_code }}
          REPORT: ${{ steps.hunkwise.outputs.report }}
          SARIF: ${{ steps.hunkwise.outputs.sarif }}
"""
HALF = "def half(number):\n    return number // 2\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Job:
    """A repository with the action in it, a base commit, and a pull request to come."""

    def __init__(self, folder: Path, action: Path) -> None:
        self.folder, self.kept, self.home = folder / "repository", folder / "kept", folder / "home"
        for path in (self.folder, self.kept, self.home):
            path.mkdir()
        git(self.folder, "init", "-q", "-b", "main")
        (self.folder / ".action").mkdir()
        shutil.copy(action, self.folder / ".action" / "action.yml")
        (self.folder / ".github" / "workflows").mkdir(parents=True)
        self.write("half.py", HALF)
        self.write(".hunkwise.toml", 'exclude = ["generated/**"]\n')

    @property
    def nowhere(self) -> dict[str, str]:
        """Variables under which no model can be found."""
        return {"HUNKWISE_MODELS": str(self.home / "models"), "HUNKWISE_SOURCES": f"{self.home}/nothing"}

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def commit(self, inputs: dict[str, str], change: dict[str, str]) -> str:
        """Commit the base with its workflow, then a change; gives the change's diff."""
        self.write(".github/workflows/w.yml", WORKFLOW.replace("INPUTS", json.dumps(inputs)))
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", "base")
        self.base = git(self.folder, "rev-parse", "HEAD")
        for name, text in change.items():
            self.write(name, text)
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", "head")
        self.head = git(self.folder, "rev-parse", "HEAD")
        return git(self.folder, "diff", self.base, self.head) + "\n"

    def act(self, number: int = 1, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the workflow for the change as a pull request."""
        pull = {
            "number": number,
            "base": {"sha": self.base, "ref": "main"},
            "head": {"sha": self.head, "ref": "topic"},
        }
        event = self.home / "event.json"
        event.write_text(json.dumps({"pull_request": pull}))
        command = [BIN / "act", "pull_request", "-e", event, "-P", "ubuntu-latest=-self-hosted"]
        for name, value in {"KEPT": str(self.kept), **environ}.items():
            command += ["--env", f"{name}={value}"]
        scrubbed = {k: v for k, v in os.environ.items() if not k.startswith(("HUNKWISE_", "GIT", "XDG_"))}
        return subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env={**scrubbed, "HOME": str(self.home), "PATH": f"{BIN}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def run(
        self, inputs: dict[str, str], change: dict[str, str], **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Commit, and run."""
        self.commit(inputs, change)
        return self.act(**environ)


@pytest.fixture
def job(tmp_path: Path, root: Path) -> Job:
    """A repository that uses the action as it lies in this one."""
    return Job(tmp_path, root / "action.yml")


def told(log: str) -> str:
    """Give the outputs that the last step printed."""
    found = re.search(r"\| told=(\S+)", log)
    assert found, log
    return found[1]


def test_nothing_reviewable(job: Job) -> None:
    """A change with nothing to review passes without a model, with reports, outputs and a summary."""
    done = job.run({"reporter": "none"}, {"uv.lock": "x = 1\n", "generated/a.py": HALF.replace("//", "/")})
    assert done.returncode == 0, done.stdout
    assert told(done.stdout) == "0,none,0"
    assert "model pull" not in done.stdout
    report = json.loads((job.kept / "findings.json").read_text())
    assert report["findings"] == []
    assert report["head"] == git(job.folder, "rev-parse", "HEAD")
    assert (job.kept / "hunkwise.sarif").exists()


def test_the_model_runs_apart(job: Job) -> None:
    """In a job the model's process is one of its own, without anybody asking for that."""
    job.run({"reporter": "none"}, {"uv.lock": "x = 1\n"})
    assert json.loads((job.kept / "config.json").read_text())["isolate"] == {"value": True, "origin": "CI"}


def test_configuration_of_the_head_does_not_count(job: Job) -> None:
    """A change can't exclude itself from the review: without a model here, the job fails."""
    change = {"half.py": HALF.replace("//", "/"), ".hunkwise.toml": 'exclude = ["**"]\n'}
    done = job.run({"reporter": "none"}, change, **job.nowhere)
    assert done.returncode != 0
    assert "qwen2.5-coder:1.5b" in done.stdout


@pytest.mark.parametrize(
    "inputs",
    [
        {"reporter": "github-check"},
        {"workdir": "../.."},
        {"config": "absent.toml"},
        {"model": "$(touch canary)"},
        {"language": "`touch canary`; touch canary"},
    ],
)
def test_bad_inputs(job: Job, inputs: dict[str, str]) -> None:
    """A wrong input is a sentence in the log and a failed job; none of it runs as shell."""
    done = job.run(inputs, {"uv.lock": "x\n"})
    assert "Traceback" not in done.stdout
    assert not list(job.home.rglob("canary"))
    assert not list(job.folder.rglob("canary"))
    if "model" not in inputs and "language" not in inputs:
        assert done.returncode != 0
        assert "hunkwise: " in done.stdout


def test_hostile_modules(job: Job) -> None:
    """Modules of the change that are named like ours and Python's are never imported."""
    trap = f"open({str(job.home / 'canary')!r}, 'w')\n"
    names = ("click", "jinja2", "hunkwise", "venv", "json", "sitecustomize", "unidiff")
    done = job.run({"reporter": "none"}, {f"{name}.py": trap for name in names}, **job.nowhere)
    assert not (job.home / "canary").exists()
    assert "Traceback" not in done.stdout


def test_posts(job: Job) -> None:
    """The review is posted to the pull request, with the token of the input, and once only."""
    inputs = {"reporter": "github-pr-review", "github_token": "secret-token"}
    git(job.folder, "remote", "add", "origin", "https://github.com/octo/repo.git")
    patch = job.commit(inputs, {"uv.lock": "x = 1\n"})
    forge = FakeGitHub(patch=patch, base=job.base, head=job.head)
    with serving(forge):
        for _ in range(2):
            done = job.act(number=7, GITHUB_API_URL=forge.url)
            assert done.returncode == 0, done.stdout
    assert len(forge.issue_comments) == 1
    assert "hunkwise" in forge.issue_comments[0]["body"]
    assert "secret-token" not in done.stdout


def test_names_of_files_are_no_commands(job: Job) -> None:
    """A path that reads like a command of the runner commands nothing, wherever the log and outputs name it."""
    change = {f"{name}/uv.lock": "x\n" for name in ("::error::forged", "##[add-mask]forged", "findings=99")}
    done = job.run({"reporter": "none"}, change)
    assert done.returncode == 0, done.stdout
    assert told(done.stdout) == "0,none,0"
    assert "❗" not in done.stdout  # act's sign for an error annotation
    assert "::error" not in [line.strip()[:7] for line in done.stdout.splitlines()]


@pytest.mark.model
def test_reviews(job: Job, small_model: ModelSpec) -> None:
    """With a model, a remark is posted on its line, and the job fails as asked."""
    inputs = {
        "reporter": "github-pr-review",
        "github_token": "secret-token",
        "model": "qwen2.5-coder:0.5b",
        "fail_level": "any",
    }
    git(job.folder, "remote", "add", "origin", "https://github.com/octo/repo.git")
    patch = job.commit(inputs, {"half.py": HALF + 'NAME = "a\u202eb"\n'})
    forge = FakeGitHub(patch=patch, base=job.base, head=job.head)
    store = small_model.weights[0].parents[1]
    with serving(forge):
        done = job.act(number=7, GITHUB_API_URL=forge.url, HUNKWISE_MODELS=str(store))
    assert told(done.stdout).endswith(",1"), done.stdout
    assert done.returncode != 0
    assert [(comment["path"], comment["line"]) for comment in forge.review_comments] == [("half.py", 3)]
    assert "\u202e" not in done.stdout + forge.review_comments[0]["body"]
