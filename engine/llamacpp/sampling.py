"""How the parameters of a Modelfile become a sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hunkwise.engine.questions import NO_SEED
from hunkwise.engine.types import ParameterValue, Sampling


def sampling_of(parameters: Mapping[str, ParameterValue]) -> Sampling:
    """Make the sampling that a Modelfile's PARAMETER lines ask for; what they leave out is greedy.

    `stop` and `num_predict` are `Generate.stop` and `Generate.max_tokens`. A seed below 0 is none, as in Ollama.
    """
    names = {field.name for field in fields(Sampling)}
    given: dict[str, Any] = {name: value for name, value in parameters.items() if name in names}
    if not 0 <= given.get("seed", 0) < NO_SEED:
        given["seed"] = None
    return Sampling(**given)
