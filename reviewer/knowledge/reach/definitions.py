"""What a change does to definitions: which have other parameters, and which are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hunkwise.reviewer.languages.symbols.values import Parameter, Symbol, Symbols

_PLAIN = (
    "@staticmethod", "@classmethod", "@abstractmethod", "@abc.abstractmethod", "@contextmanager",
    "@contextlib.contextmanager", "@cache", "@lru_cache", "@functools.cache", "@functools.lru_cache", "@Override",
    "@asynccontextmanager", "@contextlib.asynccontextmanager", "@Nullable", "@Test", "@final", "@typing.final",
)  # fmt: skip


_WORD = re.compile(r"\w+")
_FIELDED = re.compile(r"@(?:dataclasses\.)?dataclass\b(?:\(([^()]*)\))?\s*(?:#[^\n]*)?$", re.MULTILINE)
_FIELD = re.compile(r"(\w+)\s*:\s*([^=]+?)\s*(?:=\s*(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Changed:
    """A definition of a file as it was, and as it is; `new` is None where it is gone."""

    path: str
    language: str
    old: Symbol
    new: Symbol | None

    @property
    def holder(self) -> str:
        """What it is defined in, by its last name; "" at the top of a file, or of a namespace."""
        if self.language == "cpp" and self.old.kind not in ("method", "member"):
            return ""
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
        if now is not None and now.kind == was.kind and is_plain(was) and is_plain(now):
            yield was, now


def gone(old: Symbols, new: Symbols, text: str) -> Iterator[Symbol]:
    """Give the definitions that are gone, without the parts of those; words that the file still holds are not."""
    words = set(_WORD.findall(text))
    words |= {each.name for each in new.definitions}
    lost = {each.qualified for each in old.definitions} - {each.qualified for each in new.definitions}
    for was in _once(old.definitions).values():
        if was.name not in words and was.qualified.rpartition(".")[0] not in lost:
            yield was


def fielded(found: Symbols) -> Symbols:
    """Add the constructors of dataclasses of Python that have no base: they take the fields."""
    made = []
    for one in found.definitions:
        decorator = _FIELDED.search(one.head) if one.kind == "class" and not one.bases else None
        parts = [each for each in found.definitions if each.qualified.rpartition(".")[0] == one.qualified]
        if decorator is None or any(each.name == "__init__" for each in parts) or "init=" in one.head:
            continue
        kind: Literal["keyword", "plain"] = "keyword" if "kw_only=True" in (decorator[1] or "") else "plain"
        fields = [_FIELD.fullmatch(each.head) for each in parts if each.kind == "member"]
        known = [each for each in fields if each is not None and "ClassVar" not in each[2]]
        if any(re.search(r"KW_ONLY|InitVar|init=|kw_only=", each[0]) for each in known):
            continue
        given = tuple(Parameter(each[1], _default(each[3]), kind) for each in known)
        head = f"{one.name}({', '.join(each.name + ('=…' if each.default else '') for each in given)})"
        made.append(
            one._replace(
                name="__init__",
                qualified=f"{one.qualified}.__init__",
                kind="method",
                head=head,
                parameters=given,
                marks=(),
                start=one.line,
            )
        )
    return found._replace(definitions=(*found.definitions, *made))


def _default(value: str | None) -> str | None:
    """Give what a field is without a value given; None where one must be."""
    if value is not None and value.startswith(("field(", "dataclasses.field(")):
        return value if "default" in value else None
    return value


def _once(definitions: Sequence[Symbol]) -> dict[str, Symbol]:
    """Give what is defined once in its file, by qualified name."""
    seen: dict[str, Symbol | None] = {}
    for each in definitions:
        seen[each.qualified] = None if each.qualified in seen else each
    return {name: each for name, each in seen.items() if each is not None}


def _shape(symbol: Symbol) -> tuple[tuple[str, bool, str], ...]:
    return tuple((each.name, each.default is None, each.kind) for each in symbol.parameters)


def is_plain(symbol: Symbol) -> bool:
    """Tell whether a definition is a function that takes what it says, under no decorator that may change that."""
    return (
        symbol.kind in ("function", "method")
        and all(mark in _PLAIN for mark in symbol.marks if mark.startswith("@"))
        and "property" not in symbol.marks
    )
