"""Names of commits, and what to do about one that is not here."""

from __future__ import annotations

import re

from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.git import Repository, asks, run

_EXPRESSION = re.compile(r"[~^@:]")  # where a name ends and the way from there begins
_OBJECT = re.compile(r"[0-9a-f]{7,64}")


def commit_id(repo: Repository, name: str) -> str:
    """The full id of the commit that `name` stands for. Raises GitError if there is none."""
    if name.startswith("-") or "\0" in name or not name:
        raise GitError(f"{name!a} is no name of a commit")
    found = asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found is None:
        where = repo.top or repo.git_dir
        raise GitError(f"git knows no commit {name!a} in {where}; {_how_to_have(repo, name)}")
    return found


def empty_tree(repo: Repository) -> str:
    """The id of the tree without files, which git knows everywhere."""
    return run(repo, "hash-object", "-t", "tree", "--stdin").decode().strip()


def is_shallow(repo: Repository) -> bool:
    """Whether the history is cut off."""
    return asks(repo, "rev-parse", "--is-shallow-repository") == "true"


def _how_to_have(repo: Repository, name: str) -> str:
    """What to do about a commit that is not here."""
    if asks(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        return "HEAD has no commit yet; review what is not committed with --staged or --working"
    named = asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if named and (kind := asks(repo, "cat-file", "-t", named)) not in (None, "commit"):
        return f"it names a {kind}"
    if found := _EXPRESSION.search(name):
        known = asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", name[: found.start()])
        if known is not None and is_shallow(repo):
            return (
                "the history ends before it in this shallow clone; "
                "run `git fetch --unshallow` (or `git fetch --deepen=100`) first"
            )
        if known is not None:
            return "the history ends before it; look it up with `git log`"
        return f"there is no {name[: found.start()]!a}; look it up with `git log`"
    remotes = (asks(repo, "remote") or "").split("\n")
    remote = "origin" if "origin" in remotes else remotes[0]
    if not remote:
        return "look it up with `git log`"
    plain = name.removeprefix(f"{remote}/")
    if asks(repo, "rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/{plain}") is not None:
        return f"did you mean {remote}/{plain}?"
    if _OBJECT.fullmatch(name):
        return f"look it up with `git log`, or fetch it: `git fetch {remote} {name}`"
    target = f"refs/remotes/{remote}/{plain}"
    return (
        f"look it up with `git branch -a`, or fetch the branch, `git fetch {remote} {plain}:{target}`, "
        f"and name it {remote}/{plain}"
    )
