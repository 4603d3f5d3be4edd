"""Whether a call fits a function's parameters: told where it is certain, by the arguments as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hunkwise.reviewer.languages.symbols.values import Parameter

_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
_CALL = re.compile(r"[\w.]+\(.*\)…?|.*…", re.DOTALL)

STRICT = ("go", "java", "c", "cpp", "rust", "typescript", "tsx")  # a compiler counts the arguments
COUNTED = (*STRICT, "python")


@dataclass(frozen=True, slots=True)
class Given:
    """What a call gives: how many arguments by place, and the names of the others. `open`: there may be more."""

    places: tuple[str, ...]
    names: tuple[str, ...] = ()
    open: bool = False


def given(arguments: Sequence[str], language: str) -> Given:
    """Read the arguments of a call."""
    places: list[str] = []
    names: list[str] = []
    more = False
    for argument in arguments:
        if (
            argument.startswith(("*", "...")) and language in ("python", "typescript", "tsx", "javascript")
        ) or (argument.endswith("...") and language in ("go", "cpp")):
            more = True
        elif language == "python" and (named := _KEYWORD.match(argument)):
            names.append(named[1])
        else:
            places.append(argument)
    if language == "go" and len(places) == 1 and _CALL.fullmatch(places[0]):
        more = True  # f(g()) hands on all that g gives
    return Given(tuple(places), tuple(names), more)


def misfit(call: Given, parameters: Sequence[Parameter], language: str) -> str:
    """Say what a call lacks or has too much, in words that follow "it"; "" where it fits, or that is unknown."""
    unknown = _unknown_name(call, parameters)
    if unknown or call.open:
        return unknown
    by_place = [each for each in parameters if each.kind in ("plain", "positional")]
    if len(call.places) > len(by_place) and not any(each.kind == "rest" for each in parameters):
        return f"gives {_counted(len(call.places))}{_of_places(language)}, and {_takes(by_place)}"
    filled = {each.name for each in by_place[: len(call.places)]}
    if any(name in filled for name in call.names):
        return f"gives {next(name for name in call.names if name in filled)!r} twice"
    missing = [
        each.name
        for at, each in enumerate(by_place)
        if at >= len(call.places) and each.default is None and each.name not in call.names
    ]
    missing += [
        p.name for p in parameters if p.kind == "keyword" and p.default is None and p.name not in call.names
    ]
    if missing and language != "python":
        return f"gives {_counted(len(call.places))}, and {_takes(by_place)}"
    return f"does not give {_listed(missing)}" if missing else ""


def _unknown_name(call: Given, parameters: Sequence[Parameter]) -> str:
    taken = {each.name for each in parameters if each.kind in ("plain", "keyword")}
    unknown = [name for name in call.names if name not in taken]
    if unknown and not any(each.kind == "keywords" for each in parameters):
        return f"gives {unknown[0]!r}, which is no parameter any more"
    return ""


def _counted(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"


def _of_places(language: str) -> str:
    return " by position" if language == "python" else ""


def _takes(parameters: Sequence[Parameter]) -> str:
    return (
        f"{len(parameters)} {'is' if len(parameters) == 1 else 'are'} taken"
        if parameters
        else "none is taken"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:3])
