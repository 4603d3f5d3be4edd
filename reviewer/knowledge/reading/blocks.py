"""Code in blocks: where its symbols aren't known, cut where an unindented line follows a blank one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ENOUGH = 400  # characters; smaller neighbours become one block
_LONGEST_LINE = 400  # characters that are looked at
_NAMED = re.compile(
    r"\b(?:def|class|func|function|fn|fun|sub|struct|enum|interface|trait|type|module|namespace|const|message|table)"
    r"\s+(?:\([^()]{0,80}\)\s*)?([A-Za-z_]\w*)"
)

Block = tuple[int, int, str]
"""First line from 0, the line behind the last, and what it is called."""


def blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Cut a text into blocks; together they are all of it."""
    start, size = 0, 0
    for number, line in enumerate(lines):
        begins = number and line[:1].strip() and not lines[number - 1].strip() and line[0] not in "})]"
        if begins and size >= _ENOUGH:
            yield start, number, _name(lines[start:number])
            start, size = number, 0
        size += len(line) + 1
    if start < len(lines):
        yield start, len(lines), _name(lines[start:])


def _name(lines: Sequence[str]) -> str:
    found = (_NAMED.search(line[:_LONGEST_LINE]) for line in lines if line[:1].strip())
    return next((match[1] for match in found if match), "")
