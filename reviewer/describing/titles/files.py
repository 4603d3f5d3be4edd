"""Titles by what happened to files as such: names, modes, deletions, other repositories, and counts of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hunkwise.reviewer.describing.clues.clue import joined, quoted
from hunkwise.reviewer.describing.description import LONGEST_TITLE
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind
from hunkwise.reviewer.describing.wording import MOST_NAMED, common_folder, main_files, name_of
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.types import FileStatus

_MOST_MOVED = 0.8  # of the files, from which on a change is one of their names


def titles(facts: Facts, main: Sequence[FileFacts]) -> Iterator[str]:
    """Word a change of nothing but names, modes, deletions, locked versions or submodules."""
    yield from _moves(main)
    first = main[0]
    if all(each.status is FileStatus.DELETED for each in main):
        yield by_files(facts)
    if all(each.status is FileStatus.MODE_CHANGED and not each.lines for each in main):
        what = quoted(name_of(first.path)) if len(main) == 1 else f"{len(main):,} files"
        modes = {each.file.new_mode for each in main}
        if modes <= {"100755", "100644"} and len(modes) == 1:
            yield f"Make {what} {'executable' if modes == {'100755'} else 'not executable'}"
        yield f"Change the mode of {what}"
    modules = [each for each in facts.files if each.file.submodule]
    if modules and all(each.file.submodule or each.path == ".gitmodules" for each in facts.files):
        verbs = {FileStatus.ADDED: "Add", FileStatus.DELETED: "Remove"}
        verb = (
            verbs.get(modules[0].status, "Update")
            if len({each.status for each in modules}) == 1
            else "Change"
        )
        yield (
            f"{verb} submodule {quoted(modules[0].path)}"
            if len(modules) == 1
            else f"{verb} {len(modules)} submodules"
        )
    if all(each.kind is PathKind.LOCKED and each.status is FileStatus.MODIFIED for each in main):
        yield f"Update {quoted(first.path)}" if len(main) == 1 else f"Update {len(main):,} files"


def _moves(main: Sequence[FileFacts]) -> Iterator[str]:
    moved = [each for each in main if each.moved and each.file.old_path]
    if len(moved) < max(1, _MOST_MOVED * len(main)):
        return
    pairs = [(each.file.old_path or "", each.path) for each in moved]
    if len(moved) == len(main) == 1:
        old, new = pairs[0]
        if name_of(old) == name_of(new):
            yield f"Move {quoted(old)} to {quoted(str(PurePosixPath(new).parent))}"
        yield f"Rename {quoted(old)} to {quoted(new)}"
        yield f"Rename {quoted(name_of(old))} to {quoted(name_of(new))}"
    folders = {str(PurePosixPath(new).parent) for _, new in pairs}
    if len(folders) == 1 and all(name_of(old) == name_of(new) for old, new in pairs):
        yield f"Move {plural(len(moved), 'file')} to {quoted(next(iter(folders)))}"
    first = f"Rename {quoted(name_of(pairs[0][0]))} to {quoted(name_of(pairs[0][1]))}"
    if len(moved) > 1 and name_of(pairs[0][0]) != name_of(pairs[0][1]):
        yield f"{first} and {plural(len(moved) - 1, 'more file')}"
    verb = "Rename" if any(name_of(old) != name_of(new) for old, new in pairs) else "Move"
    yield f"{verb} {plural(len(moved), 'file')}"


def by_files(facts: Facts) -> str:
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
    if len(set(files)) < len(files):
        files = [quoted(each.path) for each in main]
    if len(main) <= MOST_NAMED and len(text := f"{verb} {joined(files)}") <= LONGEST_TITLE:
        return text
    kind = {PathKind.TESTS: "tests", PathKind.DOCS: "documents"}.get(main[0].kind, "files")
    folder = common_folder([each.path for each in main])
    return f"{verb} {len(main):,} {kind}{f' in {quoted(folder)}' if folder else ''}"[:LONGEST_TITLE]
