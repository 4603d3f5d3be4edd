"""What a hook is asked to review: the index, or the commits that a push sends.

git tells a pre-push hook on standard input (githooks(5)), pre-commit tells its hooks by environment variables
(https://pre-commit.com/#pre-commit-during-push).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hunkwise.reviewer.commands.source import Source
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.forges.git import Repository, asks, repository, run

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def from_environment(environ: Mapping[str, str], folder: Path) -> list[Source]:
    """Read pre-commit's variables; without them it is the index that is reviewed."""
    start, end = environ.get("PRE_COMMIT_FROM_REF"), environ.get("PRE_COMMIT_TO_REF")
    if start and end:
        return [Source(start=start, end=end)]
    if environ.get("PRE_COMMIT_REMOTE_BRANCH"):  # a push with no FROM_REF begins at a root commit
        roots = run(repository(folder), "rev-list", "--max-parents=0", "HEAD").decode().split()
        return _from_root(roots[-1], "HEAD") if roots else []
    return [Source(staged=True)]


def from_lines(lines: Iterable[str], remote: str, folder: Path) -> list[Source]:
    """Read git's lines "<local ref> <local id> <remote ref> <remote id>"; a deleted ref sends nothing.

    Raises GitError for a line of another form.
    """
    sources, repo = [], repository(folder)
    for line in lines:
        words = line.split()
        if len(words) != 4 or not all(_COMMIT.fullmatch(word) for word in (words[1], words[3])):
            raise GitError(
                f"a pre-push hook should read four words a line from git, not {line.strip()!r:.100}"
            )
        if words[1].strip("0"):
            sources += _sent(words[1], words[3], remote, repo)
    return sources


def _sent(new: str, old: str, remote: str, repo: Repository) -> list[Source]:
    """Name what a push of `new` sends: what its old value has not, or else what no branch of the remote has."""
    if old.strip("0") and asks(repo, "cat-file", "-e", f"{old}^{{commit}}") is not None:
        return [Source(start=old, end=new)]
    known = ("--not", f"--remotes={remote}")
    unknown = run(repo, "rev-list", "--topo-order", "--reverse", new, *known).decode().split()
    if not unknown:
        return []
    parent = asks(repo, "rev-parse", "--quiet", "--verify", f"{unknown[0]}^")
    return [Source(start=parent, end=new)] if parent else _from_root(unknown[0], new)


def _from_root(root: str, end: str) -> list[Source]:
    return [Source(commit=root), Source(start=root, end=end)]
