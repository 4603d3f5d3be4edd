"""The two texts of a block that are scored: the new lines and the old ones, after the same lines above."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from types import MappingProxyType

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.languages.comments import Codes, bare, code_of
from hunkwise.reviewer.languages.refactorings import restated
from hunkwise.reviewer.languages.statements import CALL, OBSERVE
from hunkwise.reviewer.types import HunkContext, Line, Numbers

# A statement that only stands beside what changed shares less than half of its words with any line that went.
ALIKE = 0.5
SIGN = 0.25  # what a sign counts beside a name
LONGEST_ALIKE = 400  # characters
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Side:
    """One side's text after the shared lines.

    `lines` are, per line, the new-side number (of a removed line among renamed ones that of the line after it) or
    None, and how many of its bytes are changed code: None for unchanged lines, 0 for blank ones, imports and what
    only stands beside the change, which are no evidence.
    """

    text: str
    lines: tuple[tuple[int | None, int | None], ...]

    @property
    def code(self) -> bool:
        """True if any code was changed."""
        return any(code for _, code in self.lines)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The new-side lines of its changed code."""
        return tuple(number for number, code in self.lines if code and number is not None)

    def tokens(self, scored: Scored) -> Iterator[tuple[int | None, bool, TokenScore]]:
        """Give the tokens that count, each with its line's number and whether it is changed code."""
        ends = tuple(accumulate(len(_encoded(line)) + 1 for line in self.text.split("\n")))
        for token in scored.tokens:
            index = min(bisect_right(ends, token.start), len(self.lines) - 1)
            number, code = self.lines[index]
            if code is None or token.start - (ends[index - 1] if index else 0) < code:
                yield number, code is not None, token


@dataclass(frozen=True, slots=True)
class Sides:
    """The two readings of a block: the same lines before, then the new or the old text."""

    before: str
    new: Side
    old: Side


def sides_of(context: HunkContext, block: range) -> Sides:
    """Lay out a block for scoring; changes of other blocks, and refactorings, are taken as made.

    Comments and docstrings that the change touches are not read, so that nothing planted there can sway a number.
    """
    lines = context.hunk.lines
    before = [text for _, text in context.before]
    before += [line.text for line in _read(context, lines[: block.start]) if line.kind != "removed"]
    own = tuple(_read(context, lines[block.start : block.stop]))
    told = tuple(_restated(own, context))
    same = dict(_renamed(own, told))
    kinds = dict.fromkeys(_beside(own, context), 0) | dict.fromkeys((*same, *same.values()))
    return Sides(
        "".join(f"{text}\n" for text in before) or "\n",
        _side(context, own, "removed", kinds),
        _side(context, told, "added", kinds, _stood(told, same)),
    )


def _stood(lines: Sequence[Line], same: Mapping[Numbers, Numbers]) -> Mapping[Numbers, int | None]:
    """Give for removed lines the number of the line that stands after them now, if there is a renamed one."""
    found: dict[Numbers, int | None] = {}
    after = None
    for line in reversed(lines):
        after = line.new_no if line.kind == "context" else same.get(line.numbers, (None, after))[1]
        found |= {line.numbers: after} if line.kind == "removed" and same else {}
    return found


def _side(
    context: HunkContext,
    lines: Sequence[Line],
    without: str,
    known: Mapping[Numbers, int | None],
    stood: Mapping[Numbers, int | None] = MappingProxyType({}),
) -> Side:
    """Lay out the lines of one side; `known` has the code of those that are no evidence."""
    rows = [
        (
            line.text,
            stood.get(line.numbers, line.new_no),
            None if line.kind == "context" else known.get(line.numbers, _code(line, context.codes)),
        )
        for line in lines
        if line.kind != without
    ] or [("", None, 0)]
    return Side(
        "".join(f"{text}\n" for text, _, _ in rows), tuple((number, code) for _, number, code in rows)
    )


def _read(context: HunkContext, lines: Sequence[Line]) -> Iterator[Line]:
    """Give the lines without the comments and docstrings that the change touches."""
    for line in lines:
        told = bare(line, context.codes)
        if told.text.strip() or not line.text.strip():
            yield told


def _restated(lines: Sequence[Line], context: HunkContext) -> Iterator[Line]:
    """Give the lines, the removed ones in the words of the new text."""
    words = dict(context.refactorings)
    for line in lines:
        text = restated(line.text, words) if line.kind == "removed" else line.text
        if text is not None:
            yield replace(line, text=text)


def _renamed(lines: Sequence[Line], told: Sequence[Line]) -> Iterator[tuple[Numbers, Numbers]]:
    """Pair the lines in which only names are new: the removed ones in new words are added ones, once for once."""
    before = {line.numbers: line.text for line in lines}
    added: dict[str, list[Numbers]] = {}
    for line in lines:
        if line.kind == "added":
            added.setdefault(line.text, []).append(line.numbers)
    for line in told:
        if line.kind == "removed" and line.text != before[line.numbers] and added.get(line.text):
            yield line.numbers, added[line.text].pop(0)


def _beside(lines: Sequence[Line], context: HunkContext) -> Iterator[Numbers]:
    """Pick the added lines that only stand beside what changed, so that they neither hide nor excuse it.

    Such are statements that leave the code around them as it is, and say nothing like what went.
    """
    went = [line for line in lines if line.kind == "removed" and code_of(line, context.codes)]
    came = [line for line in lines if line.kind == "added" and code_of(line, context.codes)]
    uses = Counter(name for text in _new_texts(context) for name in set(_WORD.findall(text)))
    for line in came if went else ():
        does = _does(line, context)
        rivals = [old for old in went if does != OBSERVE or _does(old, context) == OBSERVE]
        alike = max((_alike(_words(line), _words(old)) for old in rivals), default=0.0)
        idle = does == OBSERVE or (len(came) > 1 and (does == CALL or uses[does] == 1))
        if does and idle and alike < ALIKE:
            yield line.numbers


def _does(line: Line, context: HunkContext) -> str:
    told = context.codes.get(line.numbers)
    return told.does if told else ""


def _new_texts(context: HunkContext) -> Iterator[str]:
    yield from (line.text for line in context.hunk.lines if line.kind != "removed")
    yield from (text for _, text in context.after)


def _words(line: Line) -> Counter[str]:
    return Counter(_WORD.findall(line.text[:LONGEST_ALIKE]))


def _alike(new: Counter[str], old: Counter[str]) -> float:
    """Tell how much a new line says of what an old one said, 0..1: the words they share, or the old one's names.

    Signs count less than names.
    """
    shared, both = new & old, _weighed(new) + _weighed(old)
    names = [word for word in old if in_name(word[0]) and not word[0].isdigit()]
    return max(
        2 * _weighed(shared) / both if both else 0.0,
        sum(word in shared for word in names) / len(names) if names else 0.0,
    )


def _weighed(words: Counter[str]) -> float:
    return sum(count * (1.0 if in_name(word[0]) else SIGN) for word, count in words.items())


def comment_lines(context: HunkContext, block: range) -> int:
    """Count the changed lines of a block that are not read: comments and docstrings."""
    own = context.hunk.lines[block.start : block.stop]
    return len(own) - sum(1 for _ in _read(context, own))


def _code(line: Line, codes: Codes) -> int:
    """Count the bytes of code in a line without a comment, and its end."""
    told = codes.get(line.numbers)
    return len(_encoded(line.text)) + 1 if line.text.strip() and not (told and told.imports) else 0


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def in_name(character: str) -> bool:
    """Tell whether a character belongs to a name or a number."""
    return character.isalnum() or character == "_"
