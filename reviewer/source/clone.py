"""Fetches what a review of one change needs, and no more, into a folder that is thrown away.

Commits are named by their ids and never by a branch, whose name a stranger chose. Of the history come commits and
trees, as many as the merge base needs; of files those that the change touches, and what the base has for
hunkwise. Nothing of the repository runs, and no submodule is looked at. A password is asked for by git, of a
script that has it from its environment; it stands in no command line and no file.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.ci import COMMIT, Range
from hunkwise.reviewer.source.git import (
    Repository,
    asks,
    blobs,
    repository,
    run,
    run_within,
    safe_arguments,
    safe_environment,
)
from hunkwise.reviewer.text.visible import visible_line

_DEPTHS = (50, 1000, 2_147_483_647)  # commits of each side, until they meet; the last is all of them
_BYTES_A_FILE = (
    200  # of a list of files, on the average of many; trees in trees can name more than memory holds
)
_BYTES_AT_LEAST = 1 << 20  # of such a list
_FOR_HTTP = re.compile(
    r"(?:https?|all|no)_proxy|SSL_CERT_(?:FILE|DIR)|GIT_SSL_CAINFO|GIT_SSL_CAPATH|CURL_CA_BUNDLE",
    re.IGNORECASE,
)
_ASKPASS = """#!/bin/sh
case "$1" in Username*) printf '%s\\n' "$HUNKWISE_ASKED_USER";; *) printf '%s\\n' "$HUNKWISE_ASKED_PASSWORD";; esac
"""
# In a process of its own, as a limit on files holds for all that a process starts
_LIMITED = (
    "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
_QUOTED = re.compile(rb"""["']([^"'\n\0]{1,300})["']""")
_LARGEST_CONFIG = 1 << 20  # bytes
_MOST_NAMES = 200
_LOOK = 0.2  # seconds between two looks at whether it is still wanted


class TooLarge(GitError):
    """A change or its repository is larger than a bot takes in."""


class Stopped(GitError):
    """Nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class Login:
    """What git says when it is asked who we are."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long it may take in seconds, how large a pack may be in bytes, how many files there may be."""

    seconds: float = 300.0
    bytes: int = 2 << 30
    files: int = 500_000
    changed: int = 3_000


@dataclass(frozen=True, slots=True)
class Every:
    """Which files of the head are fetched beside those that a review needs: none if there are more than `most`."""

    wanted: Callable[[str], bool]
    most: int = 20_000


def fetch_change(
    url: str,
    head: str,
    target: str,
    into: Path,
    environ: Mapping[str, str],
    *,
    login: Login | None = None,
    bounds: Bounds | None = None,
    wanted: Callable[[], bool] = lambda: True,
    every: Every | None = None,
) -> Range:
    """Fetch a change into an empty folder, and give its merge base and its head; with `every` other files too.

    Raises TooLarge; Stopped as soon as `wanted` says no; GitError.
    """
    for commit in (head, target):
        if COMMIT.fullmatch(commit) is None:
            raise GitError(f"{commit[:80]!r} is no commit id")
    fetching = _Fetching(url, into, environ, login, bounds or Bounds(), wanted)
    base = fetching.history(head, target)
    fetching.files(base, head)
    if every is not None:
        fetching.rest(head, every)
    return Range(base, head)


