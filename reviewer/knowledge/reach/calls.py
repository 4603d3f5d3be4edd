"""Calls elsewhere that fitted a function as it was, and don't fit it as it is."""

from __future__ import annotations

from collections.abc import Iterator

from hunkwise.reviewer.knowledge.reach.definitions import Changed
from hunkwise.reviewer.knowledge.reach.fitting import COUNTED, given, misfit
from hunkwise.reviewer.knowledge.reach.meaning import is_constructor, means
from hunkwise.reviewer.knowledge.reach.modules import is_kin
from hunkwise.reviewer.knowledge.reach.values import Place
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Mention


def misfits(world: World, one: Changed, paths: set[str]) -> Iterator[Place]:
    """Find the calls that a function's new parameters break. Raises OutOfTime."""
    if one.language not in COUNTED or one.new is None:
        return
    for path, use in _calls(world, one, paths):
        call = given(use.arguments or (), one.language)
        why = misfit(call, one.new.parameters, one.language)
        if why and not misfit(call, one.old.parameters, one.language):
            yield Place(path, use.line, why)


def _calls(world: World, one: Changed, paths: set[str]) -> Iterator[tuple[str, Mention]]:
    """Give the calls that mean a definition."""
    unique = is_unique(world, one, paths)
    for path in sorted(paths):
        found = world.symbols(path) if is_kin(path, one.language) else None
        for use in found.uses if found is not None else ():
            if use.arguments is not None and means(world, one, path, use, found, unique):  # type: ignore[arg-type]
                yield path, use


def is_unique(world: World, one: Changed, paths: set[str]) -> bool:
    """Tell whether nothing else in the repository has the name of a definition."""
    name = one.holder if is_constructor(one) else one.old.name
    own = one.old.qualified.rpartition(".")[0] if is_constructor(one) else one.old.qualified
    for path in sorted(paths):
        found = world.symbols(path) if is_kin(path, one.language) else None
        for each in found.definitions if found is not None else ():
            if (
                each.name == name
                and (path, each.qualified) != (one.path, own)
                and each.qualified != one.old.qualified
            ):
                return False
    return True
