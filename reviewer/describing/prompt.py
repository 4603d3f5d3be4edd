"""What a model is asked of a change. Its words can name only what it was shown: the grammar holds that.

Outside backticks a text has plain words alone, without capitals, digits and signs inside, so that what looks like
a name, a path or a number stands between backticks; and there only what is in view can be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hunkwise.engine import Generate, Segment
from hunkwise.reviewer.describing.description import LONGEST_TITLE
from hunkwise.reviewer.diff.hunks import MARKS
from hunkwise.reviewer.text.redaction import plain
from hunkwise.reviewer.text.templates import render
from hunkwise.reviewer.types import FileDiff, Line

MOST_WORDS = 13  # of a title after its first
MOST_TOKENS = 60
MOST_NAMES = 250
LONGEST_NAME = 60
LONGEST_LINE = 400  # characters of a line that are shown

_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->)[^\W\d]\w*)*|--?[a-z][\w-]+|\d+(?:\.\d+)*")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$/]")
_WORD = "[a-z\u00df-\u017f]+(?:[-'][a-z\u00df-\u017f]+)*"
_NO_END = re.compile(
    r"an?|the|and|or|but|to|of|in|on|at|for|from|with|by|as|that|which|when|where|if|not|is|are|was|be|than|rather"
    r"|instead|into|only|also|its|their|this|these|via|using|so|while"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a file's change that are shown together."""

    file: FileDiff
    lines: tuple[Line, ...]


def shown(
    parts: Sequence[Part], notes: Sequence[tuple[str, str]] = (), issue: str = ""
) -> tuple[Segment, ...]:
    """Show parts of a change, notes on files, and the line of an issue, after a few changes with their titles.

    It is no chat: a small model goes on with a list better than it does what it is told (docs/describe.md).
    """
    return (Segment(render("describe", parts=_rows(parts), notes=notes, issue=issue), "raw"),)


def _rows(parts: Sequence[Part]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (
            plain(part.file.path),
            [(MARKS[line.kind], _short(line.text.rstrip("\r"))) for line in part.lines if line.text.strip()],
        )
        for part in parts
    ]


def _short(text: str) -> str:
    return (
        text
        if len(text) <= LONGEST_LINE
        else f"{text[:LONGEST_LINE]} [and {len(text) - LONGEST_LINE:,} more]"
    )


def names_in(parts: Sequence[Part], more: Iterable[str] = ()) -> tuple[str, ...]:
    """List what a text may name: names and numbers of the changed lines, then of those around, and `more`."""
    lines = sorted((line for part in parts for line in part.lines), key=lambda line: line.kind == "context")
    found = dict.fromkeys(more)
    for line in lines:
        if len(found) > MOST_NAMES:
            break
        found.update(dict.fromkeys(_NAME.findall(line.text[:LONGEST_LINE])))
    return tuple(name for name in found if len(name) <= LONGEST_NAME and "`" not in name)[:MOST_NAMES]


def pattern(names: Sequence[str]) -> str:
    """Write the form of a title as a regular expression: plain words, and `names` between backticks."""
    known = "|".join(_SPECIAL.sub(r"\\\g<0>", name) for name in names)
    word = f"(?:{_WORD}|`(?:{known})`(?:'s)?)" if known else _WORD
    return f"[A-Z]{_WORD}(?:,? {word}){{1,{MOST_WORDS}}}"


def keeps_to(title: str, names: Sequence[str]) -> bool:
    """Tell whether a title has this form: not every engine holds to it by itself."""
    known = set(names)
    bare = re.sub(r"`([^`]*)`", lambda span: "`x`" if span[1] in known else "?", title)
    return re.fullmatch(pattern(["x"]), bare) is not None


def asking(names: Sequence[str]) -> Generate:
    """Ask what is shown for a title."""
    form = f" {pattern(names)}\\n"
    return Generate("title", (Segment("Title:", "raw"),), MOST_TOKENS, pattern=form, stop=("\n",))


def trimmed(title: str) -> str:
    """Cut a title at its last comma or word that can end it, where it is too long or breaks off."""
    words = title.rstrip(" .,").split(" ")
    while len(words) > 2 and (_NO_END.fullmatch(words[-1]) or len(" ".join(words)) > LONGEST_TITLE):
        words.pop()
    return " ".join(words).rstrip(",")
