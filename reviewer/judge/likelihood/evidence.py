"""What the model's probabilities say about a hunk: pure functions over the engine's answers.

A small model that is *asked* for bugs answers at chance; the likelihood it gives to the new text against the
old one does not (docs/quality.md). So the new and the old text of a hunk are scored as continuations of the
same lines, a few numbers are read off, and a small calibrated layer (calibration.py) turns them into one
probability.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.judge.likelihood.sides import Side, Sides, in_name
from hunkwise.reviewer.languages.comments import weight

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
LONGEST_COMPARED = 600  # words; comparing takes quadratic time


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
        if found and token.start == end and in_name(found[-1][0][-1:]) and in_name(token.text[:1]):
            text, logprob, count = found.pop()
        else:
            text, logprob, count = "", 0.0, 0
        found.append((text + token.text, logprob + _floor(token), count + 1))
        end = token.end
    return tuple(Word(text.strip(), logprob, count) for text, logprob, count in found)


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
