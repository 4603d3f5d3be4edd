"""Calls and overriding methods elsewhere that fitted a function as it was, and don't fit it as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hunkwise.reviewer.knowledge.reach.definitions import Changed, is_plain
from hunkwise.reviewer.knowledge.reach.meaning import is_constructor, means, overrides
from hunkwise.reviewer.knowledge.reach.modules import is_kin
from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Mention, Parameter, Symbol, Symbols

_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
_CALL = re.compile(r"[\w.]+\(.*\)…?|.*…", re.DOTALL)

STRICT = ("go", "java", "c", "cpp", "rust", "typescript", "tsx")  # a compiler counts the arguments
COUNTED = (*STRICT, "python")


def misfits(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find the calls that a function's new parameters break. Raises OutOfTime."""
    if one.language not in COUNTED or one.new is None:
        return

    def wrong(use: Mention, taken: Symbol) -> str:
        return misfit(given(use.arguments or (), one.language), taken.parameters, one.language)

    for path, use in calls(world, one, paths, wrong):
        why = wrong(use, one.new)
        if why and not wrong(use, one.old):
            yield Place(path, use.line, why)


def calls(
    world: World, one: Changed, paths: set[str], wrong: Callable[[Mention, Symbol], str]
) -> Iterator[tuple[str, Mention]]:
    """Give the calls that mean a definition, or another of its name for which they are `wrong` too."""
    rivals = tuple(_rivals(world, one, paths))
    for path, found in _kin(world, one, paths):
        for use in found.uses:
            if use.arguments is not None:
                unique = all(is_plain(each) and wrong(use, each) for each in rivals)
                if means(world, one, path, use, found, unique):
                    yield path, use


def _kin(world: World, one: Changed, paths: set[str]) -> Iterator[tuple[str, Symbols]]:
    """Read the files whose language can name a definition. Raises OutOfTime."""
    for path in sorted(paths):
        found = world.symbols(path) if is_kin(path, one.language) else None
        if found is not None:
            yield path, found


def _rivals(world: World, one: Changed, paths: set[str]) -> Iterator[Symbol]:
    """Give what else in the repository has the name of a definition."""
    name = one.holder if is_constructor(one) else one.old.name
    own = one.old.qualified.rpartition(".")[0] if is_constructor(one) else one.old.qualified
    for path, found in _kin(world, one, paths):
        for each in found.definitions:
            if each.name != name or (path, each.qualified) == (one.path, own):
                continue
            if each.qualified != one.old.qualified or one.language not in ("c", "cpp"):
                yield each


def overriders(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find the methods that override one whose parameters changed, and still have those that it had."""
    if one.new is None or not one.holder or is_constructor(one) or one.language not in COUNTED:
        return
    for path, found in _kin(world, one, paths):
        for each in found.definitions:
            if each.name == one.old.name and overrides(world, one, path, each, found):
                why = outdated(each, one.old, one.new, one.language)
                if why:
                    yield Place(path, each.line, why)


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
        return f"gives {counted(len(call.places))}{_of_places(language)}, and {_takes(by_place)}"
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
        return f"gives {counted(len(call.places))}, and {_takes(by_place)}"
    return f"does not give {_listed(missing)}" if missing else ""


def outdated(each: Symbol, old: Symbol, new: Symbol, language: str) -> str:
    """Say how an overriding method has the old parameters of the one it overrides, where calls can't fit both."""
    if each.variadic or new.variadic or _counts(each) != _counts(old):
        return ""
    (_, most), (required, taken) = _counts(each), _counts(new)
    if language in ("java", "cpp", "go", "rust"):
        return f"overrides it with {counted(most, 'parameter')}, and it has {taken}" if most != taken else ""
    if taken > most and language == "python":
        names = {one.name for one in each.parameters}
        lacking = [one.name for one in new.parameters if one.name not in names]
        return f"overrides it, and does not take {_listed(lacking)}" if lacking else ""
    if _counts(each)[0] > required and _counts(each)[0] > taken:
        known = {one.name for one in new.parameters}
        needed = [one.name for one in each.parameters if one.name not in known]
        return f"overrides it, and still needs {_listed(needed)}" if needed else ""
    return ""


def _counts(symbol: Symbol) -> tuple[int, int]:
    """Count the parameters that must be given, and all."""
    return sum(one.default is None for one in symbol.parameters), len(symbol.parameters)


def _unknown_name(call: Given, parameters: Sequence[Parameter]) -> str:
    taken = {each.name for each in parameters if each.kind in ("plain", "keyword")}
    unknown = [name for name in call.names if name not in taken]
    if unknown and not any(each.kind == "keywords" for each in parameters):
        return f"gives {unknown[0]!r}, which is no parameter any more"
    return ""


def counted(count: int, what: str = "argument") -> str:
    """Write "1 argument", "2 arguments"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


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
