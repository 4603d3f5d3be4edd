"""The hidden line by which hunkwise knows its own comments again.

A marker is the last line of a comment and counts only if our own account wrote the comment; anybody can paste
one, and a pasted marker would otherwise silence a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FINDING = re.compile(
    r"<!-- hunkwise:v1 fp=(?P<name>[0-9a-f]{32}) run=(?P<run>[0-9a-f]{7})"
    r"(?: outdated=(?P<end>[0-9a-f]{7}))? -->"
)
_SUMMARY = re.compile(r"<!-- hunkwise:v1 summary run=[0-9a-f]{7} -->")
_RUN_DIGITS = 7  # of the head commit


@dataclass(frozen=True, slots=True)
class Marker:
    """What a comment's marker says: the finding, the head commit it was posted at, the one it was gone at."""

    fingerprint: str
    run: str
    outdated: str | None = None

    def __str__(self) -> str:
        end = f" outdated={self.outdated}" if self.outdated else ""
        return f"<!-- hunkwise:v1 fp={self.fingerprint} run={self.run}{end} -->"


def run_of(head: str) -> str:
    """Shorten a head commit as markers hold it."""
    return head[:_RUN_DIGITS]


def summary_marker(head: str) -> str:
    """Mark the summary of a review of `head`."""
    return f"<!-- hunkwise:v1 summary run={run_of(head)} -->"


def _last_line(body: str) -> str:
    lines = body.rstrip().splitlines()
    return lines[-1].strip() if lines else ""


def read_marker(body: str) -> Marker | None:
    """Read the marker on the last line; text above it is not trusted."""
    found = _FINDING.fullmatch(_last_line(body))
    return Marker(found["name"], found["run"], found["end"]) if found else None


def is_summary(body: str) -> bool:
    """True if the last line marks a summary."""
    return _SUMMARY.fullmatch(_last_line(body)) is not None
