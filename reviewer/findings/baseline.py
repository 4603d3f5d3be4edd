"""The form of a baseline: findings that are known, each with why and until when it is not said again.

A JSON report of an earlier review is a baseline too, whose entries have no reason and no end.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from hunkwise.reviewer.findings.suppressions import Known
from hunkwise.reviewer.report.interchange.json import FORM as REVIEW_FORM
from hunkwise.reviewer.report.interchange.json import LARGEST, ReportError, dump, load
from hunkwise.reviewer.text.checked_json import FormError, read
from hunkwise.reviewer.types import Finding, Review

FORM = "hunkwise-baseline"
VERSION = 1  # raised whenever an older reader could misread the file


@dataclass(frozen=True, slots=True)
class Entry:
    """A known finding. `path` and `title` are for people; `until` (YYYY-MM-DD) is the last day it holds."""

    fingerprint: str
    path: str
    title: str
    reason: str
    until: str | None


@dataclass(frozen=True, slots=True)
class _File:
    form: str
    version: int
    entries: tuple[Entry, ...]


def parse(data: bytes) -> dict[str, Entry]:
    """Read a baseline, or a report as one; by fingerprint. Raises ReportError."""
    if len(data) > LARGEST:
        raise ReportError(f"the baseline is larger than {LARGEST:,} bytes")
    try:
        document = json.loads(data)
        if isinstance(document, dict) and document.get("form") == REVIEW_FORM:
            return _of_report(load(data))
        file = read(_File, document, "baseline")
        if (file.form, file.version) != (FORM, VERSION):
            raise FormError(
                f"form and version must be {FORM!r} and {VERSION}; write one with: hunkwise baseline"
            )
        for entry in file.entries:
            last_day(entry.until)
    except (ValueError, RecursionError, FormError) as error:
        raise ReportError(f"the baseline is of no known form: {error}") from None
    return {entry.fingerprint: entry for entry in file.entries}


def _of_report(review: Review) -> dict[str, Entry]:
    silenced = (rejected.finding for rejected in review.rejected if rejected.silenced is not None)
    return {one.fingerprint: _entry(one, "", None) for one in (*review.findings, *silenced)}


def _entry(found: Finding, reason: str, until: dt.date | None) -> Entry:
    return Entry(found.fingerprint, found.path, found.title, reason, until.isoformat() if until else None)


def last_day(until: str | None) -> dt.date | None:
    """Read an entry's last day. Raises ValueError."""
    return dt.date.fromisoformat(until) if until else None


def known(entries: Mapping[str, Entry]) -> dict[str, Known]:
    """Give what silence has to know of the entries."""
    return {name: Known(entry.reason, last_day(entry.until)) for name, entry in entries.items()}


def merged(
    entries: Mapping[str, Entry], found: Sequence[Finding], reason: str, until: dt.date | None, today: dt.date
) -> dict[str, Entry]:
    """Add what was found; entries that ended are dropped, or renewed where they were found again."""
    holding = {name: one for name, one in known(entries).items() if one.holds(today)}
    kept = {name: entries[name] for name in holding}
    return {**kept, **{one.fingerprint: _entry(one, reason, until) for one in found}}


def render(entries: Mapping[str, Entry]) -> str:
    """Write a baseline, in an order that makes small diffs."""
    ordered = sorted(entries.values(), key=lambda entry: (entry.path, entry.fingerprint))
    return dump(asdict(_File(FORM, VERSION, tuple(ordered))))
