"""The functions of Go's text/template and of Ollama's templates, on Python values.

A wrong argument raises Misuse.
"""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


class Misuse(Exception):
    """A function can't take this argument; the text is for the user, who is told the place by the caller."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the chat, as Ollama's api.Message; what prompts of ours never have is empty."""

    role: str
    content: str

    def fields(self) -> dict[str, Value]:
        """Return the fields by the names that templates use."""
        texts: dict[str, Value] = dict.fromkeys(("Thinking", "ToolName", "ToolCallID"), "")
        return texts | {"Role": self.role, "Content": self.content, "ToolCalls": (), "Images": ()}


Value = str | int | float | bool | None | Turn | tuple["Value", ...] | Mapping[str, "Value"]
Function = Callable[..., Value]

_VERB = re.compile(r"%([-+# 0]*)([0-9]{0,9})(?:\.([0-9]{0,9}))?(.?)", re.DOTALL)
_MOST_WIDTH = 1000
# encoding/json escapes these for the sake of HTML
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def kind(value: Value) -> str:
    """Return what a value is, in words for an error."""
    for types, name in (
        (bool, "a truth value"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "a text"),
    ):
        if isinstance(value, types):
            return name
    if value is None:
        return "nil"
    return "a message" if isinstance(value, Turn) else "a list" if isinstance(value, tuple) else "a map"


def true(value: Value) -> bool:
    """Tell whether `if` takes a value for true: not zero, not nil, not empty."""
    return isinstance(value, Turn) or bool(value)


def written(value: Value) -> str:
    """Return what an action writes for a value."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case int() | str():
            return str(value)
        case tuple():
            return "[" + " ".join(written(item) for item in value) + "]"
    raise Misuse(f"{kind(value)} can't be written; name one of its fields")


def _float(value: float) -> str:
    mantissa, _, exponent = f"{value!r}".partition("e")
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}" if exponent else mantissa


def _not(value: Value) -> Value:
    return not true(value)


def _basic(value: Value) -> str:
    if value is None or isinstance(value, (bool, int, float, str)):
        return kind(value)
    raise Misuse(f"{kind(value)} can't be compared")


def eq(first: Value, *others: Value) -> Value:
    """Tell whether the first argument equals any other."""
    for other in others:
        if first is None or other is None:
            same = first is other
        elif _basic(first) != _basic(other):
            raise Misuse(f"{kind(first)} can't be compared with {kind(other)}")
        else:
            same = first == other
        if same:
            return True
    return False


def ne(first: Value, other: Value) -> Value:
    """Tell whether two values differ."""
    return not eq(first, other)


def lt(first: Value, other: Value) -> Value:
    """Tell whether one value is less than another of its kind."""
    if isinstance(first, str) and isinstance(other, str):
        return first.encode("utf-8", "surrogatepass") < other.encode("utf-8", "surrogatepass")
    comparable = kind(first) == kind(other) and not isinstance(first, bool)
    if comparable and isinstance(first, (int, float)) and isinstance(other, (int, float)):
        return first < other
    raise Misuse(f"{kind(first)} has no order with {kind(other)}")


def length(value: Value) -> Value:
    """Count a list's items or a text's bytes."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (tuple, Mapping)):
        return len(value)
    raise Misuse(f"{kind(value)} has no length")


