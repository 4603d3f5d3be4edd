"""How old what a file says is: by the commit that last changed it, else by the time that the file itself has."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable

from hunkwise.reviewer.errors import GitError, KnowledgeError, UsageError
from hunkwise.reviewer.source.git import Repository, asks, run

MOST_COMMITS = 20_000  # that are looked through
_DAYS = re.compile(r"(\d{1,5})d", re.ASCII)


def moment(text: str, now: float) -> float:
    """Read a day (`2026-03-31`, from midnight here), or how many days before now (`30d`).

    Gives seconds since 1970. Raises UsageError.
    """
    if found := _DAYS.fullmatch(text):
        return max(1.0, now - 86_400 * int(found[1]))
    try:
        day = dt.date.fromisoformat(text)
        return max(1.0, dt.datetime(day.year, day.month, day.day).timestamp())  # noqa: DTZ001 - the user's own midnight
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text:.40}: give a day, as in 2026-03-31, or how many days ago, as in 30d"
        ) from None


def changed_since(repo: Repository, files: Iterable[tuple[str, str, float]], since: float) -> frozenset[str]:
    """Give those of some files (path, blob, when it was last written) that changed since a time.

    A file that is as the last commit has it is as old as the last commit that touched it, else as old as it is on
    the disk. Raises KnowledgeError for a longer history than is looked through.
    """
    committed, lately = dict[str, str](), frozenset[str]()
    try:
        if asks(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None:
            committed = dict(_blobs(run(repo, "ls-tree", "-r", "-z", "--full-tree", "HEAD")))
            lately = _touched(repo, int(since))
    except GitError as error:
        raise KnowledgeError(f"the history can't be read: {error}") from None
    return frozenset(
        path
        for path, blob, written in files
        if (path in lately if committed.get(path) == blob else written >= since)
    )


def _blobs(output: bytes) -> Iterable[tuple[str, str]]:
    for line in output.split(b"\0")[:-1]:
        told, _, path = line.partition(b"\t")
        yield os.fsdecode(path), told.split()[2].decode()


def _touched(repo: Repository, since: int) -> frozenset[str]:
    after = f"--max-age={since}"
    many = int(run(repo, "rev-list", "--count", f"--max-count={MOST_COMMITS + 1}", after, "HEAD"))
    if many > MOST_COMMITS:
        raise KnowledgeError(
            f"more than {MOST_COMMITS:,} commits are as late as that; ask for a shorter time"
        )
    names = run(
        repo, "log", "-z", "--format=", "--name-only", "--no-renames", "--no-ext-diff", after, "HEAD", "--"
    )
    return frozenset(os.fsdecode(path) for path in names.split(b"\0") if path)
