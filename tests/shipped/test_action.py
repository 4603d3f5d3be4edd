"""The action, run by act (https://github.com/nektos/act) on a real repository, without Docker and network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.act import BIN, HALF, Job, git
from fakes.github import FakeGitHub
from fakes.server import serving

from hunkwise.engine import ModelSpec

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


def run(
    job: Job, inputs: dict[str, str], change: dict[str, str], **environ: str
) -> subprocess.CompletedProcess[str]:
    """Commit the change, and run the action on it."""
    job.commit(workflow(inputs), change)
    return job.act("pull_request", job.pulled(), path=(BIN,), **environ)


def workflow(inputs: dict[str, str]) -> str:
    return WORKFLOW.replace("INPUTS", json.dumps(inputs))


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
    done = run(job, {"reporter": "none"}, {"uv.lock": "x = 1\n", "generated/a.py": HALF.replace("//", "/")})
    assert done.returncode == 0, done.stdout
    assert told(done.stdout) == "0,none,0"
    assert "model pull" not in done.stdout
    report = json.loads((job.kept / "findings.json").read_text())
    assert report["findings"] == []
    assert report["head"] == git(job.folder, "rev-parse", "HEAD")
    assert (job.kept / "hunkwise.sarif").exists()


def test_the_model_runs_apart(job: Job) -> None:
    """In a job the model's process is one of its own, without anybody asking for that."""
    run(job, {"reporter": "none"}, {"uv.lock": "x = 1\n"})
    assert json.loads((job.kept / "config.json").read_text())["isolate"] == {"value": True, "origin": "CI"}


def test_configuration_of_the_head_does_not_count(job: Job) -> None:
    """A change can't exclude itself from the review: without a model here, the job fails."""
    change = {"half.py": HALF.replace("//", "/"), ".hunkwise.toml": 'exclude = ["**"]\n'}
    done = run(job, {"reporter": "none"}, change, **job.nowhere)
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
    done = run(job, inputs, {"uv.lock": "x\n"})
    assert "Traceback" not in done.stdout
    assert not list(job.home.rglob("canary"))
    assert not list(job.folder.rglob("canary"))
    if "model" not in inputs:
        assert done.returncode != 0
        assert "hunkwise: " in done.stdout


@pytest.mark.model
def test_a_tampered_model_is_refused(job: Job, small_model: ModelSpec) -> None:
    """Of what a cache gave back the digest is taken anew: with one byte changed, nothing is reviewed."""
    weights = small_model.weights[0]
    blob = job.home / "models" / "blobs" / weights.name
    blob.parent.mkdir(parents=True)
    shutil.copy(weights, blob)
    with blob.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    change = {"half.py": HALF.replace("//", "/")}
    done = run(job, {"reporter": "none", "model": "qwen2.5-coder:0.5b"}, change, **job.nowhere)
    assert done.returncode != 0
    assert "Failure - Main Fetch the model if it is not here, and check its digest" in done.stdout
    assert "hashes to sha256" in done.stdout
    assert "Run Main Review" not in done.stdout


def test_hostile_modules(job: Job) -> None:
    """Modules of the change that are named like ours and Python's are never imported."""
    trap = f"open({str(job.home / 'canary')!r}, 'w')\n"
    names = ("click", "jinja2", "hunkwise", "venv", "json", "sitecustomize", "unidiff")
    done = run(job, {"reporter": "none"}, {f"{name}.py": trap for name in names}, **job.nowhere)
    assert not (job.home / "canary").exists()
    assert "Traceback" not in done.stdout


def test_posts(job: Job) -> None:
    """The review is posted to the pull request, with the token of the input, and once only."""
    inputs = {"reporter": "github-pr-review", "github_token": "secret-token"}
    git(job.folder, "remote", "add", "origin", "https://github.com/octo/repo.git")
    patch = job.commit(workflow(inputs), {"uv.lock": "x = 1\n"})
    forge = FakeGitHub(patch=patch, base=job.base, head=job.head)
    with serving(forge):
        for _ in range(2):
            done = job.act("pull_request", job.pulled(7), GITHUB_API_URL=forge.url)
            assert done.returncode == 0, done.stdout
    assert len(forge.issue_comments) == 1
    assert "hunkwise" in forge.issue_comments[0]["body"]
    assert "secret-token" not in done.stdout


def test_names_of_files_are_no_commands(job: Job) -> None:
    """A path that reads like a command of the runner commands nothing, wherever the log and outputs name it."""
    change = {f"{name}/uv.lock": "x\n" for name in ("::error::forged", "##[add-mask]forged", "findings=99")}
    done = run(job, {"reporter": "none"}, change)
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
    patch = job.commit(workflow(inputs), {"half.py": HALF + 'NAME = "a\u202eb"\n'})
    forge = FakeGitHub(patch=patch, base=job.base, head=job.head)
    store = small_model.weights[0].parents[1]
    with serving(forge):
        done = job.act("pull_request", job.pulled(7), GITHUB_API_URL=forge.url, HUNKWISE_MODELS=str(store))
    assert told(done.stdout).endswith(",1"), done.stdout
    assert done.returncode != 0
    assert [(comment["path"], comment["line"]) for comment in forge.review_comments] == [("half.py", 3)]
    assert "\u202e" not in done.stdout + forge.review_comments[0]["body"]
