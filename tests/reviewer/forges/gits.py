"""Real git, as the tests of changes run it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hunkwise.reviewer.types import Change

ENVIRONMENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]} | {
    f"GIT_{role}_{what}": "n" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def git(folder: Path, *arguments: str, data: bytes = b"", fails: bool = False) -> str:
    """Run git as a user would, apart from this machine's settings; it may fail if `fails`."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT, check=not fails, capture_output=True, input=data
    )
    return done.stdout.decode().strip()


def save(folder: Path, message: str, **files: str) -> str:
    """Commit these files with all else that changed; the commit's id."""
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


def added(change: Change) -> dict[str, list[str]]:
    """Added lines by path."""
    return {file.path: [line.text for hunk in file.hunks for line in hunk.added] for file in change.files}
