"""Fitting the layer that turns evidence into a probability: ridge logistic regression, cross-validated by group.

Blocks of a buggy change that hold no labelled line are left out: nobody said whether they are right. Groups are
left out one by one, a bug together with its fix, so there is no split to draw. Fitted by iteratively reweighted
least squares (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 4.4.1), with numpy of the
`local` extra.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hunkwise.engine import Engine
from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.cases import Case
from hunkwise.reviewer.bench.spots import spots
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.calibration import Layer

WEIGHED = ("gap", "drops")
RIDGE = 1.0  # penalty on the standardised weights, for a few dozen cases

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """The features of one block and whether it is wrong."""

    case: str
    group: str
    wrong: bool
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted layer: intercept and weights on the raw features."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, features: Mapping[str, float]) -> float:
        """Turn features into a probability."""
        return Layer(self.intercept, self.weights, calibrated=True).probability(features)


def gather(case: Case, config: Config, engine: Engine) -> tuple[Example, ...]:
    """Read the evidence of every labelled block of a case."""
    examples = []
    for context, spot in spots(case.change(), config, engine):
        wrong = label(case, context.file.path, spot.lines)
        if wrong is not None:
            examples.append(Example(case.id, case.group or case.id, wrong, spot.features))
    return tuple(examples)


def label(case: Case, path: str, lines: Sequence[int]) -> bool | None:
    """Whether a block is wrong; None where the labels don't say."""
    if not case.buggy:
        return case.buggy
    held = any(
        place.path == path and any(metrics.near(n, place.lines, 1) for n in lines) for place in case.places
    )
    return True if held else None


def gathered(
    cases: Sequence[Case], config: Config, engine: Engine, journal: Path | None
) -> Iterator[tuple[Example, ...]]:
    """Read the evidence of the cases in order. With a journal, what it has is taken from it, the rest added.

    A journal of another model or context is refused with UsageError.
    """
    key = f"{engine.card().digest} {config.effort} {config.context_tokens}"
    known = read_journal(journal, key) if journal else {}
    for case in cases:
        found = known.get(case.id)
        if found is None:
            found = gather(case, config, engine)
            if journal:
                row = {"key": key, "case": case.id, "examples": [asdict(example) for example in found]}
                with journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
        yield found


def read_journal(path: Path, key: str) -> dict[str, tuple[Example, ...]]:
    """Read the examples of an earlier, perhaps interrupted, run by case. Raises UsageError for another key.

    A case whose evidence has not all that is weighed now, or that was cut off, is left out: it is read again.
    """
    found: dict[str, tuple[Example, ...]] = {}
    if not path.exists():
        return found
    for line in path.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
            other = row["key"]
            examples = tuple(Example(**example) for example in row["examples"])
            if all(name in example.features for example in examples for name in WEIGHED):
                found[row["case"]] = examples
        except (ValueError, TypeError, KeyError):
            continue
        if other != key:
            raise UsageError(f"{path} belongs to another model or context; delete it or name another file")
    return found


def fit(examples: Sequence[Example], weighed: Sequence[str] = WEIGHED) -> Fit:
    """Fit a layer on the features named to examples."""
    x = np.array([[example.features[name] for name in weighed] for example in examples], dtype=np.float64)
    y = np.array([example.wrong for example in examples], dtype=np.float64)
    middle, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    beta = _logistic((x - middle) / scale, y)
    weights = beta[1:] / scale
    return Fit(
        float(beta[0] - weights @ middle),
        {name: float(value) for name, value in zip(weighed, weights, strict=True)},
    )


def _logistic(x: Floats, y: Floats) -> Floats:
    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([0.0] + [RIDGE] * x.shape[1])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (y - p) - penalty @ beta
        hessian = (design * (p * (1 - p) + 1e-9)[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def cross_validate(examples: Sequence[Example], weighed: Sequence[str] = WEIGHED) -> dict[str, float]:
    """Give each case the highest probability of its blocks, from a layer fitted to all groups but its own.

    Raises UsageError where there is nothing to learn from.
    """
    groups = {example.group for example in examples}
    if len(groups) < 2 or len({example.wrong for example in examples}) < 2:
        raise UsageError("a fit needs single-file changes with and without a bug, of two groups at least")
    layers = {name: fit([e for e in examples if e.group != name], weighed) for name in groups}
    scores: dict[str, float] = {}
    for example in examples:
        probability = layers[example.group].probability(example.features)
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


def curve(cases: Sequence[Case], scores: Mapping[str, float]) -> list[dict[str, float | int]]:
    """Measure precision and recall at each hundredth at which another number of changes is flagged."""
    points: list[dict[str, float | int]] = []
    for point in metrics.precision_curve(*held_out(cases, scores), steps=100):
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


def layer_entry(
    model: str, fitted: Fit, notes: Mapping[str, Any], points: Sequence[Mapping[str, float | int]]
) -> dict[str, Any]:
    """Lay out a fitted layer as it is shipped in prompts/calibration.json.

    Its digest is that of what makes a probability: the intercept and the weights.
    """
    weights = {name: round(value, 6) for name, value in fitted.weights.items()}
    intercept = round(fitted.intercept, 6)
    text = json.dumps({"intercept": intercept, "weights": weights}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {
        "model": model,
        "digest": digest,
        "intercept": intercept,
        "weights": weights,
        "notes": dict(notes),
        "curve": [dict(point) for point in points],
    }
