"""What was left out of a review, as a report names it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from hunkwise.reviewer.judge.scope.agenda import CHECKED, LATE
from hunkwise.reviewer.linters.claims import Analysis
from hunkwise.reviewer.types import FileKey, Place, Skipped


def late(skip: Skipped, unchecked: Collection[Place | FileKey]) -> Skipped:
    """Make a fault of what would have been checked without a model, had there been time."""
    missed = (skip.place or skip.key) in unchecked
    return replace(skip, fault=True, reason=LATE) if missed and CHECKED in skip.reason else skip


def also_read(skip: Skipped, analysis: Analysis) -> Skipped:
    """Say of what the model is not asked about which other tools have read it."""
    names = analysis.readers.get(skip.path, ()) if CHECKED in skip.reason and not skip.fault else ()
    return replace(skip, reason=f"{skip.reason}, read by {', '.join(names)}") if names else skip


def merged(skipped: Sequence[Skipped]) -> tuple[Skipped, ...]:
    """Name each hunk once for a reason: pieces of a large one share theirs."""
    known: dict[tuple[FileKey, int | None, str, bool], Skipped] = {}
    for skip in skipped:
        name = skip.key, skip.hunk, skip.reason, skip.fault
        other = known.get(name)
        known[name] = skip if other is None else replace(other, lines=other.lines + skip.lines)
    return tuple(known.values())
