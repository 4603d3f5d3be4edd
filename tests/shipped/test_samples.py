"""The workflows of docs/github.md, run by act: what a first run leaves behind, the next one finds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.act import BIN, HALF, Job, git, runnable

STORE = ".local/share/hunkwise/models"
# The model is a file of one line here, so a review that has to ask it fails
PROGRAM = f"""#!/bin/sh
if [ "$1" = model ]; then
  echo "$@" >> "$KEPT/asked"
  mkdir -p ~/{STORE} && echo model > ~/{STORE}/model
  exit
fi
exec "{BIN / "hunkwise"}" "$@"
"""
NEW = {
    "new.py": "".join(f"def times_{n}(number):\n    return number * {n}\n\n\n" for n in range(9)),
    "uv.lock": "x = 1\n",
}


@pytest.fixture(params=["pull-requests: write", "upload-artifact@", "upload-sarif@"])
def job(request: pytest.FixtureRequest, tmp_path: Path, root: Path, blocks: Callable[..., list[str]]) -> Job:
    """A repository with one of the samples, before its first run."""
    (text,) = [
        text
        for text in blocks("github.md", "yaml")
        if request.param in text and "hunkwise/hunkwise@" in text and "workflow_run" not in text
    ]
    made = Job(tmp_path, root / "action.yml")
    made.write("w.yml", runnable(text))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "hunkwise").write_text(PROGRAM)
    (programs / "hunkwise").chmod(0o755)
    return made


def run(job: Job, change: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Commit a change, and run the sample on it as on a push to main, which posts nothing."""
    job.commit((job.folder / "w.yml").read_text(), change)
    event = {"before": job.base, "after": job.head, "ref": "refs/heads/main"}
    environ = {"HUNKWISE_SOURCES": f"{job.home}/nothing", "HOME": str(job.home)}
    return job.act("push", event, path=(job.home.parent / "programs", BIN), **environ)


def saved(job: Job) -> list[str]:
    """The files in the caches that were saved."""
    return sorted({str(path.relative_to(key)) for key in job.caches.iterdir() for path in key.rglob("model")})


def test_a_failed_review_leaves_engine_and_model_behind(job: Job) -> None:
    """They are saved though the job fails, and the next run restores them and saves them no second time."""
    done = run(job, {"half.py": HALF.replace("//", "/")})
    assert done.returncode != 0
    assert (job.kept / "asked").read_text().splitlines() == [
        "model pull -- qwen2.5-coder:1.5b",
        "model verify -- qwen2.5-coder:1.5b",
    ], done.stdout
    assert saved(job) == [f"{STORE}/model"]

    git(job.folder, "reset", "-q", "--hard", job.base)
    (job.home / STORE / "model").unlink()
    done = run(job, {"half.py": HALF.replace("// 2", "/ 2.0")})
    assert (job.home / STORE / "model").exists()
    assert "cache-hit" in done.stdout
    assert saved(job) == [f"{STORE}/model"]


def test_new_code_fetches_nothing(job: Job) -> None:
    """Where the model has nothing to be asked about, the job passes without it, and saves no empty cache."""
    done = run(job, NEW)
    assert done.returncode == 0, done.stdout
    assert not (job.kept / "asked").exists()
    assert list(job.caches.iterdir()) == []


def test_the_reviewing_process_holds_no_secret(job: Job) -> None:
    """Whatever the job's variables are called, and though the action itself is started with all of them."""
    spy = job.home / "spy.py"
    spy.write_text(f"import os, json; json.dump(dict(os.environ), open({str(job.home / 'seen')!r}, 'w'))\n")
    python = job.home.parent / "programs" / "hunkwise"
    code = (
        "import sys; from hunkwise.reviewer.app.jobs import child; from hunkwise.reviewer import cli; "
        f"child.review_command = lambda options: [sys.executable, {str(spy)!r}]; "
        "sys.argv[0] = 'hunkwise'; cli.main()"
    )
    python.write_text(f'#!/bin/sh\n[ "$1" = model ] && exit\nexec \'{BIN / "python"}\' -P -c "{code}" "$@"\n')
    job.commit((job.folder / "w.yml").read_text(), NEW)
    event = {"before": job.base, "after": job.head, "ref": "refs/heads/main"}
    secrets = dict.fromkeys(("MY_SECRET", "API_KEY", "DATABASE_URL", "PIN", "OLLAMA_API_KEY"), "s3cr3t")
    job.act("push", event, path=(python.parent, BIN), HUNKWISE_LANGUAGE="de", **secrets)
    seen = json.loads((job.home / "seen").read_text())
    assert "s3cr3t" not in seen.values()
    assert seen["HUNKWISE_LANGUAGE"] == "de"
    assert seen["PATH"]
