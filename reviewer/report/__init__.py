"""Reports: one module for each format, each with `render(review, view) -> str`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from hunkwise.reviewer.types import Change, Review

# format -> module; imported when the format is asked for
FORMATS: dict[str, str] = {
    "text": "hunkwise.reviewer.report.text",
    "json": "hunkwise.reviewer.report.json",
    "markdown": "hunkwise.reviewer.report.markdown",
    "html": "hunkwise.reviewer.report.html",
    "sarif": "hunkwise.reviewer.report.sarif",
    "rdjson": "hunkwise.reviewer.report.rdjson",
    "rdjsonl": "hunkwise.reviewer.report.rdjsonl",
    "codequality": "hunkwise.reviewer.report.codequality",
    "annotations": "hunkwise.reviewer.report.annotations",
    "junit": "hunkwise.reviewer.report.junit",
    "checkstyle": "hunkwise.reviewer.report.checkstyle",
}


@dataclass(frozen=True, slots=True)
class View:
    """How a report is to be shown. Formats use what concerns them.

    `width` is in terminal columns, None where the report goes to no terminal; `change` is what was reviewed, for
    formats that show the diff itself.
    """

    color: bool = False
    width: int | None = None
    change: Change | None = None


def renderer(name: str) -> Callable[[Review, View], str]:
    """Import the format's module and return its `render`. The name is one of `FORMATS`."""
    render: Callable[[Review, View], str] = import_module(FORMATS[name]).render
    return render
