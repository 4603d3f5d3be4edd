"""Where the change comes from: a diff, the index, the working tree, commits, or whole files."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hunkwise.reviewer.config.named_files import read_regular
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.types import Change

CHOICES = (
    "name a diff (review FILE, review - for standard input) or one of --staged, --working, --commit SHA, "
    "--from A --to B, --scan PATH…, --pr URL, --mr URL"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What the command line names as the change to review. `paths` is a diff's name, or what to scan."""

    paths: tuple[str, ...] = ()
    staged: bool = False
    working: bool = False
    commit: str | None = None
    starts: tuple[str, ...] = ()  # --from
    end: str | None = None  # --to
    scan: bool = False
    pull: str | None = None  # --pr, the web address of a pull request
    merge: str | None = None  # --mr, of a merge request

    @property
    def start(self) -> str | None:
        """The first --from."""
        return self.starts[0] if self.starts else None


def fed() -> bool:
    """Whether somebody sends something to the standard input: a pipe, a file, no terminal and no /dev/null."""
    try:
        return not stat.S_ISCHR(os.fstat(sys.stdin.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):  # closed, or none of the system's
        return False


def checked(source: Source, *, fed: bool) -> Source:
    """Make sure that exactly one source is named. Raises UsageError that names the choices.

    Without any, standard input is read, if it is `fed`.
    """
    ranged = bool(source.starts) or source.end is not None
    named = [source.staged, source.working, source.commit is not None, ranged, source.scan]
    named += [source.pull is not None, source.merge is not None]
    named.append(bool(source.paths) and not source.scan)
    if sum(named) > 1:
        raise UsageError(f"more than one source of the change; {CHOICES}")
    if len(source.paths) > 1 and not source.scan:
        raise UsageError(f"more than one diff; join them (cat A B | review -), or {CHOICES}")
    if source.scan and not source.paths:
        raise UsageError("--scan needs files or folders: review --scan PATH…")
    if source.end is not None and not source.starts:
        raise UsageError("--to needs --from: review --from A --to B")
    if sum(named) == 0:
        if not fed:
            raise UsageError(f"nothing to review was named; {CHOICES}")
        return Source(("-",))
    return source


def read_change(source: Source, config: Config, folder: Path, environ: Mapping[str, str]) -> Change:
    """Read the change that a checked source names; `environ` holds a forge's token, and what git heeds.

    Raises DiffError, GitError, ForgeError, UsageError.
    """
    from hunkwise.reviewer.diff.parse import Limits, parse_diff
    from hunkwise.reviewer.source import local
    from hunkwise.reviewer.source.scan import scan

    limits = Limits(
        bytes=config.max_bytes,
        files=config.max_files,
        hunks=config.max_hunks,
        lines=config.max_lines,
        line_length=config.max_line_length,
    )
    if request := request_of(source, environ):
        from hunkwise.reviewer.forges.registry import requested_change

        return local.with_texts(folder, requested_change(*request, environ), environ)
    if source.staged:
        return local.staged(folder, limits, environ)
    if source.working:
        return local.working(folder, limits, environ)
    if source.commit is not None:
        return local.commit(folder, source.commit, limits, environ)
    if source.starts:
        return local.between(folder, source.starts, source.end or "HEAD", limits, environ)
    if source.scan:
        return scan(folder, source.paths, limits, environ)
    diff = _read_diff(source.paths, config.max_bytes)
    change = local.with_texts(folder, parse_diff(diff, limits), environ)
    if source.paths == ("-",) and not diff:
        return replace(change, notes=(*change.notes, "the standard input is empty"))
    return change


def request_of(source: Source, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Name the forge and the address of the pull or merge request, if the source is one."""
    if source.pull is None and source.merge is None:
        return None
    from hunkwise.reviewer.forges.registry import chosen_forge

    return chosen_forge(None, source.pull, source.merge, environ), source.pull or source.merge or ""


def _read_diff(paths: Sequence[str], most: int) -> bytes:
    """Read one byte more than allowed at most, so that the parser can say that it was too much."""
    (name,) = paths
    try:
        if name == "-":
            return sys.stdin.buffer.read(most + 1)
        return read_regular(name, most + 1)
    except OSError as error:
        hint = (
            "; name it with --commit or --from if it is a revision"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise UsageError(f"{name}: can't be read: {error.strerror}{hint}") from None
