"""Whether what a model wrote agrees with the lines: what it says is added was added, and so on."""

from __future__ import annotations

import re
from collections import Counter

from hunkwise.reviewer.describing.facts import Facts
from hunkwise.reviewer.types import FileStatus

_WORD = re.compile(r"\w+")
_ADDS = frozenset({"add", "adds", "added", "introduce", "implement", "create"})
_REMOVES = frozenset({"remove", "removes", "removed", "drop", "delete"})
_RENAMES = frozenset({"rename", "renames", "renamed", "move"})
_RELEASES = frozenset({"release", "bump", "upgrade"})
_NEVER = frozenset({"revert", "reverts", "reverted", "merge"})  # what no line of a change can tell
_BACK = re.compile(r"\b(?:to|from|in|into|of|for|so|which|that|by|when)\b")


def agrees(title: str, facts: Facts) -> bool:
    """Tell whether the first verb of a title agrees with the lines that hold the name behind it."""
    verb = title.split(" ")[0].lower()
    old, new = Counter[str](), Counter[str]()
    for each in facts.files:
        for line in (line for hunk in each.file.hunks for line in hunk.lines if line.kind != "context"):
            (new if line.kind == "added" else old).update(_WORD.findall(line.text))
        new.update(_WORD.findall(each.path) if each.status is FileStatus.ADDED else ())
        old.update(_WORD.findall(each.path) if each.status is FileStatus.DELETED else ())
    named = title.split("`")[1::2]
    direct = _BACK.split(title, maxsplit=1)[0].split("`")[1::2]

    def more(names: list[str], side: Counter[str], other: Counter[str]) -> bool:
        return all(side[word] > other[word] for name in names for word in _WORD.findall(name)[-1:])

    if verb in _NEVER:
        return False
    if verb in _ADDS:
        return more(direct, new, old) and bool(new)
    if verb in _REMOVES:
        return more(direct, old, new) and bool(old)
    if verb in _RENAMES:
        return len(named) < 2 or (more(named[:1], old, new) and more(named[1:2], new, old))
    if verb in _RELEASES:
        return bool(old) and bool(named) and more(named[-1:], new, old)
    return True