class _Fetching:
    def __init__(
        self,
        url: str,
        into: Path,
        environ: Mapping[str, str],
        login: Login | None,
        bounds: Bounds,
        wanted: Callable[[], bool],
    ) -> None:
        self._bounds, self._wanted = bounds, wanted
        self._end = time.monotonic() + bounds.seconds
        self._folder = into
        scheme = urlsplit(url).scheme
        own = {name: value for name, value in environ.items() if _FOR_HTTP.fullmatch(name)}
        self._environment = {**safe_environment(environ, own), "GIT_ALLOW_PROTOCOL": scheme}
        self._settings = (
            f"protocol.{scheme}.allow=always",
            "http.followRedirects=false",
            "gc.auto=0",
            "fetch.unpackLimit=1",
            "transfer.advertiseSID=false",
            "maintenance.auto=false",
        )
        self._git("init", "--quiet", "--template=", ".")
        self._git("remote", "add", "origin", url)
        if login is not None:
            script = into / ".git" / "askpass"
            script.write_text(_ASKPASS)
            script.chmod(0o700)
            self._environment |= {
                "GIT_ASKPASS": str(script),
                "HUNKWISE_ASKED_USER": login.user,
                "HUNKWISE_ASKED_PASSWORD": login.password,
            }
        self._repo: Repository = repository(into, {**environ, "GIT_CEILING_DIRECTORIES": str(into.parent)})

    def history(self, head: str, target: str) -> str:
        """Fetch commits and trees until both sides meet; gives where they do."""
        for depth in _DEPTHS:
            self._fetch(f"--depth={depth}", "origin", head, target)
            base = asks(self._repo, "merge-base", head, target)
            if base:
                return base
        raise GitError("the change and its target branch have no commit in common")

    def files(self, base: str, head: str) -> None:
        """Fetch the files that are touched, and those of the base that a review may read beside them."""
        most = self._bounds.files
        room = max(most * _BYTES_A_FILE, _BYTES_AT_LEAST)
        listed = run_within(self._repo, room, "ls-tree", "-r", "-z", "--name-only", head)
        if listed.count(b"\0") > most or len(listed) > room:
            raise TooLarge(f"the repository has more than {most:,} files")
        touched = run(
            self._repo, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", base, head
        ).split(b"\0")[:-1:2]
        if len(touched) > self._bounds.changed:
            raise TooLarge(f"the change touches more than {self._bounds.changed:,} files")
        beside = run(self._repo, "ls-tree", "-z", base).split(b"\0")[:-1]
        beside += run(self._repo, "ls-tree", "-r", "-z", base, ".hunkwise/", ".github/").split(b"\0")[:-1]
        self._blobs([*_of_diff(touched), *_of_tree(beside)])
        self._blobs(_of_tree(self._named(base)))

    def rest(self, head: str, every: Every) -> None:
        """Fetch the other files that are wanted."""
        entries = run(self._repo, "ls-tree", "-r", "-z", head).split(b"\0")[:-1]
        asked = [one for one in entries if every.wanted(os.fsdecode(one.partition(b"\t")[2]))]
        if len(asked) <= every.most:
            self._blobs(_of_tree(asked))

    def _named(self, base: str) -> list[bytes]:
        """List what the base's configuration names, such as guidelines in another folder."""
        names = [f"{base}:{name}" for name in (".hunkwise.toml", "pyproject.toml")]
        texts = blobs(self._repo, names, _LARGEST_CONFIG, _LARGEST_CONFIG).values()
        words = {os.fsdecode(found[1]) for text in texts for found in _QUOTED.finditer(text)}
        plain = sorted(word for word in words if not word.startswith(("-", "/", ".", ":")))[:_MOST_NAMES]
        if not plain:
            return []
        return run(self._repo, "ls-tree", "-r", "-z", base, "--", *plain).split(b"\0")[:-1]

    def _blobs(self, wanted: Iterable[bytes]) -> None:
        ids = sorted(set(wanted))
        if ids:
            names = b"".join(one + b"\n" for one in ids)
            self._fetch("--no-write-fetch-head", "--stdin", "origin", data=names)

    def _fetch(self, *options: str, data: bytes = b"") -> None:
        plain = ("--quiet", "--no-tags", "--no-recurse-submodules", "--filter=blob:none")
        self._git("fetch", *plain, *options, data=data)

    def _git(self, *command: str, data: bytes = b"") -> None:
        limited = [sys.executable, "-I", "-S", "-c", _LIMITED, str(self._bounds.bytes)]
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
            given.write(data)
            given.seek(0)
            with subprocess.Popen(
                [*limited, *safe_arguments(command, self._settings)],
                cwd=self._folder,
                env=self._environment,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            ) as process:
                try:
                    self._await(process)
                finally:
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
            said.seek(0)
            told = said.read(1 << 20).decode("utf-8", "replace")
        if process.returncode == -signal.SIGXFSZ or "signal 25" in told or "File too large" in told:
            raise TooLarge(f"what has to be fetched has more than {self._bounds.bytes:,} bytes")
        if process.returncode:
            lines = [line.removeprefix("fatal: ") for line in told.splitlines() if line.strip()]
            raise GitError(
                f"git {command[0]} failed: {visible_line(lines[0])[:300] if lines else 'no reason given'}"
            )

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                if not self._wanted():
                    raise Stopped("nobody wants this any more") from None
                if time.monotonic() > self._end:
                    raise TooLarge(
                        f"the change was not fetched within {self._bounds.seconds:.0f} s"
                    ) from None
            else:
                return


def _of_diff(entries: Iterable[bytes]) -> Iterable[bytes]:
    """Name the blobs of both sides: `:100644 100644 OLD NEW M`. Submodules (160000) are none."""
    for entry in entries:
        modes, ids = entry.lstrip(b":").split(b" ")[:2], entry.split(b" ")[2:4]
        yield from (
            one for mode, one in zip(modes, ids, strict=True) if mode[:1] == b"1" and mode != b"160000"
        )


def _of_tree(entries: Iterable[bytes]) -> Iterable[bytes]:
    """Name the blobs of a tree: `100644 blob ID`, a tab and the path."""
    for entry in entries:
        mode, kind, name = entry.partition(b"\t")[0].split(b" ")
        if kind == b"blob" and mode != b"120000":
            yield name
