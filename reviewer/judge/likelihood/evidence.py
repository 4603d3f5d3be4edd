"""What the model's probabilities say about a hunk: pure functions over the engine's answers.

A small model that is *asked* for bugs answers at chance; the likelihood it gives to the new text against the
old one does not (docs/quality.md). So the new and the old text of a hunk are scored as continuations of the
same lines, a few numbers are read off, and a small calibrated layer (calibration.py) turns them into one
probability.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from types import MappingProxyType

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.languages.comments import Codes, bare, code_of, weight
from hunkwise.reviewer.languages.refactorings import restated
from hunkwise.reviewer.languages.statements import CALL, OBSERVE
from hunkwise.reviewer.types import FileDiff, Hunk, HunkContext, Line, Numbers

SHORT_GAP = 1  # unchanged lines that do not part two blocks
MOST_SPREAD = 5  # doublings
MOST_BLOCKS = 8  # of one hunk; more are scored as one
FLOOR = -12.0  # natural log; one absurd token must not drown a whole hunk

# The longer text is always the less likely one, so length must not pose as evidence: the sums count only where
# both sides have about as many words (EVEN), and the more tokens differ, the more the sum varies by chance: it is
# divided by the root of their number, as a standard score is, and one within CHANCE says nothing.
EVEN_WORDS = 3
CHANCE = 2.0
# That words only went (a guard, an argument, a close) or only came is evidence of its own, if the model expected
# them there (EXPECTED) and they are few (FADE). Words that stand elsewhere in the hunk now were moved.
EXPECTED = -3.0  # nats a token; code that is likelier than this belongs there
FADE_WORDS = 40
# A statement that only stands beside what changed shares less than half of its words with any line that went.
ALIKE = 0.5
SIGN = 0.25  # what a sign counts beside a name
LONGEST_ALIKE = 400  # characters
LONGEST_COMPARED = 600  # words; comparing takes quadratic time

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


@dataclass(frozen=True, slots=True)
class Word:
    """A name or number of one or more tokens, or a token of signs. `logprob` is their sum, each floored."""

    text: str
    logprob: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A block as the model read it. `gone` and `come` are the words of the old and the new side alone."""

    sides: Sides
    new: Scored
    old: Scored
    gone: tuple[Word, ...]
    come: tuple[Word, ...]
    shortening: int  # words of changed code: old less new


@dataclass(frozen=True, slots=True)
class Suspect:
    """A changed new-side line and how much the model would rather have read something else there.

    `surprise` is the difference between the probability of the model's favourite and that of the written token,
    over the line's tokens: the root of the sum of squares, weighed by the form of the line.
    """

    line: int
    surprise: float


def blocks(hunk: Hunk) -> tuple[range, ...]:
    """Cut a hunk into blocks of changed lines, as index ranges; a short gap does not part two blocks."""
    found: list[range] = []
    for index, line in enumerate(hunk.lines):
        if line.kind == "context":
            continue
        if found and index - found[-1].stop <= SHORT_GAP:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return tuple(found) if len(found) <= MOST_BLOCKS else (range(found[0].start, found[-1].stop),)


def spread(files: Sequence[FileDiff]) -> float:
    """Tell at how many places of a whole change something went, in doublings: 1, 2, 4, 8, 16, or more.

    Of many places at most a few are slips.
    """
    places = sum(_places(hunk) for file in files for hunk in file.hunks)
    return float(min(max(places - 1, 0).bit_length(), MOST_SPREAD))


def _places(hunk: Hunk) -> int:
    """Count the blocks in which something went, however many they are; what is only added hides no slip."""
    gone = [index for index, line in enumerate(hunk.lines) if line.kind == "removed"]
    unchanged = list(accumulate((line.kind == "context" for line in hunk.lines), initial=0))
    parted = (unchanged[index] - unchanged[last] > SHORT_GAP for last, index in pairwise(gone))
    return sum(parted) + bool(gone)


def sides(context: HunkContext, block: range) -> Sides:
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
    names = [word for word in old if _in_name(word[0]) and not word[0].isdigit()]
    return max(
        2 * _weighed(shared) / both if both else 0.0,
        sum(word in shared for word in names) / len(names) if names else 0.0,
    )


def _weighed(words: Counter[str]) -> float:
    return sum(count * (1.0 if _in_name(word[0]) else SIGN) for word, count in words.items())


def dropped(context: HunkContext, block: range) -> int:
    """Count the changed lines of a block that are not read: comments and docstrings."""
    own = context.hunk.lines[block.start : block.stop]
    return len(own) - sum(1 for _ in _read(context, own))


