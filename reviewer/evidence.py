"""What the model's probabilities say about a hunk: pure functions over the engine's answers.

A small model that is *asked* for bugs answers at chance; the likelihood it gives to the new text against the
old one does not (docs/quality.md). So the new and the old text of a hunk are scored as continuations of the
same lines, a few numbers are read off, and a small calibrated layer turns them into one probability.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.types import Hunk, HunkContext, Line

SHORT_GAP = 1  # unchanged lines that do not part two blocks
MOST_BLOCKS = 8  # of one hunk; more are scored as one
TAIL_LINES = 6  # unchanged lines after the change that are scored too: does the rest still fit?
FLOOR = -12.0  # natural log; one absurd token must not drown a whole hunk

# The longer text is always the less likely one, so length must not pose as evidence: the sums count only where
# both sides are about as long (EVEN), and the more tokens differ, the more the sum varies by chance: it is divided
# by the root of their number, as a standard score is. That words only went (a guard, an argument, a close) or
# only came is evidence of its own, if the model expected them there (EXPECTED) and they are few (FADE).
EVEN_TOKENS = 6
EXPECTED = -1.5  # nats a token; code that is likelier than this belongs there
FADE_TOKENS = 60
LONGEST_COMPARED = 600  # tokens; comparing takes quadratic time


@dataclass(frozen=True, slots=True)
class Side:
    """One side's text after the shared lines. `lines` are (new-side number or None, changed?) per line."""

    text: str
    lines: tuple[tuple[int | None, bool], ...]

    def line_of(self, token: TokenScore, ends: Sequence[int]) -> int:
        """Index of the line in which a token starts, given the byte ends of the lines."""
        return next((i for i, end in enumerate(ends) if token.start < end), len(self.lines) - 1)

    def ends(self) -> tuple[int, ...]:
        """Byte offset of each line's end, its newline included."""
        sizes = (len(line.encode("utf-8", "surrogateescape")) for line in self.text.splitlines(keepends=True))
        return tuple(accumulate(sizes))


@dataclass(frozen=True, slots=True)
class Sides:
    """The two readings of a block: the same lines before, then the new or the old text and what follows."""

    before: str
    new: Side
    old: Side


