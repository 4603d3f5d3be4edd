"""Fetching what a comment is about: the commits of a change, in a folder that is thrown away."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hunkwise.reviewer.bot.access import Keys, clone_url
from hunkwise.reviewer.bot.port import ChangeId, ForgeName
from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.forges.attended import Attended, Standing
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.source.clone import Bounds, Every, Stopped, fetch_change
from hunkwise.reviewer.source.local import between
from hunkwise.reviewer.types import Change

CLONE = "change"  # the repository, in the folder
_BOUNDS = Bounds(bytes=512 << 20)
_PREFIX = "hunkwise-bot-"  # of throw-away folders
_HELD = "held"  # the file in one that its worker has locked for as long as it lives
_NEW = 60.0  # seconds in which a folder may not have been locked yet


class Ended(Exception):
    """The worker was told to end; the job is for another one."""


@contextmanager
def cloned(
    change: ChangeId,
    standing: Standing,
    keys: Keys,
    environ: Mapping[str, str],
    *,
    folder: Path | None,
    fetch: Callable[..., Range],
    bounds: Bounds,
    wanted: Callable[[], bool],
    every: Every | None = None,
) -> Iterator[tuple[Path, Range]]:
    """Lend a throw-away folder in `folder`, with the repository of a change as it stands in `CLONE`.

    Raises ReviewError, and Stopped as soon as it is not wanted.
    """
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder, ignore_cleanup_errors=True) as name,
        (Path(name) / _HELD).open("w") as held,
    ):
        fcntl.flock(held, fcntl.LOCK_EX)
        into = Path(name) / CLONE
        into.mkdir()
        commits = fetch(
            clone_url(change, standing.project),
            standing.head,
            standing.target,
            into,
            environ,
            login=keys.login(change),
            bounds=bounds,
            wanted=wanted,
            every=every,
        )
        yield Path(name), commits


def swept(folder: Path | None) -> int:
    """Remove the throw-away folders of workers that were killed, and count them."""
    found = 0
    for each in (folder or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            about = each.lstat()
            ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid()
            if ours and about.st_mtime < time.time() - _NEW and _is_abandoned(each):
                shutil.rmtree(each)
                found += 1
    return found


def _is_abandoned(folder: Path) -> bool:
    """Tell whether nobody holds a folder."""
    try:
        with (folder / _HELD).open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        pass
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches changes with the tokens of `keys`, until `stopping` is set."""

    keys: Mapping[ForgeName, Keys]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path | None = None  # for throw-away folders
    stopping: threading.Event = field(default_factory=threading.Event)
    fetch: Callable[..., Range] = fetch_change

    @contextmanager
    def fetched(
        self, change: ChangeId, desk: Attended, every: Every | None = None
    ) -> Iterator[tuple[Path, Range]]:
        """Lend a folder with the repository of a change. Raises ReviewError, and Ended where it is told to."""
        try:
            with cloned(
                change,
                desk.standing(),
                self.keys[change.forge],
                self.environ,
                folder=self.folder,
                fetch=self.fetch,
                bounds=_BOUNDS,
                wanted=lambda: not self.stopping.is_set(),
                every=every,
            ) as fetched:
                yield fetched
        except Stopped:
            raise Ended from None

    def change(self, change: ChangeId, desk: Attended) -> Change:
        """Read a change with the whole texts of its files; one that git can't give as its forge shows it.

        Raises ForgeError, Ended.
        """
        try:
            with self.fetched(change, desk) as (folder, commits):
                variables = {**self.environ, "GIT_CEILING_DIRECTORIES": str(folder)}
                return between(folder / CLONE, [commits.base], commits.head, Limits(), variables)
        except GitError:
            return desk.fetch().change
