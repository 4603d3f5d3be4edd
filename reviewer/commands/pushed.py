"""What a hook is asked to review: the index, or the commits that a push sends.

git tells a pre-push hook on standard input (githooks(5)), pre-commit tells its hooks by environment variables
(https://pre-commit.com/#pre-commit-during-push).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from hunkwise.reviewer.commands.source import Source
from hunkwise.reviewer.errors import GitError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def from_environment(environ: Mapping[str, str], folder: Path) -> list[Source]:
    """Read pre-commit's variables; without them it is the index that is reviewed."""
    start, end = environ.get("PRE_COMMIT_FROM_REF"), environ.get("PRE_COMMIT_TO_REF")
    if start and end:
        return [Source(start=start, end=end)]
    if environ.get("PRE_COMMIT_REMOTE_BRANCH"):  # a push with no FROM_REF begins at a root commit
        return [Source(start=_empty_tree(folder), end="HEAD")]
    return [Source(staged=True)]


def from_lines(lines: Iterable[str], remote: str, folder: Path) -> list[Source]:
    """Read git's lines "<local ref> <local id> <remote ref> <remote id>"; a deleted ref sends nothing.

    Raises GitError for a line of another form.
    """
    sources = []
    for line in lines:
        words = line.split()
        if len(words) != 4 or not all(_COMMIT.fullmatch(word) for word in (words[1], words[3])):
            raise GitError(
                f"a pre-push hook should read four words a line from git, and got {line.strip()!r:.100}"
            )
        new, old = words[1], words[3]
        if new.strip("0"):
            sources.append(Source(start=_start(new, old, remote, folder), end=new))
    return sources


def _start(new: str, old: str, remote: str, folder: Path) -> str:
    """Name what the remote has already: its own commit if we know it, else the parent of the first new one."""
    if old.strip("0") and _git(folder, "rev-parse", "--quiet", "--verify", f"{old}^{{commit}}"):
        return old
    unknown = _git(
        folder, "rev-list", "--topo-order", "--reverse", new, "--not", f"--remotes={remote}"
    ).split()
    if not unknown:
        return new
    return _git(folder, "rev-parse", "--quiet", "--verify", f"{unknown[0]}^") or _empty_tree(folder)


def _empty_tree(folder: Path) -> str:
    """Name the tree without files, in the repository's own hash."""
    return _git(folder, "hash-object", "-t", "tree", "--stdin")


def _git(folder: Path, *arguments: str) -> str:
    """Ask git; "" where it refuses."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git can't be asked: {error}") from error
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""
