"""Code in passages, told by its symbols: a function, a small class, a class's head, what stands between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hunkwise.reviewer.knowledge.reading.blocks import Block, blocks
from hunkwise.reviewer.languages.symbols.values import Symbol

_WHOLE = 1_200  # characters of a class that is one passage with its methods
_SHORT = 600  # characters of neighbours that are one passage
_MOST_NAMES = 3  # of constants in a title
_COMMENTS = ("#", "//", "/*", "*", "--", ";", "@", "[")
_FUNCTIONS, _HOLDERS = ("function", "method"), ("class", "type")


def units(lines: Sequence[str], definitions: Sequence[Symbol]) -> Iterator[Block]:
    """Cut a text at its definitions, with the comments right above each; together the blocks are all of it.

    A function is one block with all that is in it; so is a class that is short. What stands outside of them, or
    between the methods of a class, is titled by that class, else by the first constants in it.
    """
    begins: dict[int, str] = {}
    done = least = 0  # lines up to here are in a block that is whole, and in one that is begun
    holders: list[Symbol] = []
    for symbol in sorted(definitions, key=lambda one: (one.start, -one.end)):
        if symbol.start <= done or symbol.kind not in (*_FUNCTIONS, *_HOLDERS):
            continue
        holders = [one for one in holders if one.end >= symbol.end]
        around = next((one.qualified for one in reversed(holders) if one.end > symbol.end), "")
        start = _with_comments(lines, symbol.start - 1, least)
        begins[start] = symbol.qualified
        begins.setdefault(symbol.end, around)
        if symbol.kind in _HOLDERS and sum(map(len, lines[start : symbol.end])) > _WHOLE:
            holders.append(symbol)
            least = start + 1
        else:
            done = least = symbol.end
    yield from _titled(lines, begins, [one for one in definitions if one.kind == "constant"])


def _titled(lines: Sequence[str], begins: Mapping[int, str], constants: Sequence[Symbol]) -> Iterator[Block]:
    if not begins:
        yield from blocks(lines)
        return
    starts = sorted({0, *(start for start in begins if start < len(lines))})
    before: Block | None = None
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        named = [one.name for one in constants if start < one.start <= end][:_MOST_NAMES]
        block = (start, end, begins.get(start) or ", ".join(named))
        joined = before and _joined(before, block, lines)
        if before and not joined:
            yield before
        before = joined or block
    if before:
        yield before


def _joined(before: Block, block: Block, lines: Sequence[str]) -> Block | None:
    """Make one of two neighbours: of what only closes the first (a brace, blank lines), and of what is short."""
    text = "".join(lines[block[0] : block[1]])
    if not any(map(str.isalnum, text)):
        return before[0], block[1], before[2]
    if len(text) + sum(map(len, lines[before[0] : before[1]])) > _SHORT:
        return None
    return before[0], block[1], ", ".join(filter(None, (before[2], block[2])))


def _with_comments(lines: Sequence[str], start: int, least: int) -> int:
    """Give the line on which the comments right above a line begin."""
    while start > least and lines[start - 1].lstrip().startswith(_COMMENTS):
        start -= 1
    return start
