"""Puts what is known of a change into words. Every name in them is one of the change, between backticks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import PurePosixPath

from hunkwise.reviewer.describing.clues.bumps import bumps_of
from hunkwise.reviewer.describing.clues.clue import Tells, clipped, joined, quoted
from hunkwise.reviewer.describing.clues.log import is_log
from hunkwise.reviewer.describing.clues.swaps import Swap
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind, Symbol
from hunkwise.reviewer.source.provenance import not_by_hand
from hunkwise.reviewer.types import FileStatus

_LINK = "120000"  # mode of a symbolic link
MOST_NAMED = 2  # symbols in a title
MOST_LISTED = 6  # in a sentence on a file
LONGEST_SAID = 100  # characters of what a sentence on a file quotes


def main_files(facts: Facts) -> tuple[FileFacts, ...]:
    """Give the files that the change is about: its code, or else the group with the most changed lines."""
    code = facts.of(PathKind.CODE)
    if told := tuple(each for each in code if not each.only):
        return told
    logs = all(is_log(each.path) or each.kind is PathKind.LOCKED for each in facts.files)
    groups = [
        [each for each in facts.of(*kinds) if logs or not is_log(each.path)]
        for kinds in (
            (PathKind.CODE,),
            (PathKind.TESTS,),
            (PathKind.DOCS,),
            (PathKind.DEPENDENCIES, PathKind.BUILD),
            (PathKind.SETTINGS,),
        )
    ]
    most = max(groups, key=lambda group: sum(each.lines + 1 for each in group))
    return tuple(most) or facts.of(PathKind.LOCKED)


def swapped(swap: Swap, where: str = "") -> str:
    """Say what came in for what; `where` is "" where that is plain."""
    old, new = quoted(swap.old), quoted(swap.new)
    if swap.old and swap.new:
        return f"Change {old} to {new}{f' in {where}' if where else ''}"
    if swap.new:
        return f"Add {new}{f' to {where}' if where else ''}"
    return f"Remove {old}{f' from {where}' if where else ''}"


def sentence(one: FileFacts) -> str:
    """Say what happened to a file."""
    if one.skipped:
        return f"Not read: {one.skipped}."
    parts = [_of_status(one)]
    swap = (
        swapped(one.swap, quoted(one.swap.inside) if one.swap.inside else "")
        if one.swap and not (one.new or one.gone or one.tests)
        else ""
    )
    swap = _bumped(one) or swap
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
    if not (one.only or swap or one.new or one.gone or one.kind is PathKind.LOCKED):
        parts.append(_clue(one))
    told = "; ".join(filter(None, parts)) or ("no line of text changed" if not one.lines else _places(one))
    return f"{told[:1].upper()}{told[1:]}."


def _bumped(one: FileFacts) -> str:
    """Say which packages have another version, where that may be all that changed."""
    bumps = list(islice(bumps_of([one]), one.added))
    if not bumps or len(bumps) < one.added:
        return ""
    told = [f"{quoted(name)} from {old} to {new}" for name, old, new in bumps[:MOST_NAMED]]
    return (
        f"bump {joined([*told, *([f'{len(bumps) - MOST_NAMED} more'] if len(bumps) > MOST_NAMED else [])])}"
    )


def _clue(one: FileFacts) -> str:
    """Say the most telling thing that is certain of a file, besides its symbols."""
    if one.kind is PathKind.TESTS and one.tests:
        more = f" and {len(one.tests) - 1} more" if len(one.tests) > 1 else ""
        return f"{'new tests' if more else 'new test'}: “{clipped(one.tests[0], LONGEST_SAID)}”{more}"
    clues = [each for each in one.clues if each.tells is not Tells.SAID]
    best = min(clues, key=lambda each: (each.tells, -each.lines), default=None)
    if best is None or (one.status is FileStatus.ADDED and best.tells is not Tells.LOG):
        return ""
    if best.tells is Tells.LOG:
        return f"new entry: “{clipped(best.says, LONGEST_SAID)}”"
    plain = best.place in ("", *(symbol.short for symbol in one.changed[:1]))
    return f"{best.says[:1].lower()}{best.says[1:]}{'' if plain else f' {best.join} {quoted(best.place)}'}"


def _places(one: FileFacts) -> str:
    places = len(one.swaps)
    return f"changed in {places} places" if places > 1 else "changed"


def _of_status(one: FileFacts) -> str:
    if one.file.submodule:
        return {FileStatus.ADDED: "a new submodule", FileStatus.DELETED: "a submodule, deleted"}.get(
            one.status, "a submodule, at another commit"
        )
    if one.file.binary:
        return "binary"
    if one.kind is PathKind.LOCKED and one.lines:
        return not_by_hand(one.path) or "generated"
    match one.status:
        case FileStatus.ADDED:
            return "new symbolic link" if one.file.new_mode == _LINK else "new file"
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
