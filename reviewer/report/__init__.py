"""Reports: one module and one row for each format; other packages add to them by `hunkwise.formats`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hunkwise.engine import Registry
from hunkwise.reviewer.types import Change, Review


@dataclass(frozen=True, slots=True)
class View:
    """How a report is to be shown. Formats use what concerns them.

    `width` is in terminal columns, None where the report goes to no terminal; `change` is what was reviewed, for
    formats that show the diff itself.
    """

    color: bool = False
    width: int | None = None
    change: Change | None = None


Render = Callable[[Review, View], str]
"""Writes a report."""

FORMATS: Registry[Render] = Registry(
    "hunkwise.formats",
    "report format",
    {
        "text": "hunkwise.reviewer.report.text:render",
        "json": "hunkwise.reviewer.report.interchange.json:render",
        "markdown": "hunkwise.reviewer.report.markdown:render",
        "html": "hunkwise.reviewer.report.html:render",
        "sarif": "hunkwise.reviewer.report.interchange.sarif:render",
        "rdjson": "hunkwise.reviewer.report.interchange.rdjson:render",
        "rdjsonl": "hunkwise.reviewer.report.interchange.rdjsonl:render",
        "codequality": "hunkwise.reviewer.report.interchange.codequality:render",
        "annotations": "hunkwise.reviewer.report.interchange.annotations:render",
        "junit": "hunkwise.reviewer.report.interchange.junit:render",
        "checkstyle": "hunkwise.reviewer.report.interchange.checkstyle:render",
    },
)


def renderer(name: str) -> Render:
    """Import a format of `FORMATS`."""
    return FORMATS.load(name)
