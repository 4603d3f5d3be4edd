"""The repository as a change leaves it: a commit, and the files of the change over it, by git's objects alone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from hunkwise.reviewer.languages.symbols.read import language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Symbols
from hunkwise.reviewer.source.git import Repository, blobs, run, run_for
from hunkwise.reviewer.text.decoding import decode

LARGEST_FILE = 400_000  # bytes; larger ones are not read
MOST_BYTES = 8_000_000  # of all files together
MOST_FILES = 300  # that hold a name
LONGEST_LINE = 5000  # characters; longer ones are no code that somebody wrote
MOST_PACKAGES = 60
MOST_NAMES = 60  # that are looked for at once

_WORD = re.compile(r"[\w$]+")
_NAME = re.compile(r'^\s*"name"\s*:\s*"([^"\n]+)"', re.MULTILINE)


class OutOfTime(Exception):
    """The time that may be spent is over."""


def is_written(text: str) -> bool:
    """Tell whether somebody may have written a text: what a program has shortened is one long line."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        if end - start > LONGEST_LINE:
            return False
        start = end + 1
    return len(text) - start <= LONGEST_LINE


@dataclass
class World:
    """What stands where at the end of a change. `changed` are its files' texts, None for those it takes away."""

    repository: Repository
    commit: str
    changed: Mapping[str, str | None]
    until: float  # on the clock of time.monotonic
    names: Collection[str] | None = None  # whose uses are read; None for all
    _texts: dict[str, str | None] = field(default_factory=dict)
    _symbols: dict[str, Symbols | None] = field(default_factory=dict)
    _paths: frozenset[str] | None = None
    _packages: dict[str, str] | None = None
    _read: int = 0

    def check(self) -> None:
        """Raise OutOfTime where the time is over."""
        if time.monotonic() > self.until:
            raise OutOfTime

    @property
    def paths(self) -> frozenset[str]:
        """All paths of files."""
        if self._paths is None:
            listed = run(self.repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit)
            known = {os.fsdecode(path) for path in listed.split(b"\0") if path}
            known -= {path for path, text in self.changed.items() if text is None}
            self._paths = frozenset(known | {path for path, text in self.changed.items() if text is not None})
        return self._paths

    def holding(self, names: Collection[str]) -> set[str]:
        """Find the files that hold one of these words. Raises OutOfTime."""
        found = {os.fsdecode(line).partition(":")[2] for line in self._grep("-l", names).split(b"\0") if line}
        return {path for path in found if path not in self.changed} | self._changed_with(names)

    def holders(self, names: Collection[str]) -> dict[str, set[str]]:
        """Find the files that hold each of these words, which takes longer. Raises OutOfTime."""
        found: dict[str, set[str]] = {name: self._changed_with({name}) for name in names}
        for line in set(self._grep("-o", names).split(b"\n")):
            path, _, name = os.fsdecode(line).partition("\0")
            found.get(name, set()).add(path.partition(":")[2])
        return found

    def _grep(self, how: str, names: Collection[str]) -> bytes:
        asked = [part for name in sorted(names) for part in ("-e", name)]
        command = ("grep", how, "-w", "-F", "-I", "-z", *asked, self.commit, "--")
        output = run_for(self.repository, self.until - time.monotonic(), *command) if names else b""
        if output is None:
            raise OutOfTime
        return output

    def _changed_with(self, names: Collection[str]) -> set[str]:
        return {path for path in self.changed if self.held(path, names)}

    def load(self, paths: Iterable[str]) -> None:
        """Read the texts of files at once. Raises OutOfTime where that is too much."""
        wanted = [path for path in sorted(paths) if path not in self._texts and path not in self.changed]
        if len(wanted) + len(self._texts) > 2 * MOST_FILES or self._read > MOST_BYTES:
            raise OutOfTime
        self.check()
        names = {f"{self.commit}:{path}": path for path in wanted}
        found = blobs(self.repository, names, LARGEST_FILE, MOST_BYTES - self._read)
        for name, path in names.items():
            content = found.get(name)
            self._read += len(content or b"")
            self._texts[path] = decode(content) if content is not None and b"\0" not in content else None

    def text(self, path: str) -> str | None:
        """Give the text of a file; None where there is none, or it is too large."""
        if path in self.changed:
            return self.changed[path]
        if path not in self._texts:
            self.load([path])
        return self._texts[path]

    def packages(self) -> Mapping[str, str]:
        """Give the folders of the repository's own packages of JavaScript, by their names. Raises OutOfTime."""
        if self._packages is None:
            listed = [path for path in self.paths if path.endswith("/package.json")]
            listed = sorted(listed, key=lambda path: (path.count("/"), path))[:MOST_PACKAGES]
            self.load(listed)
            named = ((_NAME.search(self.text(path) or ""), path) for path in listed)
            self._packages = {name[1]: path.rpartition("/")[0] for name, path in named if name is not None}
        return self._packages

    def is_ignored(self, path: str) -> bool:
        """Tell whether git is told to ignore a file, as the patterns above it say: it may be made then."""
        parts = path.split("/")
        for depth in range(len(parts)):
            listed = "/".join([*parts[:depth], ".gitignore"])
            patterns = (self.text(listed) or "").splitlines()[:1000] if listed in self.paths else ()
            inner = parts[depth:]
            stems = ["/".join(inner[:end]) for end in range(1, len(inner) + 1)]
            for pattern in (line.strip().strip("/") for line in patterns if not line.startswith(("#", "!"))):
                anchored = inner if "/" not in pattern else stems
                if pattern and any(fnmatchcase(each, pattern) for each in anchored):
                    return True
        return False

    def held(self, path: str, names: Collection[str]) -> set[str]:
        """Give those of the names that a file holds: as words, and as parts of its text where they are none."""
        text = self.text(path) or ""
        words = set(_WORD.findall(text))
        return {name for name in names if name in words or (not _WORD.fullmatch(name) and name in text)}

    def symbols(self, path: str) -> Symbols | None:
        """Read the symbols of a file; None where no grammar reads it. Raises OutOfTime."""
        if path not in self._symbols:
            self.check()
            text, language = self.text(path), language_of(path)
            readable = text is not None and language and is_written(text)
            self._symbols[path] = symbols(language, text or "", self.names) if readable else None
        return self._symbols[path]
