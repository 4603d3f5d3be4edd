"""The JSON report: everything a review holds, in one stable form, and the reader that trusts none of it.

The form is described by `review.schema.json` beside this file. Keys are sorted and all text is ASCII, so the
same review gives the same bytes, and no character in it can steer a terminal.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping

from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.report import View
from hunkwise.reviewer.text.checked_json import FormError, read
from hunkwise.reviewer.text.hostile_paths import hostile
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.types import Finding, LineCoverage, LineRange, Review, Skipped

FORM = "hunkwise-review"
VERSION = 2  # raised whenever an older reader could misread the file
LARGEST = 256_000_000  # bytes; more than the largest diff that is read can fill
# keys that this version has got since it began, with what a report from before says by lacking one
_LATER: Mapping[str, object] = {"seconds": 0.0, "line_coverage": None}


class ReportError(ReviewError):
    """A JSON report can't be read: too large, no JSON, or not of our form. The message says where."""


def render(review: Review, view: View) -> str:
    """Write a review as JSON."""
    return dump({"form": FORM, "version": VERSION, **dataclasses.asdict(review)})


def dump(document: object) -> str:
    """Write JSON as all our formats do, without secrets. `##[` would be a command in the log of GitHub Actions."""
    return (
        json.dumps(_redacted(document), sort_keys=True, indent=2, allow_nan=False).replace("##[", "#\\u0023[")
        + "\n"
    )


def _redacted(value: object) -> object:
    """Hide secrets in every text of a document, for a path or a reason may hold one too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _redacted(part) for key, part in value.items()}
    return [_redacted(part) for part in value] if isinstance(value, list | tuple) else value


def load(data: bytes) -> Review:
    """Read a report that anybody may have written. Raises ReportError and nothing else.

    Size, types, lengths, line ranges, paths and fingerprints are checked; text is kept as it is, so whoever
    shows it must still escape it. Reports of older builds that write the same version are read too.
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
    body = {**_LATER, **{key: value for key, value in document.items() if key not in ("form", "version")}}
    try:
        return read(Review, body, "review", _check_meaning)
    except FormError as error:
        raise ReportError(str(error)) from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _check_meaning(value: object, where: str) -> None:
    """Check what types can't say."""
    if isinstance(value, Finding | Skipped | LineRange):
        _check_path(value.path, where)
    if isinstance(value, Review) and not 0 <= value.seconds < math.inf:
        raise FormError(f"{where}.seconds must be a time")
    if isinstance(value, LineCoverage) and not 0 <= value.unrun <= value.lines:
        raise FormError(f"{where}.unrun must be from 0 to lines")
    start, end = getattr(value, "start_line", 1), getattr(value, "end_line", 1)
    if not 1 <= start <= end:
        raise FormError(f"{where}: lines {start} to {end} are no range")
    if isinstance(value, Finding):
        if not 0 <= value.confidence <= 1:
            raise FormError(f"{where}.confidence must be from 0 to 1")
        if not re.fullmatch(r"[0-9a-f]{32}", value.fingerprint):
            raise FormError(f"{where}.fingerprint must be 32 hex digits")


def _check_path(path: str, where: str) -> None:
    """Refuse a path that a diff could not have: what the reader of diffs takes must come through here."""
    if reason := hostile(path):
        raise FormError(f"{where}.path must be relative and inside the repository; it {reason}")
