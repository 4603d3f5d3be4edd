"""Names that a change brings to several files, or takes from them: what its code and documents have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from hunkwise.reviewer.describing.clues.clue import LONGEST_LINE, LONGEST_QUOTE
from hunkwise.reviewer.describing.clues.log import is_log
from hunkwise.reviewer.describing.facts import FileFacts, PathKind, Theme
from hunkwise.reviewer.types import Change, FileStatus, Line, LineKind

_NAME = re.compile(
    r"(?<![\w-])--[a-z][\w-]{3,}|\b(?:[A-Za-z][A-Za-z\d]*_\w+|[A-Za-z]+[a-z\d][A-Z]\w*|[A-Z]{3,}\d+)\b"
)
_FEWEST = 2  # files that a name comes to, one of them code and one a document; that it leaves, one more
_MOST = 5  # names that are looked for in whole files


def themes_of(files: Sequence[FileFacts], change: Change) -> Iterator[Theme]:
    """Give the names that stand in no other line of the change's files, those in most files first."""
    read = [each for each in files if each.file.hunks and each.kind is not PathKind.LOCKED]
    if any(change.text(each.file) is None for each in read if each.file.new_path):
        return
    old, new, around = ([_names(each, side) for each in read] for side in ("removed", "added", "context"))
    for told, other, is_new in ((new, old, True), (old, new, False)):
        there = {name for names in (*other, *around) for name in names}
        found = Counter(name for names in told for name in names if name not in there)
        for name, count in islice(found.most_common(), _MOST):
            there_now = [each for each, names in zip(read, told, strict=True) if name in names]
            kinds = {each.kind for each in there_now if each.status is not FileStatus.ADDED}
            documented = any(each.kind is PathKind.DOCS for each in there_now) and count >= _FEWEST
            if PathKind.CODE not in kinds or not (documented or (not is_new and count > _FEWEST)):
                continue
            whole = sum(_in_text(name, change.text(each.file) or "") for each in read)
            if whole == sum(names[name] for names in new):
                called = any(f"{name}(" in line.text for each in read for line in _lines(each, "added"))
                yield Theme(name, "Remove" if not is_new else "Use" if called else "Add", count)


def _names(each: FileFacts, kind: LineKind) -> Counter[str]:
    if is_log(each.path):
        return Counter()
    found = (name for line in _lines(each, kind) for name in _NAME.findall(line.text[:LONGEST_LINE]))
    return Counter(name for name in found if len(name) <= LONGEST_QUOTE)


def _lines(each: FileFacts, kind: LineKind) -> Iterator[Line]:
    return (line for hunk in each.file.hunks for line in hunk.lines if line.kind == kind)


def _in_text(name: str, text: str) -> int:
    lines = (line[:LONGEST_LINE] for line in text.split("\n") if name in line)
    return sum(found == name for line in lines for found in _NAME.findall(line))
