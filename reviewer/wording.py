"""What a small model says about a defect, less what says nothing: told by form, so in every language.

The grammar keeps to the line, the length and the names in view; it can't keep the model from running round in
circles, reciting its instructions, or breaking off where the length is used up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ECHO_WORDS = 6  # as many in a row as the instructions have them are recited
TOLD_WORDS, TOLD_SHARE = 4, 0.6  # so many words, and so much of all, that were told are recited too
ROOM = 8  # characters that a token which did not fit would have taken

_SENTENCE = re.compile(r"(?:`[^`]*`|[^`.!?。！？]|[.!?](?=\S)|`)+[.!?。！？]*\s*|[.!?。！？]+\s*")
_ENDED = re.compile(r"[.!?。！？]\s*$")
_QUOTED = re.compile(r"`([^`]*)`")
_SAME_TWICE = re.compile(r"`([^`]+)`[^`]{1,40}`\1`")
_IN_CIRCLES = re.compile(r"(\S.{6,80}?)\1{2,}")
_WORD = re.compile(r"\w+")
_LONG_WORD = re.compile(r"\w{4,}")


def sound(message: str, asked: str, code: str, limit: int, told: str = "") -> str:
    """Leave out the sentences that say nothing; "" if all do.

    They are: one that was broken off, as the message came near its `limit` in characters; one that says the same
    three times over; one that sets a quotation against itself, which `code`, the line, does not hold twice; one
    that recites what the model was `asked`; one that quotes nothing and has its words from what the model was
    `told` (its role, the project's rules and guidelines).
    """
    instructions = set(_runs(asked))
    known = set(_LONG_WORD.findall(_QUOTED.sub(" ", told.lower())))
    kept = [
        sentence
        for sentence in _sentences(message, limit)
        if not _IN_CIRCLES.search(sentence)
        and not any(code.count(quote) < 2 for quote in _SAME_TWICE.findall(sentence))
        and instructions.isdisjoint(_runs(sentence))
        and not _recited(sentence, known)
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


def _recited(sentence: str, known: set[str]) -> bool:
    """Tell whether a sentence without a quotation has most of its words from what the model was told."""
    words = set(_LONG_WORD.findall(sentence.lower()))
    shared = len(words & known)
    return "`" not in sentence and shared >= TOLD_WORDS and shared >= TOLD_SHARE * len(words)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of `ECHO_WORDS` words outside quotations, which are code and stand in both."""
    words = _WORD.findall(_QUOTED.sub(" ", text).lower())
    return (tuple(words[at : at + ECHO_WORDS]) for at in range(len(words) - ECHO_WORDS + 1))
