"""What a hook is asked to review: the index, or the commits that a push sends.

git tells a pre-push hook on standard input (githooks(5)), pre-commit tells its hooks by environment variables
(https://pre-commit.com/#pre-commit-during-push). Of a push all is reviewed that no branch of the remote has,
as far as it was fetched or the push itself says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.ci import COMMIT
from hunkwise.reviewer.source.commits import empty_tree, is_shallow
from hunkwise.reviewer.source.git import Repository, asks, repository, run

_SHORT = re.compile(r"(?:[^/:@]*@)?(?P<host>[^/:]+):(?P<path>.*)", re.DOTALL)  # user@host:path
_MOST_STARTS = 50  # on the command line of one review


@dataclass(frozen=True, slots=True)
class Task:
    """Something to review, by the name that people know it by; or why it can't be said what."""

    name: str
    source: Source | None = None
    problem: str = ""


def from_environment(environ: Mapping[str, str], folder: Path) -> list[Task]:
    """Read pre-commit's variables; without them it is the index that is reviewed, if it has anything new."""
    start, end = environ.get("PRE_COMMIT_FROM_REF"), environ.get("PRE_COMMIT_TO_REF")
    branch, remote = environ.get("PRE_COMMIT_LOCAL_BRANCH"), environ.get("PRE_COMMIT_REMOTE_NAME", "")
    if remote or environ.get("PRE_COMMIT_REMOTE_BRANCH"):  # without FROM_REF a push begins at a root commit
        new = end or branch or "HEAD"
        return list(
            _sent([(branch or new, new)], [start] if start else [], remote, repository(folder, environ))
        )
    if start and end:
        return [Task(f"{start}...{end}", Source(starts=(start,), end=end))]
    if asks(repository(folder, environ), "diff", "--cached", "--quiet", "--no-ext-diff") is not None:
        return []
    return [Task("the index", Source(staged=True))]


def from_lines(lines: Iterable[str], remote: str, folder: Path, environ: Mapping[str, str]) -> list[Task]:
    """Read git's lines "<local ref> <local id> <remote ref> <remote id>"; a deleted ref sends nothing.

    Raises GitError for a line of another form.
    """
    new, old = [], []
    for line in lines:
        words = line.rsplit(maxsplit=3)  # a local ref may be an expression with blanks, such as ":/fix it"
        if len(words) != 4 or not all(COMMIT.fullmatch(word) for word in (words[1], words[3])):
            raise GitError(
                f"a pre-push hook should read four words a line from git, not {line.strip()!r:.100}"
            )
        if words[1].strip("0"):
            new.append((words[0], words[1]))
        if words[3].strip("0"):
            old.append(words[3])
    return list(_sent(new, old, remote, repository(folder, environ))) if new else []


def _sent(
    refs: Sequence[tuple[str, str]], old: Sequence[str], remote: str, repo: Repository
) -> Iterator[Task]:
    """Name what each ref sends: what no branch of the remote has, and no ref before it has sent."""
    there = [f"--remotes={name}" for name in remotes(repo, remote)]
    known = {commit for commit in _commits(repo, old) if commit}
    commits = _commits(repo, [new for _, new in refs])
    anything = _listed(repo, [commit for commit in commits if commit], known, there, "--max-count=1")
    for (ref, new), commit in zip(refs, commits, strict=True):
        if commit is None:
            yield Task(ref, problem=f"{new} is no commit")
        elif anything and commit not in known:
            try:
                source = _unknown(repo, commit, known, there)
            except GitError as error:
                yield Task(ref, problem=str(error))
                continue
            known.add(commit)
            if source is not None:
                yield Task(ref, source)


def _commits(repo: Repository, names: Sequence[str]) -> list[str | None]:
    """The commit that each name stands for, if it does."""
    asked = "".join(f"{name}^{{commit}}\n" for name in names).encode()
    lines = run(repo, "cat-file", "--batch-check=%(objectname)", data=asked).decode().splitlines()
    return [line if COMMIT.fullmatch(line) else None for line in lines]


def _listed(
    repo: Repository, new: Iterable[str], known: Iterable[str], there: Sequence[str], *how: str
) -> list[str]:
    """The commits of `new` that are neither `known` nor on a remote's branch."""
    data = "".join([*(f"{commit}\n" for commit in new), *(f"^{commit}\n" for commit in known)]).encode()
    return run(repo, "rev-list", *how, "--stdin", "--not", *there, data=data).decode().split()


def _unknown(repo: Repository, new: str, known: Iterable[str], there: Sequence[str]) -> Source | None:
    """Name what of `new` is not known; None if all is. Raises GitError if that can't be said."""
    output = _listed(repo, [new], known, there, "--boundary")
    edge = [name[1:] for name in output if name.startswith("-")]
    if len(edge) == len(output):
        return None
    if edge:
        edge = run(repo, "merge-base", "--independent", *edge).decode().split()
        if len(edge) > _MOST_STARTS:
            raise GitError(
                f"its new commits begin at {len(edge)} places, {_MOST_STARTS} at most are compared"
            )
        return Source(starts=tuple(edge), end=new)
    if is_shallow(repo):
        raise GitError(
            "this shallow clone does not reach back to what the remote has; run `git fetch --unshallow`"
        )
    return Source(starts=(empty_tree(repo),), end=new)


def remotes(repo: Repository, given: str) -> list[str]:
    """The names of the remotes that `given`, a name or an address, stands for."""
    names = (asks(repo, "remote") or "").splitlines()
    if given in names or not given:
        return [given] if given else []
    wanted = _address(repo, asks(repo, "ls-remote", "--get-url", "--", given) or given)
    found = []
    for name in names:
        asked = [asks(repo, "remote", "get-url", "--all", *which, "--", name) for which in ((), ("--push",))]
        urls = {url for text in asked if text for url in text.splitlines()}
        if wanted in {_address(repo, url) for url in urls}:
            found.append(name)
    return found


def _address(repo: Repository, url: str) -> tuple[str, str]:
    """Host and path that an address means, however it is written; no host for a folder of this machine."""
    if "://" in url:
        host, slash, path = url.partition("://")[2].partition("/")
        host, path = host.rpartition("@")[2].lower(), slash + unquote(path)
    elif short := _SHORT.fullmatch(url):
        host, path = short["host"].lower(), short["path"]
    else:
        host, path = "", url
    if not host:
        path = os.path.realpath((repo.top or repo.git_dir) / path)
    return host, path.strip("/").removesuffix(".git").rstrip("/")
