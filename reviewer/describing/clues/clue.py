"""A thing that is certain of a change of a file, and how its words are cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from hunkwise.reviewer.types import FileDiff, Hunk, Line, Numbers

LONGEST_QUOTE = 48  # characters of what is said to have come or gone
_NO_END = re.compile(
    r"\W*(?:\w{0,3}|such|when|with|that|from|into|this|which|where)"
)  # a sentence is not cut behind it
LONGEST_LINE = 300  # characters of a line that is looked at


class Tells(IntEnum):
    """What a clue tells of, the most telling first."""

    LOG = 0  # what its author wrote of it in a change log
    RUN = 1  # a check, an error, a parameter, one thing in place of another
    PROSE = 2  # a section, a sentence, a key
    SAID = 3  # a comment
    USE = 4  # a name that is used for the first time
    PLACE = 5  # the section of a document


@dataclass(frozen=True, slots=True)
class Clue:
    """A thing that is certain, as the beginning of a title: "Return if `n < 0`".

    `join` stands between it and its place, "in" or "to"; "" where no place is said. `place` is the symbol, "" for
    the file. `lines` is how many changed lines it accounts for.
    """

    tells: Tells
    says: str
    lines: int
    join: str = "in"
    place: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A change of a file as clues are looked for in it. Of `runs` and `code` comments are no part."""

    file: FileDiff
    text: str | None  # after the change, where it is known
    runs: Sequence[Hunk]
    code: Callable[[Line], str]
    inside: Mapping[Numbers, str]  # the symbol around a changed line


def quoted(name: str) -> str:
    """Write a name in a code span of one line."""
    return f"`{' '.join(name.replace('`', chr(39)).split())}`"


def joined(parts: Sequence[str]) -> str:
    """Write "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def is_balanced(text: str) -> bool:
    """Tell whether a piece of code closes what it opens, and nothing else; quotes too."""
    depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return False
    return depth == 0 and not any(text.count(quote) % 2 for quote in "\"'`")


def clipped(text: str, most: int) -> str:
    """Cut a sentence behind a word where it is too long, outside of backticks, and say so with "…"."""
    if len(text) <= most:
        return text
    words = text[:most].split(" ")[:-1]
    while words and (" ".join(words).count("`") % 2 or _NO_END.fullmatch(words[-1])):
        words.pop()
    return f"{' '.join(words).rstrip(' ,;:(')}…" if words else ""