def _at(value: Value, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Misuse(f"an index must be a whole number, not {kind(value)}")
    if not 0 <= value <= most:
        raise Misuse(f"index {value} is out of range; the last is {most}")
    return value


def index(value: Value, *keys: Value) -> Value:
    """Look up `keys` one after the other in lists, maps and texts (whose items are bytes)."""
    for key in keys:
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise Misuse(f"a map's key must be a text, not {kind(key)}")
            value = value.get(key)
        elif isinstance(value, tuple):
            value = value[_at(key, len(value) - 1)]
        elif isinstance(value, str):
            raw = value.encode("utf-8", "surrogatepass")
            value = raw[_at(key, len(raw) - 1)]
        else:
            raise Misuse(f"{kind(value)} has no items")
    return value


def cut(value: Value, *bounds: Value) -> Value:
    """Return a part of a list, or of a text by its bytes: `slice x 1 2` is x[1:2]."""
    whole = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not isinstance(whole, (tuple, bytes)):
        raise Misuse(f"{kind(value)} can't be sliced")
    end = _at(bounds[1], len(whole)) if len(bounds) == 2 else len(whole)
    start = _at(bounds[0], end) if bounds else 0
    part = whole[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def sprint(*values: Value) -> Value:
    """Write values one after the other, with a space where neither neighbour is a text."""
    text = ""
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            text += " "
        text += _printed(value)
    return text


def println(*values: Value) -> Value:
    """Write values with spaces between them and a line end."""
    return " ".join(_printed(value) for value in values) + "\n"


def _printed(value: Value) -> str:
    return "<nil>" if value is None else written(value)


def printf(form: Value, *values: Value) -> Value:
    """Write values in a form with Go's verbs %v %s %q %d %x %f %g %e %t %%."""
    if not isinstance(form, str):
        raise Misuse("printf needs a text as its form")
    left = list(values)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not left:
            raise Misuse(f"printf has no value left for {match[0]!r}")
        if max(int(width or 0), int(precision or 0)) > _MOST_WIDTH:
            raise Misuse(f"printf can't write {match[0]!r}: too wide")
        text = _formatted(left.pop(0), verb, flags, precision)
        fill = "0" if "0" in flags and "-" not in flags and verb in "dxfge" else " "
        wide = int(width or 0)
        return text.ljust(wide) if "-" in flags else text.zfill(wide) if fill == "0" else text.rjust(wide)

    text = _VERB.sub(one, form)
    if left:
        raise Misuse(f"printf has {len(left)} more values than its form takes")
    return text


def _formatted(value: Value, verb: str, flags: str, precision: str | None) -> str:
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if verb in ("v", "s") and (verb == "v" or isinstance(value, str)):
        text = _printed(value)
        return text[: int(precision or 0)] if precision is not None and isinstance(value, str) else text
    if verb == "q" and isinstance(value, str):
        return json_module.dumps(value, ensure_ascii=False)
    if verb == "t" and isinstance(value, bool):
        return written(value)
    if verb in ("d", "x") and isinstance(value, int) and not isinstance(value, bool):
        return format(value, sign + verb)
    if verb == "x" and isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").hex()
    if verb in ("f", "e", "g") and isinstance(value, float):
        default = "" if verb == "g" else ".6"
        return format(value, sign + (default if precision is None else f".{precision or 0}") + verb)
    raise Misuse(f"printf can't write {kind(value)} with %{verb}")


def json(value: Value) -> Value:
    """Write a value as Go's encoding/json does: without spaces, with <, > and & escaped."""
    return json_module.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def _plain(value: Value) -> object:
    if isinstance(value, Turn):
        return {"role": value.role, "content": value.content}
    if isinstance(value, tuple):
        return [_plain(item) for item in value] or None  # Ollama's empty lists are nil
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in sorted(value.items())}
    return int(value) if isinstance(value, float) and value == int(value) else value


def _clock(*_: Value) -> Value:
    raise Misuse("a prompt must not depend on the date: the same input would give another answer tomorrow")


def _tools(*_: Value) -> Value:
    raise Misuse("toTypeScriptType is for tools, which prompts here never have")


_ANY = 1 << 20

# each with the least and the most arguments it takes
FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "not": (_not, 1, 1),
    "eq": (eq, 2, _ANY),
    "ne": (ne, 2, 2),
    "lt": (lt, 2, 2),
    "le": (lambda first, other: not lt(other, first), 2, 2),
    "gt": (lambda first, other: lt(other, first), 2, 2),
    "ge": (lambda first, other: not lt(first, other), 2, 2),
    "len": (length, 1, 1),
    "index": (index, 1, _ANY),
    "slice": (cut, 1, 3),
    "print": (sprint, 0, _ANY),
    "println": (println, 0, _ANY),
    "printf": (printf, 1, _ANY),
    "json": (json, 1, 1),
    "currentDate": (_clock, 0, _ANY),
    "yesterdayDate": (_clock, 0, _ANY),
    "toTypeScriptType": (_tools, 0, _ANY),
}
