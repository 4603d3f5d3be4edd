"""What a change does to definitions: which have other parameters, and which are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hunkwise.reviewer.languages.symbols.values import Symbol, Symbols

_PLAIN = (
    "@staticmethod", "@classmethod", "@abstractmethod", "@abc.abstractmethod", "@contextmanager",
    "@contextlib.contextmanager", "@cache", "@lru_cache", "@functools.cache", "@functools.lru_cache", "@Override",
    "@asynccontextmanager", "@contextlib.asynccontextmanager", "@Nullable", "@Test", "@final", "@typing.final",
)  # fmt: skip


_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Changed:
    """A definition of a file as it was, and as it is; `new` is None where it is gone."""

    path: str
    language: str
    old: Symbol
    new: Symbol | None

    @property
    def holder(self) -> str:
        """What it is defined in, by its last name; "" at the top of a file."""
        return self.old.qualified.rpartition(".")[0].rpartition(".")[2]


def reshaped(path: str, language: str, old: Symbols, new: Symbols) -> Iterator[Changed]:
    """Give the functions whose parameters changed; not those that stand there twice, or that others rewrap."""
    for was, now in paired(old, new):
        if _shape(was) != _shape(now) and now.receiver == was.receiver:
            yield Changed(path, language, was, now)


def paired(old: Symbols, new: Symbols) -> Iterator[tuple[Symbol, Symbol]]:
    """Give the plain functions that are on both sides."""
    before, after = _once(old.definitions), _once(new.definitions)
    for name, was in before.items():
        now = after.get(name)
        if now is None or was.kind not in ("function", "method") or now.kind != was.kind:
            continue
        if _is_plain(was) and _is_plain(now):
            yield was, now


def gone(old: Symbols, new: Symbols, text: str) -> Iterator[Symbol]:
    """Give the definitions that are gone; a word that the file still holds may be defined in another way."""
    words = set(_WORD.findall(text))
    words |= {each.name for each in new.definitions}
    for was in _once(old.definitions).values():
        if was.name not in words:
            yield was


def _once(definitions: Sequence[Symbol]) -> dict[str, Symbol]:
    """Give what is defined once in its file, by qualified name."""
    seen: dict[str, Symbol | None] = {}
    for each in definitions:
        seen[each.qualified] = None if each.qualified in seen else each
    return {name: each for name, each in seen.items() if each is not None}


def _shape(symbol: Symbol) -> tuple[tuple[str, bool, str], ...]:
    return tuple((each.name, each.default is None, each.kind) for each in symbol.parameters)


def _is_plain(symbol: Symbol) -> bool:
    return (
        all(mark in _PLAIN for mark in symbol.marks if mark.startswith("@"))
        and "property" not in symbol.marks
    )
