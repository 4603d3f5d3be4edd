"""Words that were meant: the nearest one to what was written."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, choices: Iterable[str], prefix: str = "") -> str:
    """Phrase the nearest legal word as the end of a message, or nothing; a `prefix` of all is not compared."""
    bare = [choice.removeprefix(prefix) for choice in choices]
    found = get_close_matches(word.removeprefix(prefix), bare, n=1, cutoff=0.6)
    return f"; did you mean {prefix}{found[0]}?" if found else ""
