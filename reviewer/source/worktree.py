"""Files of a work tree as git sees them: with git's own conversions, and with no program of the repository's.

`git diff` of a work tree runs the clean filters that .gitattributes and the configuration name. So git is given
a folder of its own in place of .git, with a copy of the index, a store that borrows the objects, and a
configuration that names no program: line ends, encodings, `ident`, modes and what counts as changed are git's own
business, a filter is only a word there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.git import Repository, asks, blobs, configured, run
from hunkwise.reviewer.types import Skipped

LARGEST_FILE = 8 * 1024 * 1024  # bytes of one file that are read
_MOST_REFUSED = 1_000  # runs of git that fail, before the rest is given up
LARGEST_TREE = 256 * 1024 * 1024  # bytes of all changed files together

# The settings that say how files are compared; no other is taken over
_PLAIN = (
    "autocrlf", "eol", "filemode", "symlinks", "ignorecase", "precomposeunicode", "trustctime", "checkstat",
    "sparsecheckout", "sparsecheckoutcone", "protecthfs", "protectntfs",
)  # fmt: skip
_OWN = ("core.fsync=none", "core.safecrlf=false", "advice.addEmbeddedRepo=false")
_BESIDE = ("info/attributes", "info/exclude", "info/sparse-checkout")
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_LARGEST_POINTER = 1024  # bytes; git-lfs reads no larger one
_CHANGED = re.compile(rb":(\d{6}) \d{6} [0-9a-f]+ [0-9a-f]+ [A-Z]\d*\0([^\0]*)\0")  # diff-files --raw -z
_SUBMODULE = b"160000"
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository whose index is the work tree; what could not be put into it, and what is to be said."""

    repository: Repository
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def read_regular(top: Path, path: str, most: int = LARGEST_FILE) -> bytes | None:
    """Bytes of a regular file below `top`, at most `most` + 1; None if it is none, or behind a link."""
    try:
        with _parent(top, path) as parent:
            # O_NONBLOCK: a named pipe would wait for a writer
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(path.rpartition("/")[2], flags, dir_fd=parent)
            with os.fdopen(descriptor, "rb") as file:
                return file.read(most + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def _kind(top: Path, path: str) -> int | None:
    """The mode of what is at `path`, itself a link or not; None if nothing is, or only behind a link."""
    try:
        with _parent(top, path) as parent:
            return os.stat(path.rpartition("/")[2], dir_fd=parent, follow_symlinks=False).st_mode
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


@contextlib.contextmanager
def _parent(top: Path, path: str) -> Iterator[int]:
    """A descriptor of the folder that `path` is in, reached without a link below `top`."""
    with contextlib.ExitStack() as opened:
        at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, at)
        for folder in path.split("/")[:-1]:
            if folder in ("", ".", ".."):
                raise FileNotFoundError(errno.ENOENT, "not a plain path", path)
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            opened.callback(os.close, at)
        yield at


def is_binary(data: bytes) -> bool:
    """Whether git would call it binary: a NUL in the first 8,000 bytes (buffer_is_binary)."""
    return b"\0" in data[:8000]


def listed(repo: Repository, *paths: str) -> list[str]:
    """Paths of the work tree, tracked or not, without those that .gitignore names."""
    output = run(
        repo, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths, work_tree=True
    )
    return sorted({os.fsdecode(path) for path in output.split(b"\0") if path})


def ignored(repo: Repository, *paths: str) -> list[str]:
    """Paths of the work tree that .gitignore names; of a folder that is ignored as a whole, that alone."""
    what = ("--others", "--ignored", "--exclude-standard", "--directory")
    output = run(repo, "ls-files", "-z", *what, "--", *paths, work_tree=True)
    return sorted(os.fsdecode(path) for path in output.split(b"\0") if path)


