"""Fitting the layer that turns evidence into a probability: ridge logistic regression, cross-validated by group.

Blocks of a buggy change that hold no labelled line are left out where nobody said whether they are right; where
the bug was found by the commit that mended it later, what that left alone counts as right. Groups are left out one
by one, a bug together with its fix, so there is no split to draw. Fitted by iteratively reweighted
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
from hunkwise.reviewer.bench.held import Example, highest
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.bench.spots import spots
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.likelihood.calibration import Layer

WEIGHED = ("gap", "drops", "spread", "tests")
RIDGE = 1.0  # penalty on the standardised weights, for a few dozen cases

Floats = NDArray[np.float64]


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
        path = context.file.path
        wrong = label(case, path, spot.lines)
        if wrong is not None and spot.reading.sides.old.code:
            at_bug = any(place.path == path and metrics.near(spot.line, place.lines) for place in case.places)
            examples.append(Example(case.id, case.group or case.id, wrong, spot.features, at_bug))
    return tuple(examples)


def label(case: Case, path: str, lines: Sequence[int]) -> bool | None:
    """Whether a block is wrong; None where the labels don't say."""
    if not case.buggy:
        return case.buggy
    held = any(
        place.path == path and any(metrics.near(n, place.lines, 1) for n in lines) for place in case.places
    )
    if held:
        return True
    return False if case.mended or path not in {place.path for place in case.places} else None


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
    """Give each case the highest probability of its blocks, as `held_apart` gives it."""
    return highest(examples, held_apart(examples, weighed))


def held_apart(examples: Sequence[Example], weighed: Sequence[str] = WEIGHED) -> list[float]:
    """Give each block its probability, from a layer fitted to all groups but its own.

    Raises UsageError where there is nothing to learn from.
    """
    groups = {example.group for example in examples}
    if len(groups) < 2 or len({example.wrong for example in examples}) < 2:
        raise UsageError("a fit needs changes with and without a bug, of two groups at least")
    layers = {name: fit([e for e in examples if e.group != name], weighed) for name in groups}
    return [layers[example.group].probability(example.features) for example in examples]


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
