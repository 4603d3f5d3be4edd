"""Titles by the symbols that are new, gone or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hunkwise.reviewer.describing.clues.clue import joined, quoted
from hunkwise.reviewer.describing.facts import FileFacts, Symbol
from hunkwise.reviewer.describing.wording import name_of, names
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.types import FileStatus


def titles(main: Sequence[FileFacts]) -> Iterator[str]:
    """Word the title by the symbols that are new, gone, or changed, whichever has the most lines."""
    new, gone, changed = (
        sorted((one for each in main for one in getattr(each, side)), key=_telling)
        for side in ("new", "gone", "changed")
    )
    moved = {last(one) for one in new} & {last(one) for one in gone}
    if 2 * len(moved) > len({last(one) for one in (*new, *gone)}):
        yield from _moved(main, [one for one in new if last(one) in moved], gone)
    new, gone = ([one for one in side if last(one) not in moved] for side in (new, gone))
    where = _where(main)
    added = [each for each in main if each.status is FileStatus.ADDED]
    if sum(each.lines for each in added) > sum(each.lines for each in main) / 2:
        files = [quoted(name_of(each.path)) for each in added]
        yield f"Add {joined(files)}{_beside(added)}"
        yield f"Add {joined(files)}"
        if len(files) > 1:
            yield f"Add {files[0]} and {plural(len(files) - 1, 'more file')}"
    lines = [sum(one.lines for one in side) for side in (new, gone, changed)]
    if new and lines[0] >= max(lines[1], lines[2] / 2):
        yield from _naming("Add", new, where)
    if gone and not new and lines[1] >= lines[2] / 2:
        yield from _naming("Remove", gone, where.replace(" to ", " from "))
    yield from _naming("Change", changed or new, where.replace(" to ", " in "))


def _moved(main: Sequence[FileFacts], new: Sequence[Symbol], gone: Sequence[Symbol]) -> Iterator[str]:
    """Say of symbols what is around them now, or else in which file they are."""
    bare = names([Symbol(last(one), one.kind) for one in new])
    around, before = ({one.name.rpartition(".")[0] for one in side} for side in (new, gone))
    place = next(iter(around)) if len(around) == 1 and not around & before else ""
    places = [name_of(each.path) for each in main if each.new]
    yield f"Move {bare} to {quoted(place or places[0])}"
    yield f"Move {bare}"


def last(one: Symbol) -> str:
    """Give its name without those around it."""
    return one.name.rpartition(".")[2]


def _telling(one: Symbol) -> tuple[bool, int]:
    """Order symbols: what others can use, and what has most lines, comes first."""
    return last(one).startswith("_"), -one.lines


def _naming(verb: str, symbols: Sequence[Symbol], where: str) -> Iterator[str]:
    """Name symbols, with fewer words each time."""
    if not symbols:
        return
    bare = [Symbol(last(one), one.kind) for one in symbols]
    for told in (symbols, bare):
        yield f"{verb} {names(told)}{where}"
        yield f"{verb} {names(told)}"
    yield f"{verb} {names(bare, 1)}"


def _where(main: Sequence[FileFacts]) -> str:
    return f" to {quoted(name_of(main[0].path))}" if len(main) == 1 else ""


def _beside(added: Sequence[FileFacts]) -> str:
    folders = {str(PurePosixPath(each.path).parent) for each in added}
    return f" in {quoted(min(folders))}" if len(folders) == 1 and folders != {"."} else ""
