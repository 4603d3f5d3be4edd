"""The calibrated layer: from the numbers of the evidence to the probability that a change is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


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


# For a model nobody has calibrated: the features that hold across models, with a cautious start. What tells that a
# change was made on purpose weighs less than it does where it was measured, but for tests.
UNCALIBRATED = Layer(0.0, {"gap": 0.6, "drops": 3.0, "spread": -0.5, "tests": -4.0}, calibrated=False)


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
