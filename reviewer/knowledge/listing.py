"""Which files of a folder are asked for: those that git lists, or all of a folder that is no repository."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hunkwise.reviewer.errors import GitError, KnowledgeError
from hunkwise.reviewer.knowledge.reading.kinds import most_of
from hunkwise.reviewer.source.git import Repository, asks, repository
from hunkwise.reviewer.source.provenance import not_by_hand
from hunkwise.reviewer.source.worktree import ignored, listed
from hunkwise.reviewer.text.globs import matches

MOST_FILES = 500_000
_RACY = 2_000_000_000  # nanoseconds; a file that changed so lately may change again within its time
_IGNORED = "ignored"  # the stamp of what is counted, and never looked at
_VERSION_FOLDERS = frozenset({".git", ".hg", ".svn"})
_SHORT = {"somebody else's code (vendored)": "vendored", "a lock file": "lock file", "data, not code": "data"}
_SECRET_NAMES = (
    ".env", ".env.*", "!.env.example", "!.env.sample", "!.env.template", "*.pem", "*.key", "*.p12", "*.pfx",
    "*.jks", "*.keystore", "*.kdbx", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".pgpass", ".npmrc",
    ".pypirc", ".htpasswd", ".git-credentials",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that an index is of, and the hash that names its files' contents."""

    top: Path
    repo: Repository | None = None
    algorithm: str = "sha1"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file. `stamp` changes when the file does, "" where that can't be relied on; `reason` why it stays out."""

    path: str
    stamp: str = ""
    changed: float = 0.0
    reason: str = ""


def root_of(folder: Path, environ: Mapping[str, str]) -> Root:
    """Find the root of the repository that holds a folder; of none, the folder itself is one.

    Raises KnowledgeError for a repository without files.
    """
    try:
        repo = repository(folder, environ)
    except GitError:
        repo = None
    if repo is not None and repo.top is None:
        raise KnowledgeError(f"{folder} is in no work tree of a repository; index a clone that has its files")
    if repo is None or repo.top is None:
        return Root(folder.resolve())
    algorithm = asks(repo, "rev-parse", "--show-object-format") or "sha1"
    return Root(repo.top.resolve(), repo, algorithm if algorithm in ("sha1", "sha256") else "sha1")


def files_of(root: Root, scope: Sequence[str], known: Mapping[str, str]) -> Iterator[Listed]:
    """List the files below paths of the root, all without any. `known` has the stamps of files that were read.

    Raises KnowledgeError for more files than an index is made for, GitError where git refuses.
    """
    now = time.time_ns()
    names = listed(root.repo, *scope) if root.repo else _walked(root.top, scope or [""])
    for number, path in enumerate(names):
        if number >= MOST_FILES:
            raise KnowledgeError(f"{root.top} has more than {MOST_FILES:,} files; name the folders to index")
        if file := _listed(root.top, path, now, known):
            yield file
    for path in islice(ignored(root.repo, *scope), MOST_FILES) if root.repo else ():
        name = ascii(path)[1:-1] if _not_utf8(path) else path
        yield Listed(name, _IGNORED, reason="ignored by git")


def _not_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return True
    return False


def within(path: str, scope: Sequence[str]) -> bool:
    """Tell whether a path is one of some paths, or below one; all are below none."""
    return not scope or any(path == place or path.startswith(f"{place}/") for place in scope)


def _listed(top: Path, path: str, now: int, known: Mapping[str, str]) -> Listed | None:
    if _not_utf8(path):
        return Listed(ascii(path)[1:-1], reason="a name that is no UTF-8")
    if path.endswith("/"):
        return Listed(path, reason=stays_out(path) or "a repository of its own")
    try:
        found = os.lstat(f"{top}/{path}")
    except OSError:
        return None  # deleted, though git still lists it
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    stamp = f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_size}:{found.st_ino}"
    if changed > now - _RACY:
        stamp = ""
    if stamp and known.get(path) == stamp:
        return Listed(path, stamp, found.st_mtime)
    reason = _mode(found.st_mode) or stays_out(path) or ("too large" if found.st_size > most_of(path) else "")
    return Listed(path, stamp, found.st_mtime, reason)


def _mode(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISLNK(mode):
        return "a link"
    return "a repository of its own" if stat.S_ISDIR(mode) else "not a regular file"


def stays_out(path: str) -> str:
    """Say by its name why a file stays out, "" if it does not."""
    if matches(path, _SECRET_NAMES):
        return "may hold a secret"
    reason = not_by_hand(path)
    return "" if path.lower().endswith(".pdf") and reason.startswith("data") else _SHORT.get(reason, reason)


def _unreadable(error: OSError) -> None:
    raise KnowledgeError(f"{error.filename}: can't be read: {error.strerror}; name the folders to index")


def _walked(top: Path, scope: Sequence[str]) -> Iterator[str]:
    """Walk a folder that is no repository, not into links, nor into folders of others' code, which are named."""
    for place in scope:
        start = top / place
        if not start.is_dir():
            yield place
            continue
        for folder, folders, names in os.walk(start, onerror=_unreadable):
            inside = Path(folder).relative_to(top).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            kept = []
            for name in sorted(set(folders) - _VERSION_FOLDERS):
                if os.path.islink(f"{folder}/{name}"):  # noqa: PTH114 - many, and fast
                    names.append(name)
                elif not_by_hand(f"{prefix}{name}/x"):
                    yield f"{prefix}{name}/"
                else:
                    kept.append(name)
            folders[:] = kept
            yield from (f"{prefix}{name}" for name in sorted(names))
