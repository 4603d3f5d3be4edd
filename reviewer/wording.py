"""What a small model says about a defect, less what says nothing: told by form, so in every language.

The grammar keeps to the line, the length and the names in view; it can't keep the model from running round in
circles, reciting its instructions, or breaking off where the length is used up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ECHO_WORDS = 6  # as many in a row as the instructions have them are recited
ROOM = 8  # characters that a token which did not fit would have taken

_SENTENCE = re.compile(r"(?:`[^`]*`|[^`.!?。！？]|[.!?](?=\S)|`)+[.!?。！？]*\s*|[.!?。！？]+\s*")
_ENDED = re.compile(r"[.!?。！？]\s*$")
_QUOTED = re.compile(r"`([^`]*)`")
_SAME_TWICE = re.compile(r"`([^`]+)`[^`]{1,40}`\1`")
_IN_CIRCLES = re.compile(r"(\S.{6,80}?)\1{2,}")
_WORD = re.compile(r"\w+")


def sound(message: str, asked: str, code: str, limit: int) -> str:
    """Leave out the sentences that say nothing; "" if all do.

    They are: one that was broken off, as the message came near its `limit` in characters; one that says the same
    three times over; one that sets a quotation against itself, which `code`, the line, does not hold twice; one
    that recites what the model was `asked`.
    """
    instructions = set(_runs(asked))
    kept = [
        sentence
        for sentence in _sentences(message, limit)
        if not _IN_CIRCLES.search(sentence)
        and not any(code.count(quote) < 2 for quote in _SAME_TWICE.findall(sentence))
        and instructions.isdisjoint(_runs(sentence))
    ]
    return "".join(kept).strip()


def whole(title: str, limit: int) -> str:
    """End a title that was broken off at its `limit` in characters after its last whole word."""
    if len(title) < limit or " " not in title:
        return title
    start = title.rpartition(" ")[0]
    return f"{start if start.count('`') % 2 == 0 else title}…"


def _sentences(message: str, limit: int) -> list[str]:
    found = _SENTENCE.findall(message)
    if len(message) > limit - ROOM and not _ENDED.search(message):
        return found[:-1]
    return found


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of `ECHO_WORDS` words outside quotations, which are code and stand in both."""
    words = _WORD.findall(_QUOTED.sub(" ", text).lower())
    return (tuple(words[at : at + ECHO_WORDS]) for at in range(len(words) - ECHO_WORDS + 1))