@contextlib.contextmanager
def borrowed(repo: Repository) -> Iterator[Repository]:
    """The repository with a store of our own, gone afterwards, for what is written."""
    with tempfile.TemporaryDirectory(prefix="hunkwise-") as folder:
        store = Path(folder) / "objects"
        (store / "info").mkdir(parents=True)
        (store / "info" / "alternates").write_bytes(os.fsencode(place(repo, "objects")) + b"\n")
        yield replace(
            repo,
            environment={**repo.environment, "GIT_OBJECT_DIRECTORY": str(store)},
            settings=(*repo.settings, *_OWN),
        )


@contextlib.contextmanager
def snapshot(repo: Repository, most: int) -> Iterator[Snapshot]:
    """The work tree as an index, in a temporary folder. At most `most` changed files are taken."""
    with borrowed(repo) as lent, tempfile.TemporaryDirectory(prefix="hunkwise-") as folder:
        own = _own(lent, Path(folder))
        taking = _Taking(own, most)
        taking.take()
        yield Snapshot(own, tuple(taking.skipped), tuple(taking.notes()))


def _own(repo: Repository, folder: Path) -> Repository:
    """A repository of the same index, objects and work tree in which no program is configured."""
    for name in ("refs", "info"):
        (folder / name).mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
    form = asks(repo, "rev-parse", "--show-object-format")
    version = "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
    (folder / "config").write_text("[core]\n" + version * (form == "sha256"), encoding="utf-8")
    index = place(repo, "index")
    beside = [(place(repo, name), folder / name) for name in _BESIDE]
    shared = [(path, folder / path.name) for path in repo.git_dir.glob("sharedindex.*")]
    for source, copy in ((index, folder / "index"), *beside, *shared):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(source, copy)  # with its time: git rereads what is no older than the index
    places = {
        "HOME": str(folder),  # where no configuration is
        "XDG_CONFIG_HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_INDEX_FILE": str(folder / "index"),
    }
    return replace(
        repo,
        git_dir=folder,
        configuration=repo.git_dir,
        environment={**repo.environment, **places},
        settings=(*repo.settings, *_settings(repo)),
    )


def _settings(repo: Repository) -> Iterator[str]:
    """How this repository's files are compared, and the user's lists of attributes and ignored files."""
    plain = configured(repo, rf"^core\.({'|'.join(_PLAIN)})$")
    yield from (f"{name}={value}" for name, value in plain.items())
    home = repo.variables.get("XDG_CONFIG_HOME") or f"{repo.variables.get('HOME', '')}/.config"
    usual = {"core.attributesfile": f"{home}/git/attributes", "core.excludesfile": f"{home}/git/ignore"}
    named = configured(repo, r"^core\.(attributesfile|excludesfile)$", "--type=path")
    yield from (f"{name}={value}" for name, value in {**usual, **named}.items())


def place(repo: Repository, name: str) -> Path:
    """Where git keeps what it calls `name` in its folder."""
    return repo.git_dir / os.fsdecode(run(repo, "rev-parse", "--git-path", name).removesuffix(b"\n"))