def _code(line: Line, codes: Codes) -> int:
    """Count the bytes of code in a line without a comment, and its end."""
    told = codes.get(line.numbers)
    return len(_encoded(line.text)) + 1 if line.text.strip() and not (told and told.imports) else 0


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def reading(read: Sides, new: Scored, old: Scored) -> Reading:
    """Put the answers about both sides together and find the words that differ; of very long sides, take all."""
    before, after = words(changed(read.old, old)), words(changed(read.new, new))
    gone, come = before, after
    if max(len(before), len(after)) <= LONGEST_COMPARED:
        same = SequenceMatcher(None, [w.text for w in before], [w.text for w in after], autojunk=False)
        parts = [part for part in same.get_opcodes() if part[0] != "equal"]
        gone = tuple(before[i] for _, start, end, _, _ in parts for i in range(start, end) if before[i].text)
        come = tuple(after[i] for _, _, _, start, end in parts for i in range(start, end) if after[i].text)
    return Reading(read, new, old, gone, come, len(before) - len(after))


def words(tokens: Sequence[TokenScore]) -> tuple[Word, ...]:
    """Join the tokens of a name or a number; the words have no space around them."""
    found: list[tuple[str, float, int]] = []
    end = -1
    for token in tokens:
        if found and token.start == end and _in_name(found[-1][0][-1:]) and _in_name(token.text[:1]):
            text, logprob, count = found.pop()
        else:
            text, logprob, count = "", 0.0, 0
        found.append((text + token.text, logprob + _floor(token), count + 1))
        end = token.end
    return tuple(Word(text.strip(), logprob, count) for text, logprob, count in found)


def _in_name(character: str) -> bool:
    return character.isalnum() or character == "_"


def features(read: Reading, others: Sequence[Reading] = ()) -> dict[str, float]:
    """Read off the numbers that the layer weighs, in nats; a gap > 0 favours the old text.

    `others` are the other blocks of the hunk, where words may have moved to or from.
    """
    even = math.exp(-abs(read.shortening) / EVEN_WORDS)
    ratio = _clip(_all(read.sides.old, read.old) - _all(read.sides.new, read.new), 40.0)
    tokens = sum(word.tokens for word in (*read.gone, *read.come))
    score = even * ratio / math.sqrt(max(tokens, 1))
    gone = _left(read.gone, (read.come, *(other.come for other in others)))
    come = _left(read.come, (read.gone, *(other.gone for other in others)))
    return {
        "gap": math.copysign(max(0.0, abs(score) - CHANCE), score),
        "drops": _missed(gone, len(gone) - len(come), len(read.gone))
        - _missed(come, len(come) - len(gone), len(read.come)),
    }


def _left(went: Sequence[Word], came: Sequence[Sequence[Word]]) -> list[Word]:
    """Pick the words that went and did not come elsewhere, once for once."""
    moved = Counter(word.text for words in came for word in words)
    left = []
    for word in went:
        if moved[word.text]:
            moved[word.text] -= 1
        else:
            left.append(word)
    return left


def _missed(left: Sequence[Word], loss: int, went: int) -> float:
    """Tell how much words are missed, 0..1: their net loss among all that went, if few and expected there."""
    if loss <= 0:
        return 0.0
    mean = sum(word.logprob for word in left) / sum(word.tokens for word in left)
    expected = 1 / (1 + math.exp(EXPECTED - mean))
    return loss / went * math.exp(-len(left) / FADE_WORDS) * expected


def suspects(read: Sides, new: Scored) -> tuple[Suspect, ...]:
    """Rank the changed new-side lines, the most surprising first (ties: from the top)."""
    squares: dict[int, float] = {}
    for number, own, token in read.new.tokens(new):
        if own and number is not None:
            surprise = math.exp(token.favourite_logprob) - math.exp(token.logprob)
            squares[number] = squares.get(number, 0.0) + surprise**2
    texts = {
        number: text for (number, _), text in zip(read.new.lines, read.new.text.split("\n"), strict=False)
    }
    found = (Suspect(number, math.sqrt(total) * weight(texts[number])) for number, total in squares.items())
    return tuple(sorted(found, key=lambda suspect: (-suspect.surprise, suspect.line)))


def changed(side: Side, scored: Scored) -> list[TokenScore]:
    """Pick the tokens of changed code."""
    return [token for _, own, token in side.tokens(scored) if own]


def _all(side: Side, scored: Scored) -> float:
    return total([token for _, _, token in side.tokens(scored)])


def _floor(token: TokenScore) -> float:
    return max(token.logprob, FLOOR)


def total(tokens: Sequence[TokenScore]) -> float:
    """Sum the log-probabilities, each floored."""
    return sum(map(_floor, tokens))


def _clip(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
