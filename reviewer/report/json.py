"""The JSON report: everything a review holds, in one stable form, and the reader that trusts none of it.

The form is described by `review.schema.json` beside this file. Keys are sorted and all text is ASCII, so the
same review gives the same bytes, and no character in it can steer a terminal.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.patch_paths import hostile
from hunkwise.reviewer.report import View
from hunkwise.reviewer.types import Finding, Review, Skipped

FORM = "hunkwise-review"
VERSION = 1  # raised whenever an older reader could misread the file
LARGEST = 20_000_000  # bytes
_LONGEST_TEXT = 100_000  # characters of one string
_MOST_ITEMS = 20_000  # of one list or mapping


class ReportError(ReviewError):
    """A JSON report can't be read: too large, no JSON, or not of our form. The message says where."""


def render(review: Review, view: View) -> str:
    """Write a review as JSON."""
    return dump({"form": FORM, "version": VERSION, **dataclasses.asdict(review)})


def dump(document: object) -> str:
    """Write JSON as all our formats do. `##[` would be a command in the log of GitHub Actions."""
    return json.dumps(document, sort_keys=True, indent=2, allow_nan=False).replace("##[", "#\\u0023[") + "\n"


def load(data: bytes) -> Review:
    """Read a report that anybody may have written. Raises ReportError and nothing else.

    Size, types, lengths, line ranges, paths and fingerprints are checked; text is kept as it is, so whoever
    shows it must still escape it.
    """
    if len(data) > LARGEST:
        raise ReportError(f"the report is larger than {LARGEST:,} bytes")
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the report is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("form") != FORM:
        raise ReportError(f"the report is not of the form {FORM!r}; make it with: review --format json")
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise ReportError(
            f"the report has version {document.get('version')!r:.40}; this hunkwise reads {VERSION}"
        )
    review = _read(Review, {k: v for k, v in document.items() if k not in ("form", "version")}, "review")
    assert isinstance(review, Review)
    return review


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _read(wanted: Any, value: object, where: str) -> Any:
    """Check `value` against a type of `hunkwise.reviewer.types` and build it."""
    origin = typing.get_origin(wanted)
    if isinstance(wanted, types.UnionType):
        return _read_union(typing.get_args(wanted), value, where)
    if origin is tuple:
        return _read_list(typing.get_args(wanted)[0], value, where)
    if origin is Mapping:
        return _read_mapping(typing.get_args(wanted)[1], value, where)
    if dataclasses.is_dataclass(wanted):
        return _read_value(wanted, value, where)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return _read_word(wanted, value, where)
    return _read_scalar(wanted, value, where)


def _read_union(members: tuple[Any, ...], value: object, where: str) -> Any:
    """None or one type; or one of several scalar types."""
    if value is None and type(None) in members:
        return None
    rest = [member for member in members if member is not type(None)]
    exact = next((member for member in rest if type(value) is member), rest[0])
    return _read(exact, value, where)


def _read_scalar(wanted: Any, value: object, where: str) -> Any:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ReportError(f"{where} must be {wanted.__name__}, not {type(value).__name__}")
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ReportError(f"{where} is longer than {_LONGEST_TEXT:,} characters")
    if isinstance(value, int | float) and abs(value) > 2**53:
        raise ReportError(f"{where} is out of range")
    return value


def _read_word(wanted: type[StrEnum], value: object, where: str) -> StrEnum:
    if not isinstance(value, str) or value not in list(wanted):
        raise ReportError(f"{where} must be one of {', '.join(wanted)}")
    return wanted(value)


def _read_list(item: Any, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise ReportError(f"{where} must be a list of at most {_MOST_ITEMS:,} items")
    return tuple(_read(item, part, f"{where}[{index}]") for index, part in enumerate(value))


def _read_mapping(item: Any, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > _MOST_ITEMS:
        raise ReportError(f"{where} must be an object of at most {_MOST_ITEMS:,} entries")
    return {key: _read(item, part, f"{where}[{key!r:.40}]") for key, part in value.items()}


@cache
def _fields(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _read_value(wanted: Any, value: object, where: str) -> Any:
    """Build a dataclass: all its keys, no others."""
    if not isinstance(value, dict):
        raise ReportError(f"{where} must be an object")
    hints = _fields(wanted)
    for key in [*value.keys() - hints.keys(), *hints.keys() - value.keys()]:
        raise ReportError(f"{where}: {'unknown' if key in value else 'missing'} key {key!r:.60}")
    built = wanted(**{key: _read(hint, value[key], f"{where}.{key}") for key, hint in hints.items()})
    _check_meaning(built, where)
    return built


def _check_meaning(value: object, where: str) -> None:
    """Check what types can't say."""
    if isinstance(value, Finding | Skipped):
        _check_path(value.path, where)
    start, end = getattr(value, "start_line", 1), getattr(value, "end_line", 1)
    if not 1 <= start <= end:
        raise ReportError(f"{where}: lines {start} to {end} are no range")
    if isinstance(value, Finding):
        if not 0 <= value.confidence <= 1:
            raise ReportError(f"{where}.confidence must be from 0 to 1")
        if not re.fullmatch(r"[0-9a-f]{32}", value.fingerprint):
            raise ReportError(f"{where}.fingerprint must be 32 hex digits")


def _check_path(path: str, where: str) -> None:
    """Refuse a path that a diff could not have: what the reader of diffs takes must come through here."""
    if reason := hostile(path):
        raise ReportError(f"{where}.path must be relative and inside the repository; it {reason}")