class _Taking:
    """Puts what differs from the index into it: all that can be read, and that git adds."""

    def __init__(self, own: Repository, most: int) -> None:
        assert own.top is not None
        self.top = own.top
        self.own = own
        self.left = most
        self.room = LARGEST_TREE
        self.skipped: list[Skipped] = []
        self.refused = 0
        self.unfiltered: dict[str, list[str]] = {}

    def take(self) -> None:
        """Bring the index up to the work tree."""
        asks(self.own, "update-index", "-q", "--refresh", work_tree=True)  # "no": something differs
        # "dirty" looks for the submodule's commit alone; to see more, git would run in the submodule
        command = ("diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=dirty")
        tracked = {
            os.fsdecode(path): mode
            for mode, path in _CHANGED.findall(run(self.own, *command, work_tree=True))
        }
        others = run(self.own, "ls-files", "-z", "--others", "--exclude-standard", work_tree=True)
        untracked = sorted(os.fsdecode(name) for name in others.split(b"\0") if name)
        filters = self._filters([*tracked, *untracked])
        pointers = blobs(self.own, (f":0:{path}" for path in tracked), _LARGEST_POINTER, LARGEST_TREE)
        gone, there = [], []
        for path in (*tracked, *untracked):
            present = self._present(path, submodule=tracked.get(path) == _SUBMODULE)
            if present is False:
                gone.append(path)
            elif present and not self._kept_by_lfs(
                path, pointers.get(f":0:{path}", b""), new=path not in tracked and filters.get(path) == "lfs"
            ):
                there.append(path)
                if path in filters:
                    self.unfiltered.setdefault(filters[path], []).append(path)
        self._update(gone, "--force-remove")
        self._update(there, "--add", "--remove", "--replace")

    def notes(self) -> Iterator[str]:
        """Which files git would have compared otherwise."""
        for name, paths in self.unfiltered.items():
            shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
            yield f"the filter {name!a} is not run; compared as they lie in the work tree: {shown}"

    def _update(self, paths: list[str], *how: str) -> None:
        """Update the index; of many paths half and half, until the one that git refuses is alone."""
        if not paths:
            return
        data = b"".join(os.fsencode(path) + b"\0" for path in paths)
        try:
            run(self.own, "update-index", *how, "-z", "--stdin", data=data, work_tree=True)
        except GitError as error:
            self.refused += 1
            if len(paths) > 1 and self.refused < _MOST_REFUSED:
                self._update(paths[: len(paths) // 2], *how)
                self._update(paths[len(paths) // 2 :], *how)
            else:
                self.skipped += (Skipped(path, f"git can't take it: {error}", fault=True) for path in paths)

    def _present(self, path: str, *, submodule: bool) -> bool | None:
        """Whether the path is there; None if it can't be taken, which is noted."""
        if path.endswith("/"):
            self.skipped.append(Skipped(path, "a repository of its own"))
            return None
        try:
            mode = _kind(self.top, path)
            if mode is None or (stat.S_ISDIR(mode) and not submodule):
                return False
            if stat.S_ISREG(mode):
                content = read_regular(self.top, path)
                if content is None:
                    return False
                if reason := self._too_much(content):
                    self.skipped.append(Skipped(path, reason, fault=not is_binary(content)))
                    return None
                return True
        except OSError as error:
            self.skipped.append(Skipped(path, f"can't be read: {error.strerror}", fault=True))
            return None
        return submodule or stat.S_ISLNK(mode)

    def _too_much(self, content: bytes) -> str:
        self.left -= 1
        self.room -= len(content)
        if len(content) > LARGEST_FILE:
            return f"larger than {LARGEST_FILE:,} bytes"
        if self.left < 0 or self.room < 0:
            return "over the limit of changed files in the work tree"
        return ""

    def _filters(self, paths: Iterable[str]) -> dict[str, str]:
        """The filter of each path that has one which git would run."""
        drivers = {
            name.split(".", 1)[1].rpartition(".")[0]
            for name, value in configured(self.own, r"^filter\..*\.(clean|process)$").items()
            if value
        }
        if not drivers:
            return {}
        data = b"".join(os.fsencode(path) + b"\0" for path in paths)
        told = run(self.own, "check-attr", "-z", "--stdin", "filter", data=data, work_tree=True)
        words = [os.fsdecode(word) for word in told.split(b"\0")[:-1]]
        found = zip(words[::3], words[2::3], strict=True)  # path NUL "filter" NUL value NUL
        return {path: name for path, name in found if name in drivers}

    def _kept_by_lfs(self, path: str, before: bytes, *, new: bool) -> bool:
        """Whether git-lfs keeps the content, and only a pointer is, or would be, committed."""
        pointer = _LFS.match(before)
        if pointer is None and not new:
            return False
        content = read_regular(self.top, path) or b""
        if _LFS.match(content):
            return False
        if pointer is None or hashlib.sha256(content).hexdigest().encode() != pointer[1]:
            self.skipped.append(Skipped(path, "kept by git-lfs; its content is not reviewed"))
        return True
