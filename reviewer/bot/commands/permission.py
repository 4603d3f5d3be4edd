"""Who may give a command, and how often.

A stranger's comment is passed over in silence, for an answer is a service too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hunkwise.reviewer.bot.commands.parsing import Command, Verb
from hunkwise.reviewer.bot.port import Commented

_MARK = "<!-- hunkwise:"
_HOUR = 3600


class Counts(Protocol):
    """Counts things for a while, for all workers together, as the queue does."""

    def count(self, key: str, seconds: int) -> int:
        """Count one more, and give how many there were since the first of these `seconds`."""
        ...


class Permission(StrEnum):
    """What becomes of a command."""

    GIVEN = "given"
    PASSED_OVER = "passed over"  # without a word
    TOO_MANY = "too many"  # said once, then passed over


@dataclass(frozen=True, slots=True)
class Limits:
    """How many commands an hour are carried out; of reviews that a change's author asks for, how many a day."""

    per_change: int = 30
    per_person: int = 20
    by_author: int = 3


DEFAULT = Limits()


def is_heard(said: Commented, name: str) -> bool:
    """Tell whether a comment is one of a person: not of a bot, not our own, not with a mark of ours."""
    comment = said.comment
    bare = name.removesuffix("[bot]").casefold()
    ours = {bare, f"{bare}[bot]"}
    by_bot = comment.by_bot or comment.author.endswith("[bot]")
    return not by_bot and comment.author.casefold() not in ours and _MARK not in comment.body


def may_give(said: Commented, command: Command) -> bool:
    """Tell whether somebody may give a command: who may write; a change's author may ask for a review."""
    if said.comment.trusted:
        return True
    own = bool(said.author) and said.comment.author == said.author
    return own and command.verb in (Verb.REVIEW, Verb.HELP) and not command.full


def permitted(
    said: Commented, command: Command, name: str, counts: Counts, limits: Limits = DEFAULT
) -> Permission:
    """Decide about a command, and count it."""
    if not is_heard(said, name) or not may_give(said, command):
        return Permission.PASSED_OVER
    change, person = _key(said.change.forge, said.change.host, str(said.change)), said.comment.author
    rows = [
        (f"change:{change}", limits.per_change, _HOUR),
        (f"person:{_key(said.change.forge, said.change.host, person)}", limits.per_person, _HOUR),
    ]
    if not said.comment.trusted:
        rows.append((f"author:{change}", limits.by_author, 24 * _HOUR))
    over = [counts.count(key, seconds) - most for key, most, seconds in rows]
    if max(over) <= 0:
        return Permission.GIVEN
    return Permission.TOO_MANY if max(over) == 1 else Permission.PASSED_OVER


def _key(*parts: str) -> str:
    """Name what is counted, whatever signs are in it."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
