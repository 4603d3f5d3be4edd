"""The tracefiles of lcov: a record for each file, and in it a line `DA:LINE,HITS` for each line of code."""

from __future__ import annotations

import re
from io import BytesIO

from hunkwise.reviewer.linters.reading.fields import Unreadable
from hunkwise.reviewer.linters.runs import Runs

_HITS = re.compile(rb"(\d{1,9}),(-?\d{1,20})(?:,.*)?", re.ASCII)
_RECORD = re.compile(rb"#.*|[A-Z]{2,6}:.*|end_of_record", re.ASCII)


def read(data: bytes, runs: Runs) -> None:
    """Read which lines were run. Raises Unreadable."""
    lines, named = None, False
    for number, raw in enumerate(BytesIO(data), 1):
        if lines is None and named and raw.startswith(b"DA:"):
            continue  # most of a large report is on files that are not asked about
        row = raw.strip()
        if row and not _RECORD.fullmatch(row):
            raise Unreadable(f"line {number}", "no coverage report: neither lcov's form nor Cobertura's XML")
        key, _, value = row.partition(b":")
        if key == b"SF":
            lines, named = runs.lines(value.decode("utf-8", "surrogateescape")), True
        elif key == b"DA":
            found = _HITS.fullmatch(value)
            if not named or not found:
                raise Unreadable(f"line {number}", "must be DA:LINE,HITS after the SF of its file")
            if lines is not None:
                at = int(found[1])
                lines[at] = lines.get(at, False) or int(found[2]) > 0
        elif row == b"end_of_record":
            lines, named = None, False
