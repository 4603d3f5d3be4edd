"""The `options` of a request: what the engine heeds, what it can't, and what a model's own parameters say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hunkwise.engine import ParameterValue, Sampling, read_parameter, sampling_of
from hunkwise.reviewer.server.settings import duration
from hunkwise.reviewer.text.checked_json import FormError

# how Ollama draws where neither the request nor the model says (api/types.go), and what OpenAI's clients expect
OLLAMA: Mapping[str, ParameterValue] = {"temperature": 0.8, "top_k": 40, "top_p": 0.9}
OPENAI: Mapping[str, ParameterValue] = {"temperature": 1.0, "top_k": 40, "top_p": 1.0}

_HEEDED = {each.name for each in fields(Sampling)} | {"num_ctx", "num_predict", "stop"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options that have a meaning here, typed and checked, and the names of the others."""

    values: Mapping[str, ParameterValue] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_options(given: Mapping[str, Any], where: str = "options") -> Options:
    """Check the options of a request. Raises FormError for a value that makes no sense, naming its place.

    Options that the engine can't heed are no error, for Ollama's clients send what they know; they are named.
    """
    values: dict[str, ParameterValue] = {}
    for name, value in given.items():
        if name in _HEEDED and value is not None:
            try:
                values[name] = read_parameter(name, value)
            except ValueError as error:
                raise FormError(f"{where}.{name}: {error}") from None
    ignored = sorted(
        f"{name:.40}" for name, value in given.items() if name not in _HEEDED and value is not None
    )
    return Options(values, tuple(ignored))


def rank_and_filter(
    options: Options, model: Mapping[str, ParameterValue], defaults: Mapping[str, ParameterValue]
) -> Mapping[str, ParameterValue]:
    """Lay the request's options over the model's own parameters, and those over the defaults."""
    return {**defaults, **model, **options.values}


def sampling(settled: Mapping[str, ParameterValue]) -> Sampling:
    """Say how the next token is drawn. A top_k below 0 keeps every candidate, as llama.cpp has it."""
    top_k = settled.get("top_k", 0)
    return sampling_of({**settled, "top_k": max(0, top_k) if isinstance(top_k, int) else 0})


def stops(settled: Mapping[str, ParameterValue]) -> tuple[str, ...]:
    """Say at which texts an answer ends."""
    found = settled.get("stop", ())
    return tuple(found) if isinstance(found, tuple) else ()


def whole(settled: Mapping[str, ParameterValue], name: str) -> int | None:
    """Read an option that counts something; None where it is absent or below 1, which leaves it to us."""
    value = settled.get(name)
    return value if isinstance(value, int) and value > 0 else None


def keep_alive(value: float | str | None) -> float | None:
    """Read how long a model stays: seconds, or a duration as Go writes it; below 0 for ever. Raises FormError."""
    if isinstance(value, str):
        try:
            return duration(value)
        except ValueError as error:
            raise FormError(f"keep_alive: {value[:40]!r} is not {error}") from None
    return math.inf if value is not None and value < 0 else value
