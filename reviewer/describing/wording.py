"""Puts what is known of a change into words. Every name in them is one of the change, between backticks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hunkwise.reviewer.describing.description import LONGEST_TITLE
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind, Swap, Symbol
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.source.provenance import not_by_hand
from hunkwise.reviewer.types import FileStatus

MOST_NAMED = 2  # symbols in a title
MOST_LISTED = 6  # in a sentence on a file


def quoted(name: str) -> str:
    """Write a name in a code span of one line."""
    return f"`{' '.join(name.replace('`', chr(39)).split())}`"


def title(facts: Facts) -> str:
    """Word the title: the most telling thing that is certain."""
    return next(
        (text for text in _titles(facts) if len(text) <= LONGEST_TITLE), _by_files(facts)[:LONGEST_TITLE]
    )


def _titles(facts: Facts) -> Iterator[str]:
    """Give titles, the most telling first."""
    yield from _of_bumps(facts)
    main = main_files(facts)
    if not main:
        return
    yield from _of_moves(main)
    first = main[0]
    where = f" in {quoted(name_of(first.path))}"
    only = {each.only for each in main}
    if only == {"comments"} and not (first.swap and first.swap.old):
        yield f"Change comments{where}"
    if len(main) == 1 or first.lines >= 2 * sum(each.lines for each in main[1:]):
        yield from _of_small(first)
    if only == {"comments"}:
        yield f"Change comments{where}"
    if only == {"imports"}:
        yield f"Change imports{where}"
    if only == {"blanks"}:
        yield f"Reformat {quoted(name_of(first.path))}" if len(main) == 1 else f"Reformat {len(main)} files"
    swaps = {(each.swap.old, each.swap.new) if each.swap else None for each in main}
    if len(main) > 1 and len(swaps) == 1 and first.swap:
        yield _swapped(first.swap, f"{len(main)} files")
    yield from _of_symbols(main)


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
    yield f"Bump the versions of {len(packages)} packages"


def _of_moves(main: Sequence[FileFacts]) -> Iterator[str]:
    if not all(each.moved and each.file.old_path for each in main):
        return
    old, new = main[0].file.old_path or "", main[0].path
    if len(main) == 1:
        if name_of(old) == name_of(new):
            yield f"Move {quoted(old)} to {quoted(str(PurePosixPath(new).parent))}"
        yield f"Rename {quoted(old)} to {quoted(new)}"
        yield f"Rename {quoted(name_of(old))} to {quoted(name_of(new))}"
    yield f"Move {len(main)} files to {quoted(str(PurePosixPath(new).parent))}"


def _of_small(one: FileFacts) -> Iterator[str]:
    """Word the change of one file that is a new name, or one thing in place of another."""
    if one.renamed:
        old, new = one.renamed[0]
        yield f"Rename {quoted(old)} to {quoted(new)} in {quoted(name_of(one.path))}"
        yield f"Rename {quoted(old)} to {quoted(new)}"
    if one.swap and not one.new and not one.gone:
        yield from _of_swap(one.swap, one)


def _of_swap(swap: Swap, one: FileFacts) -> Iterator[str]:
    for place in filter(None, (swap.inside, name_of(one.path))):
        yield _swapped(swap, quoted(place))


def _swapped(swap: Swap, where: str) -> str:
    if swap.old and swap.new:
        return f"Change {quoted(swap.old)} to {quoted(swap.new)} in {where}"
    return f"Add {quoted(swap.new)} to {where}" if swap.new else f"Remove {quoted(swap.old)} from {where}"


def _of_symbols(main: Sequence[FileFacts]) -> Iterator[str]:
    """Word the title by the symbols that are new, gone, or changed, whichever has the most lines."""
    new, gone, changed = (
        sorted((one for each in main for one in getattr(each, side)), key=_telling)
        for side in ("new", "gone", "changed")
    )
    moved = {one.short for one in new} & {one.short for one in gone}
    if moved and len(moved) == len({one.short for one in (*new, *gone)}):
        places = dict.fromkeys(name_of(each.path) for each in main if each.new)
        yield f"Move {names(new)} to {quoted(next(iter(places)))}"
        yield f"Move {names(new)}"
    new, gone = ([one for one in side if one.short not in moved] for side in (new, gone))
    where = _where(main)
    added = [each for each in main if each.status is FileStatus.ADDED]
    if sum(each.lines for each in added) > sum(each.lines for each in main) / 2:
        files = [quoted(name_of(each.path)) for each in added]
        yield f"Add {joined(files)}{_beside(added)}"
        yield f"Add {joined(files)}"
        yield f"Add {files[0]} and {plural(len(files) - 1, 'more file')}"
    lines = [sum(one.lines for one in side) for side in (new, gone, changed)]
    if new and lines[0] >= max(lines[1], lines[2] / 2):
        yield from _naming("Add", new, where)
    if gone and not new and lines[1] >= lines[2] / 2:
        yield from _naming("Remove", gone, where.replace(" to ", " from "))
    yield from _naming("Change", changed or new, where.replace(" to ", " in "))


def _telling(one: Symbol) -> tuple[bool, int]:
    """Order symbols: what others can use, and what has most lines, comes first."""
    return one.name.rpartition(".")[2].startswith("_"), -one.lines


def _naming(verb: str, symbols: Sequence[Symbol], where: str) -> Iterator[str]:
    """Name symbols, with fewer words each time."""
    if not symbols:
        return
    last = [Symbol(one.name.rpartition(".")[2], one.kind) for one in symbols]
    for told in (symbols, last):
        yield f"{verb} {names(told)}{where}"
        yield f"{verb} {names(told)}"
    yield f"{verb} {names(last, 1)}"


def _where(main: Sequence[FileFacts]) -> str:
    return f" to {quoted(name_of(main[0].path))}" if len(main) == 1 else ""


def _beside(added: Sequence[FileFacts]) -> str:
    folders = {str(PurePosixPath(each.path).parent) for each in added}
    return f" in {quoted(min(folders))}" if len(folders) == 1 and folders != {"."} else ""


def _by_files(facts: Facts) -> str:
    """Word the title by the files alone."""
    main = main_files(facts) or facts.files
    if not main:
        return "Change nothing"
    verbs = {FileStatus.ADDED: "Add", FileStatus.DELETED: "Remove", FileStatus.RENAMED: "Rename"}
    statuses = {each.status for each in main}
    verb = verbs.get(main[0].status, "Change") if len(statuses) == 1 else "Change"
    if len(main) == 1 and len(text := f"{verb} {quoted(main[0].path)}") <= LONGEST_TITLE:
        return text
    files = [quoted(name_of(each.path)) for each in main]
    if len(main) <= MOST_NAMED and len(text := f"{verb} {joined(files)}") <= LONGEST_TITLE:
        return text
    kind = {PathKind.TESTS: "tests", PathKind.DOCS: "documents"}.get(main[0].kind, "files")
    folder = common_folder([each.path for each in main])
    return f"{verb} {len(main)} {kind}{f' in {quoted(folder)}' if folder else ''}"


def main_files(facts: Facts) -> tuple[FileFacts, ...]:
    """Give the files that the change is about: its code, or else the group with the most changed lines."""
    code = facts.of(PathKind.CODE)
    if told := tuple(each for each in code if not each.only):
        return told
    groups = [
        facts.of(*kinds)
        for kinds in (
            (PathKind.CODE,),
            (PathKind.TESTS,),
            (PathKind.DOCS,),
            (PathKind.DEPENDENCIES, PathKind.BUILD),
            (PathKind.SETTINGS,),
        )
    ]
    most = max(groups, key=lambda group: sum(each.lines + 1 for each in group))
    return most or facts.of(PathKind.LOCKED)


def sentence(one: FileFacts) -> str:
    """Say what happened to a file."""
    if one.skipped:
        return f"Not read: {one.skipped}."
    parts = [_of_status(one)]
    swap = next(_of_swap(one.swap, one), "") if one.swap and not (one.new or one.gone) else ""
    if one.only:
        parts.append(
            f"only {one.only} changed" if one.only != "blanks" else "only blanks and line ends changed"
        )
    elif one.renamed:
        parts.append(joined([f"{quoted(old)} is now {quoted(new)}" for old, new in one.renamed[:MOST_NAMED]]))
    elif swap:
        parts.append(swap[:1].lower() + swap[1:])
    for word, symbols in (("new", one.new), ("gone", one.gone), ("changed", one.changed if not swap else ())):
        if symbols and not one.only:
            parts.append(f"{word}: {names(symbols, MOST_LISTED)}")
    told = "; ".join(filter(None, parts)) or ("no line of text changed" if not one.lines else "changed")
    return f"{told[:1].upper()}{told[1:]}."


def _of_status(one: FileFacts) -> str:
    if one.file.submodule:
        return "a submodule, at another commit"
    if one.file.binary:
        return "binary"
    if one.kind is PathKind.LOCKED and one.lines:
        return not_by_hand(one.path)
    match one.status:
        case FileStatus.ADDED:
            return "new file"
        case FileStatus.DELETED:
            return "deleted"
        case FileStatus.RENAMED | FileStatus.COPIED:
            return f"{one.status} from {quoted(one.file.old_path or '')}"
        case FileStatus.MODE_CHANGED:
            return f"mode {one.file.old_mode} is now {one.file.new_mode}"
        case _:
            return ""


def names(symbols: Sequence[Symbol], most: int = MOST_NAMED) -> str:
    """List the names of symbols, the first ones by name."""
    told = list(dict.fromkeys(quoted(one.short) for one in symbols))
    more = len(told) - most
    return joined([*told[:most], f"{more} more"] if more > 0 else told)


def joined(parts: Sequence[str]) -> str:
    """Write "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def name_of(path: str) -> str:
    """Give the last part of a path."""
    return PurePosixPath(path).name or path


def common_folder(paths: Sequence[str]) -> str:
    """Give the folder that all the paths are in, "" for the root."""
    parts = [PurePosixPath(path).parent.parts for path in paths]
    same = []
    for each in zip(*parts, strict=False):
        if len(set(each)) > 1:
            break
        same.append(each[0])
    return "/".join(same)
