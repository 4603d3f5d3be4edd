"""Remarks as compilers print them, `path:line:column: level: message [rule]`: clang-tidy and Cppcheck."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reported import LONGEST_MESSAGE, Reported, lines, name
from hunkwise.reviewer.types import Severity

_REMARK = re.compile(r"([^:]{1,4096}):(\d{1,9}):\d{1,9}: (\w{1,20}): (.*) \[([\w.,-]{1,300})\]", re.ASCII)
_LONGEST_LINE = 20_000
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "portability": Severity.MEDIUM}


def read_clang_tidy(data: bytes, root: Root) -> Iterator[Reported]:
    """Read what clang-tidy prints; a remark can have several rules, of which the first counts."""
    return _read(data, root, "clang-tidy")


def read_cppcheck(data: bytes, root: Root) -> Iterator[Reported]:
    """Read what Cppcheck prints with our template."""
    return _read(data, root, "cppcheck")


def _read(data: bytes, root: Root, tool: str) -> Iterator[Reported]:
    """Read the lines that are remarks. Others, with the code and its marks, belong to them."""
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        found = _REMARK.fullmatch(line.rstrip("\r")) if len(line) <= _LONGEST_LINE else None
        if found and found[3] in _LEVELS:
            first, last = lines(int(found[2]), int(found[2]))
            yield Reported(
                tool=tool,
                rule=name(found[5].partition(",")[0]),
                path=root.relative(found[1]),
                start_line=first,
                end_line=last,
                severity=_LEVELS[found[3]],
                message=found[4][:LONGEST_MESSAGE],
            )
