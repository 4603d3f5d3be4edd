"""The values: tuples, since they cross from the process that parses as JSON, by the thousand."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

SymbolKind = Literal["function", "method", "class", "constant", "member", "type"]


class Parameter(NamedTuple):
    """A parameter; `default` is its text, None where it has none.

    `kind`: "plain"; "positional" or "keyword" where it can be given in that way alone; "rest" and "keywords" take
    any number more. `type` is as it is written, "" where it is not.
    """

    name: str
    default: str | None = None
    kind: Literal["plain", "positional", "keyword", "rest", "keywords"] = "plain"
    type: str = ""


class Symbol(NamedTuple):
    """A definition. Lines are from 1; `line` is that of the name, `start` counts decorators in.

    `head` is its text without its body. `marks` are the words before its name (`async`, `public`) and its
    decorators; `results` what its `return`s give, where the language lets them differ: "nothing", "none",
    "value", "yield", and "tuple:2" for two values.
    """

    name: str
    qualified: str
    kind: SymbolKind
    line: int
    start: int
    end: int
    head: str
    parameters: tuple[Parameter, ...] = ()
    bases: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    receiver: bool = (
        False  # its first parameter is the object that it is called on, and not among `parameters`
    )
    type: str = ""  # what it gives back, as it is written
    at: int = 0  # where its name starts, in characters

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of arguments more."""
        return any(each.kind in ("rest", "keywords") for each in self.parameters)


class Mention(NamedTuple):
    """A use of a name, not where it is defined; names of local variables are left out.

    `arguments` are those of a call as text, long ones cut with "…"; None where it is not called. `new`: it is
    called to make an object.
    """

    name: str
    line: int
    at: int  # where it starts, in characters
    inside: str = ""  # the definition that it stands in, qualified
    receiver: str = ""  # what stands before its last dot, as it is written
    arguments: tuple[str, ...] | None = None
    new: bool = False


class Import(NamedTuple):
    """Something of another file. `name` is "" for all of a module, "*" for all that is in it, "default" as in JS.

    `alias` is what it is called here; "" for names that are only handed on (`export … from`).
    """

    module: str
    name: str
    alias: str
    line: int


class Symbols(NamedTuple):
    """What a text defines, uses and imports, each in order. `sure`: its grammar could read all of it."""

    definitions: tuple[Symbol, ...] = ()
    uses: tuple[Mention, ...] = ()
    imports: tuple[Import, ...] = ()
    sure: bool = True


def unpacked(told: list[Any]) -> Symbols:
    """Make the values again of what JSON left of them."""
    definitions, uses, imports, sure = told
    return Symbols(
        tuple(_symbol(row) for row in definitions),
        tuple(Mention(*_row(row)) for row in uses),
        tuple(Import(*row) for row in imports),
        sure,
    )


def _symbol(row: list[Any]) -> Symbol:
    made = Symbol(*_row(row))
    return made._replace(parameters=tuple(Parameter(*each) for each in made.parameters))


def _row(row: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(each) if isinstance(each, list) else each for each in row)
