"""What earlier reviews found, and what became of it: a passage for each finding of our reports and baselines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

LANGUAGE = "findings"  # as the index names it
_FORMS = ('"form": "hunkwise-review"', '"form": "hunkwise-baseline"')
_MOST = 5_000  # findings of a file

Row = tuple[int, str, str]
"""The line that has its fingerprint, its title and text."""


def is_past(path: str, text: str) -> bool:
    """Tell whether a text is a report or a baseline of ours, which have one key on each line."""
    return path.lower().endswith(".json") and text.startswith("{\n") and any(form in text for form in _FORMS)


def past(lines: Sequence[str], text: str) -> list[Row]:
    """Give the findings of a report or a baseline; nothing of what only looks like one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return []
    places = {
        line.partition(":")[2].strip(' ",'): number
        for number, line in enumerate(lines, 1)
        if line.lstrip().startswith('"fingerprint":')
    }
    rows: list[Row] = []
    for found, fate in _fates(document):
        line = places.get(_text(found, "fingerprint"), 0)
        title, path = _text(found, "title"), _text(found, "path")
        if line and title and len(rows) < _MOST:
            start = found.get("start_line")
            where = f"{path}:{start}" if isinstance(start, int) else path
            parts = (f"{where}: {title}", _text(found, "message"), _text(found, "advice"), fate)
            rows.append((line, f"finding in {path}", "\n".join(filter(None, parts))))
    return rows


def _fates(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Give each finding with what became of it."""
    for one in _dicts(document, "findings"):
        yield one, "It was said in a review."
    for one in _dicts(document, "rejected"):
        if isinstance(found := one.get("finding"), dict):
            silenced = _text(one, "silenced")
            why = _text(one, "reason")
            yield found, f"It was silenced ({silenced}): {why}" if silenced else f"It was not said: {why}"
    for one in _dicts(document, "entries"):
        reason, until = _text(one, "reason"), _text(one, "until")
        known = f"It is known, and not said again{f' until {until}' if until else ''}"
        yield one, f"{known}: {reason}" if reason else f"{known}."


def _dicts(document: Any, name: str) -> Iterator[dict[str, Any]]:
    found = document.get(name) if isinstance(document, dict) else None
    yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _text(of: dict[str, Any], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""
