"""What a sampling may ask for: the ranges of a Modelfile's parameters, and how those parameters become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.models.modelfile.parameters import KNOWN
from hunkwise.engine.types import Generate, ParameterValue, Sampling

_RANDOM = 2**32 - 1  # as a seed, llama.cpp takes it for "choose one"


def sampling_of(parameters: Mapping[str, ParameterValue]) -> Sampling:
    """Make the sampling that a Modelfile's PARAMETER lines ask for; what they leave out is greedy.

    `stop` and `num_predict` are `Generate.stop` and `Generate.max_tokens`. A seed below 0 is none, as in Ollama.
    """
    names = {field.name for field in fields(Sampling)}
    given: dict[str, Any] = {name: value for name, value in parameters.items() if name in names}
    if not 0 <= given.get("seed", 0) < _RANDOM:
        given["seed"] = None
    return Sampling(**given)


def check_sampling(question: Generate) -> None:
    """Raise InvalidQuestion, naming the value and its range, for what llama.cpp can't draw by."""
    for name, value in asdict(question.sampling).items():
        if name == "seed" and value is None:
            continue
        known = KNOWN[name]
        low, high = (0, _RANDOM - 1) if name == "seed" else (known.low, known.high)
        kinds = (int,) if known.kind == "int" else (int, float)
        if type(value) not in kinds or not low <= value <= high:
            noun = "a whole number" if known.kind == "int" else "a number"
            raise InvalidQuestion(
                f"question {question.id!r}: {name} must be {noun} between {low:.10g} and {high:.10g}, "
                f"not {value!r:.40}"
            )
