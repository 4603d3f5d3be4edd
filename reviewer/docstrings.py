"""Changed lines that stand in a docstring of Python: prose, as a comment is, and no evidence of anything.

Told from the whole file where it is known, else from what each hunk shows, where a docstring has to end in view.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from hunkwise.reviewer.types import FileDiff, Line, Numbers

SUFFIXES = (".py", ".pyi")

_EMPTY = r"(?:[ \t]*(?:#[^\n]*)?\n)"  # a blank line, or a comment
_TEXT = re.compile(  # in three quotes: a docstring where it comes first, in a file or below a head
    rf"(?P<docs>(?:\A{_EMPTY}*|:{_EMPTY}{{1,9}})[ \t]*[rRuU]?)?"
    r"(?P<mark>\"\"\"|''').*?(?P<end>(?P=mark)|\Z)",
    re.DOTALL,
)


def prose_of(files: Iterable[FileDiff], texts: Mapping[str, str]) -> dict[str, frozenset[Numbers]]:
    """Find the changed lines of each file that stand in docstrings, by path; `texts` are the new files."""
    return {file.path: prose(file, texts.get(file.path)) for file in files}


def prose(file: FileDiff, text: str | None) -> frozenset[Numbers]:
    """Find the changed lines of a file that stand in docstrings; `text` is the file after the change."""
    if not file.path.endswith(SUFFIXES):
        return frozenset()
    parts = [_whole(file, text)] if text is not None else [hunk.lines for hunk in file.hunks]
    return frozenset(
        numbers
        for lines in parts
        for gone in ("added", "removed")
        for numbers in _in_docstrings([line for line in lines if line.kind != gone], whole=text is not None)
    )


def _whole(file: FileDiff, text: str) -> list[Line]:
    """Give the file's lines, the removed ones among them; those outside the hunks have no numbers."""
    after, at, lines = text.split("\n"), 1, []
    for hunk in file.hunks:
        start = hunk.new_start if hunk.new_length else hunk.new_start + 1
        lines += [Line("context", line, None, None) for line in after[at - 1 : start - 1]]
        lines += hunk.lines
        at = start + hunk.new_length
    return lines + [Line("context", line, None, None) for line in after[at - 1 :]]


def _in_docstrings(lines: list[Line], *, whole: bool) -> Iterator[Numbers]:
    ends = list(accumulate(len(line.text) + 1 for line in lines))
    for found in _TEXT.finditer("\n".join(line.text for line in lines)):
        if found["docs"] is not None and (whole or (found["end"] and found.start())):
            first, last = bisect_right(ends, found.start("mark")), bisect_right(ends, found.end() - 1)
            inside = (line for line in lines[first : last + 1] if line.kind != "context")
            yield from (line.numbers for line in inside)
