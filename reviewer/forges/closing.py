"""Which issue of its own repository a pull or merge request says it closes, in the words that forges take."""

from __future__ import annotations

import json
import re

LONGEST = 65_536  # characters of a description that are looked at
_LONGEST_TEXT = 100_000  # characters of an issue
_CLOSES = re.compile(
    r"\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)"
    r"(?: issues?)?:?[ \t]{1,9}"
    r"(?P<project>[\w.-]{1,100}(?:/[\w.-]{1,100}){1,20})?#(?P<number>[1-9][0-9]{0,8})\b",
    re.IGNORECASE,
)


def closes(description: str, project: str) -> int:
    """Give the number of the first issue that is closed, 0 if there is none; comments of HTML say nothing."""
    text = description[:LONGEST]
    shown = "".join(
        part.partition("-->")[2] if number else part for number, part in enumerate(text.split("<!--"))
    )
    for found in _CLOSES.finditer(shown):
        if found["project"] in (None, project):
            return int(found["number"])
    return 0


def told(number: int, title: object, body: object) -> bytes:
    """Write an issue as JSON, in the form that all forges' are read in."""
    text = body if isinstance(body, str) else ""
    return json.dumps({"number": number, "title": str(title), "body": text[:_LONGEST_TEXT]}).encode()
