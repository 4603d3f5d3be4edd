"""What of a hunk the model can be asked about; told from the lines alone, before any model is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.judge.likelihood.replacements import repeated, replacement
from hunkwise.reviewer.judge.likelihood.sides import Sides, sides_of
from hunkwise.reviewer.languages.comments import Codes, codes_of
from hunkwise.reviewer.languages.refactorings import refactorings_of
from hunkwise.reviewer.text.redaction import plain
from hunkwise.reviewer.types import FileDiff, FileKey, Hunk, HunkContext, Replacement, TextOf

NEW_CODE = "new code, of which there is no old text to compare with"


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a file: what its change says in other words, and what of its changed lines is code.

    `repeated` is what is replaced at several places of the whole change.
    """

    refactorings: Mapping[str, str]
    codes: Codes
    repeated: frozenset[Replacement] = frozenset()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The refactorings in order."""
        return tuple(sorted(self.refactorings.items()))


def told_of(
    files: Sequence[FileDiff], text_of: TextOf, go_on: Callable[[], bool] = lambda: True
) -> dict[FileKey, Told]:
    """Find what is known of the files of a change, as many as it may `go_on`; `text_of` gives a file after it."""
    codes: dict[FileKey, Codes] = {}
    for file in files:
        if go_on():
            codes |= codes_of((file,), text_of)
    files = [file for file in files if file.key in codes]
    found = refactorings_of(files, text_of, codes)
    replaced = repeated(files)
    return {file.key: Told(found[file.key], codes[file.key], replaced) for file in files}


def unread(context: HunkContext, block: range) -> str:
    """Say why no remark of the model's can come of a block; "" of one that is asked about."""
    sides = sides_of(context, block)
    if not commentable(context.hunk, block, sides):
        return "removed lines that no line stands beside to remark on"
    if sides.new.text == sides.old.text and sides.new.text.strip():
        return "the same in other words"
    if context.repeated and replacement(context.hunk.lines[block.start : block.stop]) in context.repeated:
        return "the same replacement at several places"
    if not (sides.new.code or sides.old.code):
        return "comments, docstrings, imports and blank lines, which are no evidence"
    return "" if sides.old.code else NEW_CODE


def commentable(hunk: Hunk, block: range, sides: Sides) -> tuple[int, ...]:
    """New-side lines a remark may sit on: the added ones; where code only went, the lines that touch it."""
    touching = [hunk.lines[i].new_no for i in (block.start - 1, block.stop) if 0 <= i < len(hunk.lines)]
    added = [hunk.lines[i].new_no for i in block if hunk.lines[i].kind == "added"]
    near = (
        (sides.new.numbers or sides.old.numbers[-1:] or touching or added)
        if sides.old.code
        else added or touching
    )
    return tuple(number for number in near if number is not None)


def hidden(context: HunkContext) -> HunkContext:
    """Hide secrets and invisible characters from the model: what it has not read can't lead it."""

    def rows(lines: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
        return tuple((number, plain(text)) for number, text in lines)

    lines = tuple(replace(line, text=plain(line.text)) for line in context.hunk.lines)
    return replace(
        context,
        hunk=replace(context.hunk, lines=lines),
        before=rows(context.before),
        after=rows(context.after),
        codes={at: replace(code, text=plain(code.text)) for at, code in context.codes.items()},
    )
