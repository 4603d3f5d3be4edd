"""What the model's probabilities say about a hunk: pure functions over the engine's answers.

A small model that is *asked* for bugs answers at chance; the likelihood it gives to the new text against the
old one does not (docs/quality.md). So the new and the old text of a hunk are scored as continuations of the
same lines, a few numbers are read off, and a small calibrated layer turns them into one probability.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any

from hunkwise.engine import Scored, TokenScore
from hunkwise.reviewer.comments import code_length
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
    """One side's text after the shared lines.

    `lines` are, per line, the new-side number or None, and how many of its bytes are changed code: None for
    unchanged lines, 0 for blank ones and for comments, which are evidence of nothing.
    """

    text: str
    lines: tuple[tuple[int | None, int | None], ...]

    @property
    def code(self) -> bool:
        """True if any code was changed."""
        return any(code for _, code in self.lines)

    def tokens(self, scored: Scored) -> Iterator[tuple[int | None, bool, TokenScore]]:
        """Give all tokens but those of comments, each with its line's number and whether it is changed code."""
        ends = tuple(accumulate(len(_encoded(line)) + 1 for line in self.text.split("\n")))
        for token in scored.tokens:
            index = min(bisect_right(ends, token.start), len(self.lines) - 1)
            number, code = self.lines[index]
            if code is None or token.start - (ends[index - 1] if index else 0) < code:
                yield number, code is not None, token


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
    favourite and that of the written token (0..1).
    """

    line: int
    surprise: float


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
    tail = [(text, number, None) for text, number in after[:TAIL_LINES]]
    own = lines[block.start : block.stop]
    path = context.file.path
    return Sides(
        "".join(f"{text}\n" for text in before) or "\n",
        _side(path, own, "removed", tail),
        _side(path, own, "added", tail),
    )


def _side(
    path: str, lines: Sequence[Line], without: str, tail: Sequence[tuple[str, int | None, None]]
) -> Side:
    kept = [
        (line.text, line.new_no, _code(path, line.text) if line.kind != "context" else None)
        for line in lines
        if line.kind != without
    ]
    rows = [*kept, *tail] or [("", None, None)]
    return Side(
        "".join(f"{text}\n" for text, _, _ in rows), tuple((number, code) for _, number, code in rows)
    )


def _code(path: str, text: str) -> int:
    """Count the bytes of code in a line, with its end if nothing follows."""
    length = code_length(path, text)
    return len(_encoded(text[:length])) + (length == len(text)) if length else 0


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def features(read: Sides, new: Scored, old: Scored) -> dict[str, float]:
    """Read off the numbers that the layer weighs, in nats; a gap > 0 favours the old text."""
    new_own, old_own = changed(read.new, new), changed(read.old, old)
    gone, come = novel(old_own, new_own)
    even = math.exp(-abs(len(old_own) - len(new_own)) / EVEN_TOKENS)
    ratio = _clip(_all(read.old, old) - _all(read.new, new), 40.0)
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
    best: dict[int, float] = {}
    for number, own, token in read.new.tokens(new):
        if own and number is not None:
            surprise = math.exp(token.favourite_logprob) - math.exp(token.logprob)
            best[number] = max(surprise, best.get(number, surprise))
    found = (Suspect(number, surprise) for number, surprise in best.items())
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
