"""Measures of a review's quality over labelled changes: pure functions of numbers.

Terms as in the field: an alarm is a change with at least one remark; recall is the share of buggy changes
with an alarm; the false-alarm rate the share of clean ones. Every share comes with its Wilson 95 % interval
(Wilson 1927; Brown, Cai & DasGupta 2001), because a few dozen cases prove little.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with the Wilson interval `low`..`high`; `value` is None where there are no cases."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share itself, 0..1."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval; 0..1 where there are no cases."""
        if not self.of:
            return 0.0, 1.0
        p, n, z2 = self.hits / self.of, self.of, Z95 * Z95
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def auroc(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Probability that a buggy change scores above a clean one (ties count half); None if a kind is missing.

    By ranks (Mann-Whitney), in O(n log n).
    """
    positives = sum(truths)
    negatives = len(truths) - positives
    if not positives or not negatives:
        return None
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and scores[order[end + 1]] == scores[order[start]]:
            end += 1
        for place in range(start, end + 1):
            ranks[order[place]] = (start + end) / 2 + 1
        start = end + 1
    above = sum(rank for rank, true in zip(ranks, truths, strict=True) if true)
    return (above - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Area under the precision-recall steps; equal scores enter together. None without a buggy change."""
    positives = sum(truths)
    if not positives:
        return None
    area, seen, hits, last = 0.0, 0, 0, 0.0
    pairs = sorted(zip(scores, truths, strict=True), key=lambda pair: -pair[0])
    for place, (score, true) in enumerate(pairs):
        seen, hits = seen + 1, hits + true
        if place + 1 == len(pairs) or pairs[place + 1][0] != score:
            recall = hits / positives
            area += (recall - last) * hits / seen
            last = recall
    return area


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many bug/fix pairs were told apart: the bug flagged and the fix not, or otherwise."""

    right: int = 0
    both: int = 0
    neither: int = 0
    reversed: int = 0

    @property
    def share(self) -> Share:
        """The pair score; chance is 25 %, and flagging everything gets 0."""
        return Share(self.right, self.right + self.both + self.neither + self.reversed)


def pairs(alarms: Sequence[tuple[bool, bool]]) -> Pairs:
    """Count (bug flagged, fix flagged) pairs."""
    counts = dict.fromkeys([(True, False), (True, True), (False, False), (False, True)], 0)
    for pair in alarms:
        counts[pair] += 1
    return Pairs(counts[True, False], counts[True, True], counts[False, False], counts[False, True])


def brier(truths: Sequence[bool], confidences: Sequence[float]) -> float | None:
    """Mean squared error of the confidences (Brier 1950); lower is better, 0.25 is a coin's."""
    if not truths:
        return None
    return sum((c - t) ** 2 for t, c in zip(truths, confidences, strict=True)) / len(truths)


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases whose confidence falls into one range: their mean confidence and the share that was true."""

    low: float
    high: float
    count: int
    confidence: float
    true: float


def reliability(truths: Sequence[bool], confidences: Sequence[float], bins: int = 10) -> tuple[Bin, ...]:
    """Bin confidences by equal widths; empty bins are left out."""
    held: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for true, confidence in zip(truths, confidences, strict=True):
        held[min(int(confidence * bins), bins - 1)].append((confidence, true))
    return tuple(
        Bin(
            place / bins,
            (place + 1) / bins,
            len(rows),
            sum(c for c, _ in rows) / len(rows),
            sum(t for _, t in rows) / len(rows),
        )
        for place, rows in enumerate(held)
        if rows
    )


def expected_calibration_error(truths: Sequence[bool], confidences: Sequence[float]) -> float | None:
    """Mean distance of confidence and truth over ten bins, by their sizes (Naeini et al. 2015)."""
    if not truths:
        return None
    rows = reliability(truths, confidences)
    return sum(row.count * abs(row.confidence - row.true) for row in rows) / len(truths)


def chance_calibration_error(confidences: Sequence[float], draws: int = 200) -> float | None:
    """Mean expected calibration error if the confidences were exact: what so few cases show by chance.

    Estimated by drawing the truths as often as `draws` says (Bröcker & Smith 2007).
    """
    draw = random.Random(0)  # noqa: S311 - drawn the same every time
    errors = [
        expected_calibration_error([draw.random() < confidence for confidence in confidences], confidences)
        for _ in range(draws if confidences else 0)
    ]
    return sum(error or 0.0 for error in errors) / draws if errors else None


@dataclass(frozen=True, slots=True)
class Precision:
    """At a confidence threshold: the share of remarks that are true, and of bugs that are found."""

    threshold: float
    precision: Share
    recall: Share


def precision_curve(
    truths: Sequence[bool], confidences: Sequence[float], steps: int = 20
) -> tuple[Precision, ...]:
    """Precision and recall at the thresholds between 0 and 1 that cut it into `steps`: 0.05, 0.10, … 0.95."""
    positives = sum(truths)
    rows = list(zip(truths, confidences, strict=True))
    curve = []
    for step in range(1, steps):
        said = [true for true, confidence in rows if confidence >= step / steps]
        hits = sum(said)
        curve.append(Precision(step / steps, Share(hits, len(said)), Share(hits, positives)))
    return tuple(curve)


def near(line: int, lines: Sequence[int], within: int = 2) -> bool:
    """Tell whether a remark's line is within two lines of a labelled one."""
    return any(abs(line - other) <= within for other in lines)


def f1(precision: float | None, recall: float | None) -> float | None:
    """Harmonic mean; None where either is unknown, 0 where both are 0."""
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
