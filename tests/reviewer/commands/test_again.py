"""A change that was reviewed before: the real commands, twice, with a model that the second time nobody loads."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hunkwise.engine import ModelSpec

pytestmark = pytest.mark.model

BEFORE = """\
def page(lines, number, size):
    if number < 1:
        raise ValueError("pages are counted from 1")
    start = (number - 1) * size
    return lines[start : start + size]
"""
AFTER = BEFORE.replace("(number - 1)", "number")
PROGRAM = ("-P", "-c", "from hunkwise.reviewer.cli import main; main()")
MARGIN = 0.5  # seconds


@dataclass(frozen=True)
class Ran:
    """A command that ended: seconds of CPU time that it and its processes took, exit code, output.

    Not wall time: on a busy machine that says more of the others.
    """

    seconds: float
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, small_model: ModelSpec) -> Run:
    """Runs `hunkwise` in a repository with a staged change, with a cache of its own, and measures it."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "shop.py").write_text(BEFORE)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    (folder / "shop.py").write_text(AFTER)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HUNKWISE_", "GIT"))}
    environ |= {
        "HUNKWISE_CACHE": str(tmp_path / "cache"),
        "HUNKWISE_MODELS": str(small_model.weights[0].parents[1]),
        "HUNKWISE_MODEL": small_model.name,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def started(*arguments: str) -> Ran:
        began = spent()
        done = subprocess.run(
            [sys.executable, *PROGRAM, *arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(spent() - began, done.returncode, done.stdout, done.stderr)

    return started


def spent() -> float:
    """CPU time of all processes so far that were started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quickest(run: Run, *arguments: str) -> Ran:
    """Run a command three times; the quickest tells most about it."""
    return min((run(*arguments) for _ in range(3)), key=lambda ran: ran.seconds)


def assert_not_loaded(ran: Ran) -> None:
    assert "the model was not loaded" in ran.err
    assert re.search(r"\b0 tokens prefilled, 0 reused, 0 forced, 0 sampled", ran.err), ran.err


@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
def test_review(run: Run, isolate: str) -> None:
    """The same report, no model, and little more than the time that --help takes; where the time went is told."""
    review = ("review", "--staged", "--effort", "quick", "--format", "json", "--stats", isolate)
    first = run(*review)
    assert first.code == 0, first.err
    assert "in llama_decode" in first.err
    assert not re.search(r"\b0\.0 s in llama_decode", first.err)

    helped, again = quickest(run, "review", "--help"), quickest(run, *review)

    assert (again.code, again.out) == (first.code, first.out), again.err
    assert_not_loaded(again)
    # two interpreters: the review, and what parses for it and matches two hundred rules
    assert again.seconds < 6 * helped.seconds + MARGIN


def test_hook(run: Run) -> None:
    """A commit hook, which plans in the review's process alone, is quick when the answers are known."""
    hook = (
        "hook",
        "--time-limit",
        "600",
        "--effort",
        "quick",
        "--fail-on",
        "info",
        "--stats",
        "--min-confidence=0.1",
    )
    first = run(*hook)
    assert first.code == 1, first.err
    assert "in llama_decode" in first.err

    helped, again = quickest(run, "hook", "--help"), quickest(run, *hook)

    assert (again.code, again.out) == (first.code, first.out), again.err
    assert_not_loaded(again)
    assert again.seconds < 6 * helped.seconds + MARGIN