@dataclass(frozen=True, slots=True)
class Suspect:
    """A changed new-side line and how much the model would rather have read something else there.

    `surprise` is the largest difference, over the line's tokens, between the probability of the model's
    favourite and that of the written token (0..1). `expected` is the favourite, `column` its 0-based byte.
    """

    line: int
    surprise: float
    expected: str
    column: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A calibrated logistic layer: p = 1 / (1 + exp(-(intercept + Σ weight · feature)))."""

    intercept: float
    weights: Mapping[str, float]
    calibrated: bool
    digest: str = "none"

    def probability(self, features: Mapping[str, float]) -> float:
        """Turn features into the probability that the change is wrong."""
        value = self.intercept + sum(
            weight * features.get(name, 0.0) for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


# For a model nobody has calibrated: the features that hold across models, with a cautious start.
UNCALIBRATED = Layer(0.0, {"gap": 0.3, "drops": 2.5}, calibrated=False)


@cache
def shipped_layers() -> Mapping[str, Any]:
    """Give the shipped calibration: by the digest of a model its layer, its figures and its precision curve."""
    text = (resources.files("hunkwise.prompts") / "calibration.json").read_text("utf-8")
    layers: dict[str, Any] = json.loads(text)["layers"]
    return layers


def layer_for(model_digest: str) -> Layer:
    """Give the shipped layer of a model, or an uncalibrated one that says so."""
    found = shipped_layers().get(model_digest)
    if found is None:
        return UNCALIBRATED
    return Layer(found["intercept"], found["weights"], True, found["digest"])


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


def sides(context: HunkContext, block: range) -> Sides:
    """Lay out a block for scoring; changes of other blocks are taken as made."""
    lines = context.hunk.lines
    before = [text for _, text in context.before]
    before += [line.text for line in lines[: block.start] if line.kind != "removed"]
    after = [(line.text, line.new_no) for line in lines[block.stop :] if line.kind != "removed"]
    after += [(text, number) for number, text in context.after]
    tail = [(text, number, False) for text, number in after[:TAIL_LINES]]
    own = lines[block.start : block.stop]
    return Sides(
        "".join(f"{text}\n" for text in before) or "\n",
        _side(own, "removed", tail),
        _side(own, "added", tail),
    )


def _side(lines: Sequence[Line], without: str, tail: Sequence[tuple[str, int | None, bool]]) -> Side:
    kept = [(line.text, line.new_no, line.kind != "context") for line in lines if line.kind != without]
    rows = [*kept, *tail] or [("", None, False)]
    text = "".join(f"{row}\n" for row, _, _ in rows)
    return Side(text, tuple((number, changed) for _, number, changed in rows))


def features(read: Sides, new: Scored, old: Scored) -> dict[str, float]:
    """Read off the numbers that the layer weighs, in nats; a gap > 0 favours the old text."""
    new_own, old_own = changed(read.new, new), changed(read.old, old)
    gone, come = novel(old_own, new_own)
    even = math.exp(-abs(len(old_own) - len(new_own)) / EVEN_TOKENS)
    ratio = _clip(total(old.tokens) - total(new.tokens), 40.0)
    return {
        "gap": even * ratio / math.sqrt(max(len(gone) + len(come), 1)),
        "drops": (_missed(gone) if not come else 0.0) - (_missed(come) if not gone else 0.0),
    }


def _missed(tokens: Sequence[TokenScore]) -> float:
    """Tell how much words that stand on one side alone are missed on the other: 0..1, for few expected ones."""
    if not tokens:
        return 0.0
    expected = 1 / (1 + math.exp(-2 * (total(tokens) / len(tokens) - EXPECTED)))
    return math.exp(-len(tokens) / FADE_TOKENS) * expected


def novel(old: list[TokenScore], new: list[TokenScore]) -> tuple[list[TokenScore], list[TokenScore]]:
    """Pick the tokens that stand on one side alone; of very long sides, all of them."""
    if max(len(old), len(new)) > LONGEST_COMPARED:
        return old, new
    words = [[token.text.strip() for token in side] for side in (old, new)]
    changes = SequenceMatcher(None, words[0], words[1], autojunk=False).get_opcodes()
    gone = [old[i] for kind, a, b, _, _ in changes if kind != "equal" for i in range(a, b) if words[0][i]]
    come = [new[i] for kind, _, _, a, b in changes if kind != "equal" for i in range(a, b) if words[1][i]]
    return gone, come


def suspects(read: Sides, new: Scored) -> tuple[Suspect, ...]:
    """Rank the changed new-side lines, the most surprising first (ties: from the top)."""
    ends = read.new.ends()
    best: dict[int, Suspect] = {}
    for token in new.tokens:
        index = read.new.line_of(token, ends)
        number, changed = read.new.lines[index]
        if not changed or number is None:
            continue
        surprise = math.exp(token.favourite_logprob) - math.exp(token.logprob)
        start = ends[index - 1] if index else 0
        if number not in best or surprise > best[number].surprise:
            best[number] = Suspect(number, surprise, token.favourite, token.start - start)
    return tuple(sorted(best.values(), key=lambda suspect: (-suspect.surprise, suspect.line)))


def changed(side: Side, scored: Scored) -> list[TokenScore]:
    """Pick the tokens of changed lines."""
    ends = side.ends()
    return [token for token in scored.tokens if side.lines[side.line_of(token, ends)][1]]


def _floor(token: TokenScore) -> float:
    return max(token.logprob, FLOOR)


def total(tokens: Sequence[TokenScore]) -> float:
    """Sum the log-probabilities, each floored."""
    return sum(map(_floor, tokens))


def _clip(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
