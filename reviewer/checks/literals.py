"""What a text must hold for a regular expression to match: a cheap question before a dear one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LEAST = 3  # characters; shorter ones are in every text

_RUSTS_EDGE = r"(?-u:\b)"  # patterns.quick writes \b like this, and Python does not read it

Needed = tuple[str, ...]
"""Of these texts, in small letters, one must stand in what matches; () where nothing is known."""


@cache
def needed(pattern: str) -> Needed:
    """Give texts of which one stands in whatever a pattern (of Rust's regex, or Python's) matches."""
    try:
        return _of_sequence(parser.parse(pattern.replace(_RUSTS_EDGE, r"\b")))
    except (re.error, RecursionError, OverflowError, FutureWarning):
        return ()


def _of_sequence(parts: Iterable[tuple[Any, Any]]) -> Needed:
    """Choose the best of what a sequence needs: the fewest texts, then the longest."""
    choices = [each for each in _choices(parts) if each]
    return min(choices, key=lambda each: (len(each) > 8, -min(map(len, each))), default=())


def _choices(parts: Iterable[tuple[Any, Any]]) -> Iterator[Needed]:
    run = ""
    for code, value in parts:
        if code is codes.LITERAL:
            run += chr(value).lower()
            continue
        yield from _run(run)
        run = ""
        if code is codes.SUBPATTERN:
            yield _of_sequence(value[-1])
        elif code is codes.BRANCH:
            ways = [_of_sequence(way) for way in value[1]]
            yield tuple(text for way in ways for text in way) if all(ways) else ()
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and value[0] > 0:
            yield _of_sequence(value[2])
    yield from _run(run)


def _run(text: str) -> Iterator[Needed]:
    if len(text) >= LEAST and text.isascii():
        yield (text,)
