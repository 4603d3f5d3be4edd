"""The `options` of a request: what the engine heeds, what it can't, and what a model's own parameters say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hunkwise.engine import ParameterValue, Sampling, read_parameter, sampling_of
from hunkwise.reviewer.text.checked_json import FormError

# how Ollama draws where neither the request nor the model says (api/types.go), and what OpenAI's clients expect
OLLAMA: Mapping[str, ParameterValue] = {"temperature": 0.8, "top_k": 40, "top_p": 0.9}
OPENAI: Mapping[str, ParameterValue] = {"temperature": 1.0, "top_k": 40, "top_p": 1.0}

_HEEDED = {each.name for each in fields(Sampling)} | {"num_ctx", "num_predict", "stop"}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 64  # characters of a duration


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


def settle(
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
    if value is None:
        return None
    seconds = value if isinstance(value, int | float) else _seconds(value)
    return math.inf if seconds < 0 else float(seconds)


def _seconds(text: str) -> float:
    """Read a duration such as `1h30m`, `-1m` or `0` (Go's time.ParseDuration)."""
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    found = list(_DURATION.finditer(rest)) if len(rest) <= _LONGEST else []
    if not rest or "".join(each[0] for each in found) != rest:
        raise FormError(
            f"keep_alive: {text[:_LONGEST]!r} is no duration; write 300, 5m, 1h30m, 0, or -1 for ever"
        )
    return sign * sum(float(each[1]) * _UNITS[each[2]] for each in found)
