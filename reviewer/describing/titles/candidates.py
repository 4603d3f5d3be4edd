"""The titles that a change can have: each true, the most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hunkwise.reviewer.describing.clues.clue import Clue, Tells, clipped, joined, quoted
from hunkwise.reviewer.describing.clues.log import is_log
from hunkwise.reviewer.describing.clues.swaps import Swap
from hunkwise.reviewer.describing.description import LONGEST_TITLE
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind
from hunkwise.reviewer.describing.titles import files, symbols
from hunkwise.reviewer.describing.wording import (
    MOST_NAMED,
    main_files,
    name_of,
    swapped,
)
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.types import FileStatus

_FEWEST = 24  # characters of a title that is cut
_SMALL = 30  # changed lines of code of which each tells enough


def title(facts: Facts) -> str:
    """Word the title: the most telling thing that is certain."""
    return next(candidates(facts), "") or files.by_files(facts)


def candidates(facts: Facts) -> Iterator[str]:
    """Give the titles that fit, the most telling first."""
    main = main_files(facts)
    seen: set[str] = set()
    for text in _titles(facts, main) if main else ():
        if len(text) <= LONGEST_TITLE and text not in seen:
            seen.add(text)
            yield text


def _titles(facts: Facts, main: Sequence[FileFacts]) -> Iterator[str]:
    yield from _of_bumps(facts)
    yield from files.titles(facts, main)
    yield from _of_release(facts, main)
    yield from _of_log(facts, main)
    yield from _of_little(main)
    yield from _of_swaps(main)
    size = sum(sum(each.code) for each in main)
    new = {one.short.rpartition(".")[2] for each in main for one in each.new}
    clues = [
        (clue, each)
        for each in main
        for clue in each.clues
        if clue.place.rpartition(".")[2] not in new
        and (each.status is not FileStatus.ADDED or clue.tells is Tells.PROSE)
    ]
    clues.sort(key=lambda row: -row[0].lines)

    def some(least: float, *tells: Tells) -> Iterator[str]:
        for clue, each in clues:
            if clue.tells in tells and clue.lines >= least * size:
                yield from _placed(clue, each)

    yield from some(0.5, Tells.RUN)
    yield from _of_themes(facts, main)
    told = list(symbols.titles(main))
    plain = [text for text in told if text.startswith("Change ")]
    yield from (text for text in told if text not in plain)
    yield from some(0.25, Tells.RUN)
    changed = sorted((one for each in main for one in each.changed), key=lambda one: -one.lines)
    short = [
        f"Change {quoted(name)}" for one in changed[:1] for name in (one.short, one.short.rpartition(".")[2])
    ]
    short += [f"Change {quoted(name_of(main[0].path))}"] if not short else []
    tests = list(dict.fromkeys(name for each in facts.of(PathKind.TESTS) for name in each.tests))
    if any(each.kind is PathKind.CODE for each in main):
        yield from _with(short, "; test: ", tests[:1], "")
    elif sum(each.added for each in main) >= 2 * sum(each.removed for each in main):
        yield from _with(["Test"], ": ", tests[:1], "")
    yield from some(0.5, Tells.PROSE)
    said = [(clue, each) for clue, each in clues if clue.tells is Tells.SAID and clue.lines >= size / 4]
    for clue, each in said[:1]:
        places = (clue.place, clue.place.rpartition(".")[2], name_of(each.path))
        yield from _with([f"Change {quoted(place)}" for place in places if place], ": “", [clue.says], "”")
    yield from some(0.2, Tells.USE)
    if size <= _SMALL:
        yield from some(0, Tells.RUN, Tells.USE)
        yield from some(0.2, Tells.PROSE)
    if len(main) == 1:
        yield from (text for clue, each in clues if clue.tells is Tells.PLACE for text in _placed(clue, each))
    yield from plain


def _of_themes(facts: Facts, main: Sequence[FileFacts]) -> Iterator[str]:
    """Name what came to code and documents, or left many files, where no symbol that came or went is called so."""
    known = {symbols.last(one) for each in main for one in (*each.new, *each.gone)}
    if known.intersection(one.name for one in facts.themes):
        return
    for verb in ("Add", "Use", "Remove"):
        named = [one for one in facts.themes if one.verb == verb]
        top = [quoted(one.name) for one in named if one.files == named[0].files]
        if top:
            more = [f"{len(top) - MOST_NAMED} more"] if len(top) > MOST_NAMED else []
            yield f"{verb} {joined([*top[:MOST_NAMED], *more])}"
            yield f"{verb} {top[0]}"


def _with(texts: Sequence[str], mark: str, more: Sequence[str], end: str) -> Iterator[str]:
    """Write something beside a title, cut where all of it has no room."""
    for one in more:
        for text in texts:
            yield f"{text}{mark}{one}{end}"
        cut = [
            f"{text}{mark}{told}{end}"
            for text in texts
            if len(told := clipped(one, LONGEST_TITLE - len(text) - len(mark) - len(end))) >= _FEWEST
        ]
        yield from cut[-1:]


def _of_release(facts: Facts, main: Sequence[FileFacts]) -> Iterator[str]:
    """Word a change of nothing but the version, and what is written of it."""
    swaps = [swap for each in main for swap in each.swaps]
    if swaps and all(swap and swap.is_version for swap in swaps) and not facts.kinds & {PathKind.TESTS}:
        one = swaps[0]
        if one and all(swap and swap.new == one.new for swap in swaps):
            yield f"Change the version from {one.old} to {one.new}"


def _of_log(facts: Facts, main: Sequence[FileFacts]) -> Iterator[str]:
    """Take what a change log says of the change, if it says one thing, and the change is more than that."""
    if all(is_log(each.path) for each in main):
        return
    said = dict.fromkeys(clue.says for each in facts.files for clue in each.clues if clue.tells is Tells.LOG)
    if len(said) == 1:
        yield from filter(
            lambda text: len(text) >= _FEWEST or text in said, [clipped(next(iter(said)), LONGEST_TITLE)]
        )


def _placed(clue: Clue, each: FileFacts) -> Iterator[str]:
    """Say where a thing is, with fewer words each time."""
    if clue.join:
        places = [clue.place, clue.place.rpartition(".")[2], name_of(each.path)]
        for place in dict.fromkeys(filter(None, places)):
            yield f"{clue.says} {clue.join} {quoted(place)}"
    yield clue.says


def _of_little(main: Sequence[FileFacts]) -> Iterator[str]:
    """Word a change of nothing but comments, imports or blanks."""
    first = main[0]
    where = f" in {quoted(name_of(first.path))}" if len(main) == 1 else f" in {len(main)} files"
    only = {each.only for each in main}
    if only == {"comments"}:
        if all(each.swap and each.swap.old for each in main) and len(main) == 1:
            yield from _of_swaps(main)
        size = [sum(getattr(each, side) for each in main) for side in ("added", "removed")]
        verb = "Change" if all(size) else "Add" if size[0] else "Remove"
        said = [clue.says for each in main for clue in each.clues if clue.tells is Tells.SAID]
        if not size[1]:
            yield from _with([f"Add comments{where}", "Add comments"], ": “", said[:1], "”")
        yield f"{verb} comments{where}"
    if only == {"imports"}:
        if first.swap and len(main) == 1:
            yield from _of_swaps(main)
        yield f"Change imports{where}"
    if only == {"blanks"}:
        yield f"Reformat{where.replace(' in', '')}"


def _of_swaps(main: Sequence[FileFacts]) -> Iterator[str]:
    """Word a change that is a new name, or one thing in place of another, throughout."""
    first = main[0]
    if all(each.restated for each in main):
        old, new = first.renamed[0]
        if len(main) == 1:
            yield f"Rename {quoted(old)} to {quoted(new)} in {quoted(name_of(first.path))}"
        yield f"Rename {quoted(old)} to {quoted(new)}"
    runs = [(swap, each) for each in main for swap in each.swaps]
    whole = all(each.swaps and not each.new and not each.gone for each in main)
    found = Counter((swap.old, swap.new) for swap, _ in runs if swap)
    if not found or not whole:
        return
    words = [swap for swap, _ in runs if swap and swap.words]
    if len(words) > 1 and len(words) == len(runs) and len(found) > 1:
        one = words[0]
        more = plural(len(found) - 1, "more word")
        yield f"Change {quoted(one.old)} to {quoted(one.new)} and {more}"
    pair, count = found.most_common(1)[0]
    swap, each = next((swap, each) for swap, each in runs if swap and (swap.old, swap.new) == pair)
    if 2 * count <= len(runs):
        if len(runs) == len(main) + 1 == 2 or (len(runs) == 2 == len(main)):
            yield from _two([one for one, _ in runs if one], each if len(main) == 1 else None)
        return
    places = {(other.inside, file.path) for other, file in runs if other and (other.old, other.new) == pair}
    paths = {path for _, path in places}
    if len(paths) > 1:
        yield swapped(swap, f"{len(paths):,} files")
    for place in filter(None, (swap.inside if len(places) == 1 else "", name_of(each.path))):
        yield from _fitted(swap, quoted(place))


def _two(swaps: Sequence[Swap], each: FileFacts | None) -> Iterator[str]:
    """Word two swaps in one title."""
    if len(swaps) == 2 and swaps[0].new != swaps[1].old:
        one, other = map(swapped, swaps)
        both = f"{one} and {other[:1].lower()}{other[1:]}"
        yield from ([f"{both} in {quoted(name_of(each.path))}"] if each else [])
        yield both


def _fitted(swap: Swap, where: str) -> Iterator[str]:
    """Word a swap; of versions as a bump, of addresses without what is common to them."""
    yield swapped(swap, where)
    if "://" in swap.old and "://" in swap.new:
        yield f"Change a link to {quoted(swap.new.partition('://')[2])} in {where}"
        yield f"Change a link to {quoted(swap.new.partition('://')[2].partition('/')[0])} in {where}"


def _of_bumps(facts: Facts) -> Iterator[str]:
    bumps = facts.bumps
    if facts.kinds - {PathKind.DEPENDENCIES, PathKind.BUILD, PathKind.LOCKED} or not bumps:
        return
    touched = sum(each.added for each in facts.of(PathKind.DEPENDENCIES, PathKind.BUILD))
    if touched > 2 * len(bumps) + 2:
        return
    name, old, new = bumps[0]
    packages = sorted({package for package, _, _ in bumps})
    if len(packages) == 1:
        yield f"Bump {quoted(name)} from {old} to {new}"
    if len(packages) <= 3:
        yield f"Bump {joined(list(map(quoted, packages)))}"
    if len(packages) > 1:
        yield f"Bump the versions of {len(packages)} packages"
