"""What is known of a change without a model: its files, what kind they are of, the symbols that it touches."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.describing.clues.clue import Clue
from hunkwise.reviewer.describing.clues.log import is_log
from hunkwise.reviewer.describing.clues.swaps import Swap
from hunkwise.reviewer.languages.prose import is_prose
from hunkwise.reviewer.source.provenance import is_test, not_by_hand
from hunkwise.reviewer.text.globs import matches
from hunkwise.reviewer.types import FileDiff, FileStatus


class PathKind(StrEnum):
    """What a file is for, told by its name."""

    CODE = "code"
    TESTS = "tests"
    DOCS = "docs"
    DEPENDENCIES = "dependencies"  # what names packages and their versions
    LOCKED = "locked"  # not written here by hand: lock files, generated code, other people's code
    BUILD = "build"  # how it is built, checked and shipped
    SETTINGS = "settings"  # and data


_BY_NAME: tuple[tuple[PathKind, tuple[str, ...]], ...] = (
    (PathKind.DEPENDENCIES, (
        "package.json", "go.mod", "go.work", "Cargo.toml", "pom.xml", "requirements*.txt", "requirements/*.txt",
        "pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "Gemfile", "*.gemspec", "composer.json",
        "build.gradle", "build.gradle.kts", "gradle/libs.versions.toml", "*.csproj", "Directory.Packages.props",
        "mix.exs", "Package.swift", "*.podspec", "pnpm-workspace.yaml",
    )),
    (PathKind.BUILD, (
        "Jenkinsfile", "Dockerfile*", "*.dockerfile",
        "docker-compose*.yml", "docker-compose*.yaml", "Makefile", "GNUmakefile", "*.mk", "CMakeLists.txt",
        "*.cmake", "configure.ac", "meson.build", "BUILD", "BUILD.bazel", "tox.ini", "appveyor.yml",
        "azure-pipelines.yml", "renovate.json", "gradlew*", "gradle/wrapper/", ".mvn/", ".config/", "*.pbxproj",
        "*.config.js", "*.config.cjs", "*.config.mjs", "*.config.ts", "tsconfig*.json", "phpstan*.neon",
        "phpstan/", "psalm*.xml", ".github/", ".circleci/",
    )),
    (PathKind.DOCS, (
        "docs/", "doc/", "man/", "*.scd", "LICENSE*", "LICENCE*", "COPYING*", "AUTHORS*", "CONTRIBUTORS*",
        "NOTICE*", "CHANGELOG*", "CHANGES*", "HISTORY*", "README*", "*.1", "*.txt", "*.tex",
    )),
)  # fmt: skip
_SETTINGS = (
    ".json",
    ".yml",
    ".yaml",
    ".toml",
    ".ini",
    ".cfg",
    ".conf",
    ".properties",
    ".env",
    ".xml",
    ".lang",
    ".neon",
    ".api",
)


def path_kind(path: str) -> PathKind:
    """Tell by its name what a file is for."""
    if reason := not_by_hand(path):
        return PathKind.SETTINGS if reason.startswith("data") else PathKind.LOCKED
    for kind, globs in _BY_NAME:
        if matches(path, globs) and not (kind is PathKind.DOCS and language_of(path)):
            return PathKind.TESTS if path.endswith(".txt") and is_test(path) else kind
    folder, _, _ = path.rpartition("/")
    if is_test(f"{folder}/") or (is_test(path) and language_of(path)):
        return PathKind.TESTS
    if is_prose(path) or is_log(path):
        return PathKind.DOCS
    if path.removeprefix(folder).lstrip("/").startswith("."):
        return PathKind.BUILD
    return PathKind.SETTINGS if path.lower().endswith(_SETTINGS) else PathKind.CODE


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function or type that a change touches: `lines` of it are added or removed."""

    name: str  # with those around it: Pool.lease
    kind: str  # "function", "type", or "" where only its name is known
    lines: int = 0

    @property
    def short(self) -> str:
        """Its name with the one around it."""
        return ".".join(self.name.split(".")[-2:])


_MOST_OF_MOVE = 4  # changed lines of a file of which no more is said than its new name


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file's change."""

    file: FileDiff
    kind: PathKind
    added: int = 0
    removed: int = 0
    new: tuple[Symbol, ...] = ()
    gone: tuple[Symbol, ...] = ()
    changed: tuple[Symbol, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    restated: bool = False  # nothing but names changed
    only: str = ""  # "comments", "imports" or "blanks" where nothing else changed
    swaps: tuple[Swap | None, ...] = ()  # by run; None of one that is more than that
    clues: tuple[Clue, ...] = ()
    tests: tuple[str, ...] = ()  # what new tests are called, in words
    tested: bool = False  # tests stand in the same file, and changed
    code: tuple[int, int] = (0, 0)  # lines that are added and removed, without comments, imports and blanks
    skipped: str = ""  # why no line of it is known

    @property
    def path(self) -> str:
        """The path, new or old."""
        return self.file.path

    @property
    def lines(self) -> int:
        """How many lines were added and removed."""
        return self.added + self.removed

    @property
    def status(self) -> FileStatus:
        """What happened to the file."""
        return self.file.status

    @property
    def swap(self) -> Swap | None:
        """What came in for what, where that is the same in every place that changed."""
        same = {(one.old, one.new) if one else None for one in self.swaps}
        return self.swaps[0] if len(same) == 1 else None

    @property
    def moved(self) -> bool:
        """True if it has a new name, and hardly another line."""
        return self.status is FileStatus.RENAMED and self.lines <= _MOST_OF_MOVE


@dataclass(frozen=True, slots=True)
class Theme:
    """A name that came into so many files, or went from them, and stands nowhere else in them.

    `verb` is "Add", "Use" of what is only called there, or "Remove".
    """

    name: str
    verb: str
    files: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a change."""

    files: tuple[FileFacts, ...]
    bumps: tuple[tuple[str, str, str], ...] = field(default=())  # package, old version, new version
    themes: tuple[Theme, ...] = ()

    def of(self, *kinds: PathKind) -> tuple[FileFacts, ...]:
        """Give the files of some kinds, those with the most changed lines first."""
        return tuple(
            sorted((each for each in self.files if each.kind in kinds), key=lambda each: -each.lines)
        )

    @property
    def kinds(self) -> set[PathKind]:
        """What its files are for; what a program wrote counts only where there is nothing else."""
        found = {each.kind for each in self.files}
        return found - {PathKind.LOCKED} or found
