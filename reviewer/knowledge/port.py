"""What the index gives, in plain values, and the port behind which it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from hunkwise.reviewer.text.globs import matches

PassageKind = Literal["code", "document"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole lines of one file that says one thing: a function, a class's head, a section.

    `start` and `end` are its first and last line, from 1, both included. `title` names it: a symbol with those
    around it (`Pool.lease`), or the headings above it (`Install > From source`). `blob` is the git blob id of the
    file's bytes, `changed` when the file last changed, in seconds since 1970 (0: unknown).
    """

    path: str
    start: int
    end: int
    text: str
    kind: PassageKind
    title: str = ""
    language: str = ""  # as languages/ names it; "markdown", "rst", "html", "pdf", "text" for documents
    blob: str = ""
    changed: float = 0.0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which passages are wanted; an empty field wants all. `paths` are globs as in the configuration.

    `since` looks at when files were last written; `among` names the files, where who asks knows better (ages.py).
    """

    paths: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[PassageKind, ...] = ()
    since: float = 0.0  # seconds since 1970
    among: frozenset[str] | None = None

    def names(self, path: str) -> bool:
        """Tell whether a file's path is wanted."""
        return (self.among is None or path in self.among) and (not self.paths or matches(path, self.paths))


ANY = Filter()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, and how: its place (from 1) among those found by words and by vectors."""

    passage: Passage
    score: float  # of the fused ranking; larger is better, and comparable within one search only
    lexical: int | None = None
    vector: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a symbol is defined. `head` is its text without its body; lines as in `Passage`.

    `parameters` are the names of a function's parameters as they stand, receiver (`self`) left out, with what
    their defaults are (None: has none); `variadic` that it takes any number of more.
    """

    name: str
    qualified: str  # with what it is inside: `Pool.lease`
    kind: Literal["function", "method", "class", "constant", "member", "type"]
    path: str
    start: int
    end: int
    head: str
    parameters: tuple[tuple[str, str | None], ...] = ()
    variadic: bool = False
    bases: tuple[str, ...] = ()  # of a class or type: what it extends or implements, by name


@dataclass(frozen=True, slots=True)
class Use:
    """Where a name is used. `arguments` are those of a call, as text; None where it is not called."""

    name: str
    path: str
    line: int
    text: str  # the line, stripped
    inside: str = ""  # the definition that it stands in, qualified
    receiver: str = ""  # what stands before the last dot: `pool` in `pool.lease(x)`
    arguments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was indexed, and what was not and why."""

    files: int
    passages: int
    left_out: tuple[tuple[str, int], ...] = field(default=())  # reason, count


class Knowledge(Protocol):
    """An index that is read. Its calls raise KnowledgeError where it is damaged. Thread-safe."""

    def search(self, question: str, limit: int = 8, wanted: Filter = ANY) -> tuple[Hit, ...]:
        """Find the passages that say most about a question, best first."""
        ...

    def definitions(self, name: str) -> tuple[Definition, ...]:
        """Find where a name is defined."""
        ...

    def uses(self, name: str) -> tuple[Use, ...]:
        """Find where a name is used, its definitions left out."""
        ...

    def coverage(self) -> Coverage:
        """Say what it knows of."""
        ...
