"""Functions that a change gives fewer parameters, and their calls fewer arguments with them.

A sound fact as far as the change goes: the definition and every changed call lose as many, those that stay are in
the same order, and in each file no call stands as it was. (What came is no evidence against a change anyway.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hunkwise.reviewer.diff.hunks import changes
from hunkwise.reviewer.languages.renames import is_definition, new_lines, words_in
from hunkwise.reviewer.types import FileDiff, FileKey, Hunk, TextOf

LONGEST = 400  # characters of a line that is looked at

_OPEN = re.compile(r"[^\W\d]\w*(?=\()")
_FUNC = re.compile(r"\s*func\b")  # of Go: a method's receiver stands before its name
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Call:
    """A name with its arguments or parameters, which stand on one line; `defined` where the name is defined."""

    name: str
    text: str
    arguments: tuple[str, ...]
    defined: bool


def signatures(files: Sequence[FileDiff], text_of: TextOf) -> Mapping[FileKey, Mapping[str, str]]:
    """Find the calls that changed with the parameters of their function: by file, old text to new."""
    pairs: dict[str, list[tuple[FileKey, Call, Call]]] = {}
    for file in files:
        for old, new in (pair for hunk in file.hunks for part in changes(hunk) for pair in _pairs(part)):
            pairs.setdefault(old.name, []).append((file.key, old, new))
    found = {name: given for name, given in pairs.items() if _agree([(old, new) for _, old, new in given])}
    restated: dict[FileKey, dict[str, str]] = {file.key: {} for file in files}
    if found:
        standing = {file.key: _count_calls(new_lines(file, text_of(file))) for file in files}
        for name, given in found.items():
            changed = Counter(key for key, _, _ in given)
            if all(standing[key][name] == count for key, count in changed.items()):
                for key, old, new in given:
                    restated[key][old.text] = new.text
    return restated


def calls(line: str) -> Iterator[Call]:
    """Find the calls and definitions of a line whose brackets close on it."""
    for found in _OPEN.finditer(line) if len(line) <= LONGEST else ():
        end, arguments = _arguments(line, found.end())
        if end:
            words = words_in(line[: found.end()])
            defined = is_definition(words, len(words) - 1) or _FUNC.match(line) is not None
            yield Call(found[0], line[found.start() : end], arguments, defined)


def _arguments(line: str, start: int) -> tuple[int, tuple[str, ...]]:
    """Cut what stands in the bracket at `start` at its commas; gives its end too, 0 if it stays open."""
    depth, cuts = 0, [start]
    for at, character in enumerate(line[start:], start):
        depth += _BRACKETS.get(character, 0)
        if character == "," and depth == 1:
            cuts.append(at)
        elif depth == 0:
            texts = (line[a + 1 : b].strip() for a, b in pairwise([*cuts, at]))
            return at + 1, tuple(text for text in texts if text)
    return 0, ()


def _pairs(part: Hunk) -> Iterator[tuple[Call, Call]]:
    """Pair the calls of the removed lines with those of the added ones, name by name, where the text changed."""
    sides: dict[str, dict[str, list[Call]]] = {"removed": {}, "added": {}}
    for line in part.lines:
        for call in calls(line.text):
            sides[line.kind].setdefault(call.name, []).append(call)
    for name, olds in sides["removed"].items():
        news = sides["added"].get(name, [])
        if len(olds) == len(news):
            yield from ((a, b) for a, b in zip(olds, news, strict=True) if a.arguments != b.arguments)


def _agree(given: Sequence[tuple[Call, Call]]) -> bool:
    """Tell whether a definition and its calls, at least one of each, lost alike."""
    lost = {len(old.arguments) - len(new.arguments) for old, new in given}
    kinds = {old.defined for old, _ in given}
    return len(lost) == 1 and min(lost) > 0 and len(kinds) == 2 and all(_in_order(*pair) for pair in given)


def _in_order(old: Call, new: Call) -> bool:
    """Tell whether the arguments that stay are in the same order."""
    rest = iter(old.arguments)
    return all(argument in rest for argument in new.arguments)


def _count_calls(lines: Mapping[int, str]) -> Counter[str]:
    return Counter(name for line in lines.values() for name in _OPEN.findall(line))
