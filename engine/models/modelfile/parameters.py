"""The PARAMETER names Ollama knows, with their types and the values that make sense."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hunkwise.engine.types import ParameterValue

_INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
# the words of Go's strconv.ParseBool, which Ollama uses
_BOOL = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True)
_BOOL |= dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False)
_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter may hold; `low` and `high` are inclusive and mean nothing for "bool" and "strings"."""

    kind: Literal["int", "float", "bool", "strings"]
    low: float = -math.inf
    high: float = math.inf


# Ollama's api.Options (api/types.go); the limits are ours, Ollama checks only the types
KNOWN: dict[str, Parameter] = {
    "num_ctx": Parameter("int", 1, _INT32),
    "num_batch": Parameter("int", 1, _INT32),
    "num_gpu": Parameter("int", -1, _INT32),
    "main_gpu": Parameter("int", 0, 1023),
    "use_mmap": Parameter("bool"),
    "num_thread": Parameter("int", 0, 4096),
    "draft_num_predict": Parameter("int", 0, 1024),
    "num_keep": Parameter("int", -1, _INT32),
    "num_predict": Parameter("int", -2, _INT32),
    "seed": Parameter("int", -(2**31), 2**32 - 1),
    "temperature": Parameter("float", 0, 100),
    "top_k": Parameter("int", -1, _INT32),
    "top_p": Parameter("float", 0, 1),
    "min_p": Parameter("float", 0, 1),
    "typical_p": Parameter("float", 0, 1),
    "repeat_last_n": Parameter("int", -1, _INT32),
    "repeat_penalty": Parameter("float", 0.01, 100),
    "presence_penalty": Parameter("float", -100, 100),
    "frequency_penalty": Parameter("float", -100, 100),
    "stop": Parameter("strings"),
}

# what a load heeds (runtime/fit.py)
_LOADING = frozenset({"num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread"})
# of the others, what a review does in any case: it takes the likeliest token
_GREEDY: tuple[tuple[str, ParameterValue], ...] = (("temperature", 0.0), ("top_k", 1))

# Ollama warns about these and ignores them (parser/parser.go, deprecatedParameters)
DEPRECATED = frozenset(
    {
        "penalize_newline",
        "low_vram",
        "f16_kv",
        "logits_all",
        "vocab_only",
        "use_mlock",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
    }
)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the legal word that `word` was probably meant to be, whatever its case; None if none is near."""
    by_fold = {candidate.lower(): candidate for candidate in words}
    # difflib's time grows with the product of the lengths, and a hostile file chooses one of them
    found = difflib.get_close_matches(word[:64].lower(), list(by_fold), n=1, cutoff=0.65)
    return by_fold[found[0]] if found else None


def takes_effect(name: str, value: ParameterValue) -> bool:
    """Tell whether a parameter changes, or at least describes, what a review does."""
    return name in _LOADING or (name, value) in _GREEDY


def read_value(name: str, text: str) -> ParameterValue:
    """Convert one PARAMETER's text to its type; "stop" gives a tuple of one string.

    Raises ValueError, whose text is for the user: an unknown name, a wrong type, a value out of range.
    """
    known = KNOWN.get(name)
    if known is None:
        hint = nearest(name, KNOWN)
        raise ValueError(f"unknown parameter {name[:64]!r}" + (f"; did you mean {hint}?" if hint else ""))
    if known.kind == "strings":
        if not text:
            raise ValueError(f"parameter {name} must not be empty: it would stop every answer at once")
        return (text,)
    if known.kind == "bool":
        if text not in _BOOL:
            raise ValueError(f"parameter {name} must be true or false, not {text[:64]!r}")
        return _BOOL[text]
    return _number(name, known, text)


def read_parameter(name: str, value: object) -> ParameterValue:
    """Check one parameter that came as JSON: "stop" as a text or a list of texts. Raises ValueError."""
    known = KNOWN.get(name)
    if known is not None and known.kind == "strings":
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in values):
            raise ValueError(f"parameter {name} must be a list of texts")
        return tuple(str(each) for each in values if each)
    if isinstance(value, float) and value.is_integer() and known is not None and known.kind == "int":
        value = int(value)  # Go writes whole numbers of any size as JSON numbers
    if not isinstance(value, bool | int | float):
        raise ValueError(f"parameter {name} is {str(value)[:40]!r}")
    return read_value(name, str(value))


def _number(name: str, known: Parameter, text: str) -> int | float:
    form, noun = (_INT, "a whole number") if known.kind == "int" else (_FLOAT, "a number")
    if not form.fullmatch(text) or len(text) > 64:
        raise ValueError(f"parameter {name} must be {noun}, not {text[:64]!r}")
    value = int(text) if known.kind == "int" else float(text)
    if not known.low <= value <= known.high:
        raise ValueError(
            f"parameter {name} must be between {known.low:.10g} and {known.high:.10g}, not {text}"
        )
    return value
