"""What a small model says about a defect, less what says nothing: told by form, so in every language.

The grammar keeps to the line, the length and the names in view; it can't keep the model from running round in
circles, reciting its instructions, or breaking off where the length is used up.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

ECHO_WORDS = 6  # as many in a row as the question has them are recited
ROLE_WORDS = 3  # as many in a row as the role has them
TOLD_WORDS, TOLD_SHARE = 4, 0.6  # so many words, and so much of all, that were told are recited too
LONG = 4  # letters; a shorter word says little
ROOM = 8  # characters that a token which did not fit would have taken

_SENTENCE = re.compile(r"(?:`[^`]*`|[^`.!?。！？]|[.!?](?=\S)|`)+[.!?。！？]*\s*|[.!?。！？]+\s*")
_ENDED = re.compile(r"[.!?。！？]\s*$")
_QUOTED = re.compile(r"`([^`]*)`")
_SAME_TWICE = re.compile(r"`([^`]+)`[^`]{1,40}`\1`")
_IN_CIRCLES = re.compile(r"(\S.{6,80}?)\1{2,}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Prompted:
    """What the model was told before it worded a remark: its role, the question, the project's own rules."""

    role: str
    question: str
    rules: str = ""


def sound(message: str, told: Prompted, code: str, limit: int) -> str:
    """Leave out the sentences that say nothing; "" if all do.

    They are: one that was broken off, as the message came near its `limit` in characters; one that says the same
    three times over; one that sets a quotation against itself, which `code`, the line, does not hold twice; one
    that recites what the model was `told`, in a row, or by most of its words where it quotes nothing.
    """
    question = set(_runs(told.question, ECHO_WORDS))
    role = {run for run in _runs(told.role, ROLE_WORDS) if sum(map(_is_long, run)) > 1}
    known = set(filter(_is_long, _words(" ".join((told.role, told.question, told.rules)))))
    kept = [
        sentence
        for sentence in sentences(message, limit)
        if not _IN_CIRCLES.search(sentence)
        and not any(code.count(quote) < 2 for quote in _SAME_TWICE.findall(sentence))
        and question.isdisjoint(_runs(sentence, ECHO_WORDS))
        and ("`" in sentence or not _recited(sentence, role, known))
    ]
    return "".join(kept).strip()


def whole(title: str, limit: int) -> str:
    """End a title that was broken off at its `limit` in characters after its last whole word."""
    if len(title) < limit or " " not in title:
        return title
    start = title.rpartition(" ")[0]
    return f"{start if start.count('`') % 2 == 0 else title}…"


def sentences(message: str, limit: int = sys.maxsize) -> list[str]:
    """Cut a message into sentences, without one that was broken off at its `limit` in characters."""
    found = _SENTENCE.findall(message)
    if len(message) > limit - ROOM and not _ENDED.search(message):
        return found[:-1]
    return found


def _recited(sentence: str, role: set[tuple[str, ...]], known: set[str]) -> bool:
    """Tell whether a sentence has a run of words from the role, or most of its words from what was told."""
    if not role.isdisjoint(_runs(sentence, ROLE_WORDS)):
        return True
    words = set(filter(_is_long, _words(sentence)))
    shared = len(words & known)
    return shared >= TOLD_WORDS and shared >= TOLD_SHARE * len(words)


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Runs of `length` words outside quotations, which are code and stand in both."""
    words = _words(text)
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(_QUOTED.sub(" ", text).lower())


def _is_long(word: str) -> bool:
    return len(word) >= LONG
