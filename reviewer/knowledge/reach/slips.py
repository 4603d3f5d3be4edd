"""Slips of the copying hand: a block that was copied with a name changed in all places but one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

LONGEST_LINE = 200  # characters; longer ones are no part of a block
LONGEST_BLOCK = 25  # lines
MOST_LINES = 20_000  # of a file
FEWEST = 2  # places that were changed

_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|[A-Za-z_$][\w$]*|\d[\w.]*|[^\s\w]")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NO_CODE = re.compile(r"\s*(?://|#|\*|/\*|import\b|from\b|use\b|using\b|package\b|@)")
_STARTED = r"(?:^|[^\w.$>=!<]){}\s*(?::\s*[\w.<>\[\] ]+)?\s*:?=(?!=)"


class Slip(NamedTuple):
    """`name` still stands at a line of a copy where all else has `renamed`; `first` is the original's line."""

    line: int
    name: str
    renamed: str
    places: int
    first: int


class _Lines:
    """The tokens of lines, and their shapes as numbers; -1 for lines that are empty, or too long."""

    def __init__(self, lines: Sequence[str]) -> None:
        known: dict[tuple[str, ...], int] = {}
        self.text = lines
        self.tokens = [_TOKEN.findall(line) if len(line) <= LONGEST_LINE else [] for line in lines]
        self.shapes = [
            known.setdefault(tuple(map(_shape, tokens)), len(known)) if tokens else -1
            for tokens in self.tokens
        ]


def slips(lines: Sequence[str], added: Collection[int]) -> Iterator[Slip]:
    """Find slips in added lines; the original may be an added line too. Lines are numbered from 1."""
    if len(lines) > MOST_LINES or len(added) < FEWEST:
        return
    held, seen = _Lines(lines), set()
    shapes, fresh = held.shapes, {number - 1 for number in added}
    for distance in range(2, LONGEST_BLOCK + 1):
        starts = sorted({at - distance for at in fresh if at >= distance and shapes[at] >= 0})
        free = 0
        for start in starts:
            if start < free or shapes[start] != shapes[start + distance]:
                continue
            size = _size(shapes, start, distance, fresh)
            free = start + size
            found = _slip(held, start, size, distance) if distance - 3 <= size and size >= 2 else None
            if found is not None and found.line not in seen:
                seen.add(found.line)
                yield found


def _size(shapes: Sequence[int], start: int, distance: int, fresh: Collection[int]) -> int:
    """Count the lines that have the shape of those at a distance, of which all are new but empty ones."""
    size = 0
    while size < distance and start + size + distance < len(shapes):
        at = start + size + distance
        if shapes[at] != shapes[at - distance] or (shapes[at] >= 0 and at not in fresh):
            break
        size += 1
    return size


def _slip(held: _Lines, start: int, size: int, distance: int) -> Slip | None:
    rows = range(start, start + size)
    if len({held.shapes[row] for row in rows if len(held.tokens[row]) > 3}) < 2:
        return None  # lines that are all alike are a list, whose parts have no borders
    if any(_NO_CODE.match(held.text[row]) for row in rows):
        return None
    became: dict[str, Counter[str]] = defaultdict(Counter)
    where: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        for at, (one, other) in enumerate(zip(held.tokens[row], held.tokens[row + distance], strict=True)):
            if one[0].isdigit() and one != other:
                return None
            if _is_name(one):
                became[one][other] += 1
                where[one, other].append((row, at))
    mixed = [(name, others) for name, others in became.items() if len(others) > 1]
    if len(mixed) != 1:
        return None
    name, others = mixed[0]
    renamed = next(other for other in others if other != name)
    if len(others) != 2 or others[name] != 1 or others[renamed] < FEWEST:
        return None
    if not _is_rename(name, renamed, became):
        return None
    row, at = where[name, name][0]
    if not _is_use(held.tokens[row + distance], at, renamed) or not _starts(
        held, name, renamed, where[name, renamed], row, distance
    ):
        return None
    return Slip(row + distance + 1, name, renamed, others[renamed], row + 1)


def _is_rename(name: str, renamed: str, became: dict[str, Counter[str]]) -> bool:
    """Tell whether only one word of names changed throughout: `inIndex` to `outIndex`, `totalIn` to `totalOut`."""
    if sum(renamed in others for others in became.values()) != 1:
        return False
    change = _changed_words(name, renamed)
    pairs = [(one, next(iter(others))) for one, others in became.items() if len(others) == 1]
    return all(one == other or _changed_words(one, other) == change for one, other in pairs)


def _changed_words(one: str, other: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the words in which two names differ, without those at both ends that they share."""
    first, second = ([word.lower() for word in _WORD.findall(each)] for each in (one, other))
    while first and second and first[0] == second[0]:
        first, second = first[1:], second[1:]
    while first and second and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    return tuple(first), tuple(second)


def _is_use(tokens: Sequence[str], at: int, renamed: str) -> bool:
    """Tell whether a token is a variable that is read, on a line without the new name."""
    before, after = tokens[at - 1] if at else "", tokens[at + 1 : at + 2]
    if renamed in tokens or before in (".", ":", ">", "@", "?") or after in ([":"], ["("]):
        return False
    left, right = "".join(tokens[:at]), "".join(tokens[at + 1 :])
    return bool(re.search(r"[=(]", left)) or not re.match(r"[^=(]*=(?!=)", right)


def _starts(
    held: _Lines, name: str, renamed: str, places: Sequence[tuple[int, int]], row: int, distance: int
) -> bool:
    """Tell whether the block gives the name its value, before the place that was left."""
    for at, _ in places:
        if at < row and re.search(_STARTED.format(re.escape(name)), held.text[at]):
            return True
    numbered = re.sub(r"\d+\Z", "", name) == re.sub(r"\d+\Z", "", renamed)
    return numbered and min(at for at, _ in places) < row


def _shape(token: str) -> str:
    return (
        "n" if _is_name(token) else "0" if token[0].isdigit() else token[0] if token[0] in "\"'`" else token
    )


def _is_name(token: str) -> bool:
    return token[0].isalpha() or token[0] in "_$"
