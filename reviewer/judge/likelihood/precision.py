"""The bar that a wanted precision asks for, from the curve that was measured when the model was calibrated.

The bar is the lowest threshold whose measured precision reaches the target, so that most bugs are found. The
lower end of its Wilson interval would be a safer promise, but of a few dozen remarks it is ten points below
what was measured, and hardly a target would be reachable. A threshold that too few changes reached promises
nothing at all (`FEWEST`).

Precision depends on how many of the changes are wrong: the curve holds for the base rate it was measured at,
which every message here states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hunkwise.engine import Engine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.judge.likelihood.calibration import shipped_layers

FEWEST = 10  # flagged changes; 3 right ones of 3 are no precision of 100 %


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at a threshold, on so many changed `places` of which the share `base_rate` was wrong."""

    threshold: float
    precision: float
    recall: float
    places: int
    base_rate: float

    def __str__(self) -> str:
        return (
            f"{self.precision:.0%} at a confidence of {self.threshold:g}, which finds {self.recall:.0%} of the "
            f"bugs (measured on {self.places} places, {self.base_rate:.0%} of them wrong)"
        )


def aim(config: Config, engine: Engine) -> Config:
    """Put the bar where the wanted precision asks for it; without one the bar stays.

    Raises UsageError for a model that nobody calibrated, and a precision that was not reached, with what was.
    """
    if not config.precision_target:
        return config
    return replace(config, min_confidence=point_for(config.precision_target, engine).threshold)


def point_for(target: float, engine: Engine) -> Point:
    """Find the lowest threshold whose precision reaches the target. Raises UsageError."""
    card = engine.card()
    return point_of(target, card.model, card.digest)


def point_of(target: float, model: str, digest: str) -> Point:
    """Do the same for a model that is not loaded, by the digest of its weights."""
    points = _curve(shipped_layers().get(digest, {}))
    if not points:
        known = ", ".join(entry["model"] for entry in shipped_layers().values() if entry.get("curve"))
        raise UsageError(
            f"--precision-target: no precision was ever measured for {model}; give --min-confidence, "
            f"or a model that is calibrated ({known or 'none is'})"
        )
    reached = [point for point in points if point.precision >= target]
    if not reached:
        best = max(points, key=lambda point: point.precision)
        raise UsageError(f"--precision-target {target:g}: {model} does not reach it; its highest is {best}")
    return min(reached, key=lambda point: point.threshold)


def _curve(entry: Mapping[str, Any]) -> list[Point]:
    return [
        Point(
            point["threshold"],
            point["precision"],
            point["recall"],
            entry["notes"]["places"],
            entry["notes"]["base_rate"],
        )
        for point in entry.get("curve", ())
        if point["said"] >= FEWEST
    ]
