"""How well probabilities hold that were given to labelled changes by fits without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.config.settings import Config

BARS = (0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3)  # at which the frontier is counted


@dataclass(frozen=True, slots=True)
class Example:
    """The features of one block and whether it is wrong; `at_bug`: a remark would be within two lines of a bug."""

    case: str
    group: str
    wrong: bool
    features: Mapping[str, float]
    at_bug: bool = False


def highest(examples: Sequence[Example], probabilities: Sequence[float]) -> dict[str, float]:
    """Give each case the highest probability of its blocks."""
    scores: dict[str, float] = {}
    for example, probability in zip(examples, probabilities, strict=True):
        scores[example.case] = max(scores.get(example.case, 0.0), probability)
    return scores


def quiet_threshold(truths: Sequence[bool], scores: Sequence[float], most: float = 0.1) -> float:
    """Give the least threshold (in hundredths) at which at most `most` of the clean changes are flagged."""
    clean = [score for true, score in zip(truths, scores, strict=True) if not true]
    for step in range(1, 100):
        if sum(score >= step / 100 for score in clean) <= most * len(clean):
            return step / 100
    return 1.0


def held_out(cases: Sequence[Case], scores: Mapping[str, float]) -> tuple[list[bool], list[float]]:
    """Give truth and score of each case that has a score."""
    chosen = [case for case in cases if case.id in scores]
    return [bool(case.buggy) for case in chosen], [scores[case.id] for case in chosen]


def report(cases: Sequence[Case], scores: Mapping[str, float]) -> dict[str, Any]:
    """Measure cross-validated scores at diff level: at the quiet threshold, and `default` at the default bar."""
    chosen = [case for case in cases if case.id in scores]
    truths, values = held_out(chosen, scores)
    shown = [round(value, 2) for value in values]  # what two layers make of one reading is no order
    return {
        "cases": len(chosen),
        "base_rate": round(sum(truths) / len(truths), 4),
        "auroc": _rounded(metrics.auroc(truths, shown)),
        "average_precision": _rounded(metrics.average_precision(truths, shown)),
        "brier": _rounded(metrics.brier(truths, values)),
        "ece": _rounded(metrics.expected_calibration_error(truths, values)),
        "ece_by_chance": _rounded(metrics.chance_calibration_error(values)),
        **_shares(chosen, scores, quiet_threshold(truths, values)),
        "default": _shares(chosen, scores, Config().min_confidence),
    }


def _shares(chosen: Sequence[Case], scores: Mapping[str, float], threshold: float) -> dict[str, Any]:
    """Measure what depends on the threshold, each share with its Wilson interval."""
    flagged = {case.id: scores[case.id] >= threshold for case in chosen}
    buggy = [flagged[case.id] for case in chosen if case.buggy]
    clean = [flagged[case.id] for case in chosen if not case.buggy]
    told = metrics.pairs(
        [(flagged[case.pair_of], flagged[case.id]) for case in chosen if case.pair_of in flagged]
    )
    found = {
        "recall": metrics.Share(sum(buggy), len(buggy)),
        "false_alarm_rate": metrics.Share(sum(clean), len(clean)),
        "pair_score": told.share,
    }
    notes: dict[str, Any] = {"threshold": threshold}
    for name, share in found.items():
        notes[name] = _rounded(share.value)
        notes[f"{name}_interval"] = [round(bound, 4) for bound in share.interval]
    return notes


@dataclass(frozen=True, slots=True)
class Held:
    """Changes, the places read in them, and the probability of each place by a fit without its group."""

    cases: tuple[Case, ...]
    examples: tuple[Example, ...]
    probabilities: tuple[float, ...]

    def only(self, cases: Iterable[Case]) -> Held:
        """Give what belongs to some of the changes."""
        chosen = tuple(cases)
        ids = {case.id for case in chosen}
        own = [at for at, example in enumerate(self.examples) if example.case in ids]
        return Held(
            chosen,
            tuple(self.examples[at] for at in own),
            tuple(self.probabilities[at] for at in own),
        )

    @property
    def scores(self) -> dict[str, float]:
        """Each change's highest probability; 0 for one of which nothing was to be asked."""
        return dict.fromkeys((case.id for case in self.cases), 0.0) | highest(
            self.examples, self.probabilities
        )

    def places(self) -> dict[str, Any]:
        """Measure the probabilities place by place."""
        truths = [example.wrong for example in self.examples]
        return {
            "places": len(truths),
            "base_rate": _rounded(metrics.Share(sum(truths), len(truths)).value),
            "auroc": _rounded(metrics.auroc(truths, [round(each, 2) for each in self.probabilities])),
            "brier": _rounded(metrics.brier(truths, self.probabilities)),
            "ece": _rounded(metrics.expected_calibration_error(truths, self.probabilities)),
            "ece_by_chance": _rounded(metrics.chance_calibration_error(self.probabilities)),
        }

    def frontier(self) -> list[dict[str, Any]]:
        """Count at several bars what would be said, where, and of which changes."""
        changed = sum(case.changed_lines() for case in self.cases)
        points = []
        for bar in sorted({Config().min_confidence, *BARS}, reverse=True):
            rows = zip(self.examples, self.probabilities, strict=True)
            said = [example for example, probability in rows if probability >= bar]
            shares = _shares(self.cases, self.scores, bar)
            points.append(
                {
                    "remarks": len(said),
                    "at_bug": sum(example.at_bug for example in said),
                    "bugs": len({example.case for example in said if example.at_bug}),
                    "per_100_lines": _rounded(100 * len(said) / changed) if changed else None,
                    **{name: value for name, value in shares.items() if not name.endswith("_interval")},
                }
            )
        return points


def curve(truths: Sequence[bool], probabilities: Sequence[float]) -> list[dict[str, float | int]]:
    """Measure precision and recall at each hundredth at which another number of places is flagged."""
    points: list[dict[str, float | int]] = []
    for point in metrics.precision_curve(truths, probabilities, steps=100):
        said, right = point.precision.of, point.precision.hits
        if said and not (points and points[-1]["said"] == said):
            shares = (point.precision.value or 0.0, point.recall.value or 0.0)
            precision, recall = (round(share, 4) for share in shares)
            points.append(
                {
                    "threshold": point.threshold,
                    "precision": precision,
                    "recall": recall,
                    "said": said,
                    "true": right,
                }
            )
    return points


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
