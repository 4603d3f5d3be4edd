"""`hunkwise prepare-commit-msg`: git's hook that begins the message of a commit, and never holds one up."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click

from hunkwise.reviewer.commands.surroundings import surroundings

LARGEST = 4_000_000  # bytes of a message that is begun; `git commit -v` puts the diff into it
_UNDER_WAY = (
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "SQUASH_MSG",
)


@click.command("prepare-commit-msg")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("source", required=False, default="")
@click.argument("commit", required=False, default="")
@click.option(
    "--time-limit", type=click.IntRange(1), default=10, show_default=True, help="Seconds to take at most."
)
def command(file: Path, source: str, commit: str, time_limit: int) -> int:
    """Begin the message of a commit with a description of what is staged. Git calls it as a hook.

    Only an empty message is begun: none that is given by -m, -F, a template, an amended commit, a merge, a squash,
    a rebase, a cherry-pick or a revert. No model is asked. Whatever fails or takes too long leaves the message as
    it is; the exit code is always 0. HUNKWISE_SKIP=1 skips it once.
    """
    environ = surroundings().variables
    skipped = environ.get("HUNKWISE_SKIP", "") not in ("", "0")
    if skipped or source or commit or environ.get("PRE_COMMIT_COMMIT_MSG_SOURCE"):
        return 0
    with suppress(OSError, UnicodeError, subprocess.SubprocessError):
        if _is_empty(file) and not _under_way(file):
            _begin(file, _message(time_limit))
    return 0


def _is_empty(file: Path) -> bool:
    """Tell whether git left the first line for the message, and nothing stands before its comments."""
    if not file.is_file() or file.is_symlink() or file.stat().st_size > LARGEST:
        return False
    return file.read_bytes().startswith((b"\n", b"\r\n"))


def _under_way(file: Path) -> bool:
    """Tell whether git is in the middle of something that has messages of its own."""
    done = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir"], capture_output=True, check=False, timeout=5
    )
    folder = Path(os.fsdecode(done.stdout.removesuffix(b"\n"))) if done.returncode == 0 else file.parent
    return any((folder / name).exists() for name in _UNDER_WAY)


def _message(seconds: int) -> str:
    """Describe what is staged, in a process of its own that has a time limit; "" where that fails."""
    program = "from hunkwise.reviewer.cli import main; main('describe')"
    options = ["--staged", "--no-model", "--commit-message", "--offline"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds,
    )
    return done.stdout.decode("utf-8") if done.returncode == 0 else ""


def _begin(file: Path, message: str) -> None:
    """Put the message before what is there, all at once."""
    if not message.strip():
        return
    beside = file.with_name(f"{file.name}.hunkwise")
    try:
        beside.write_bytes(message.rstrip("\n").encode() + b"\n" + file.read_bytes())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
