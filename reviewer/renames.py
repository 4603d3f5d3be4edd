"""Names that a change gives a new name throughout a file: such a rename changes nothing, and is no evidence.

A sound fact as far as the file goes: the old name is gone from it, the new one was not in it before, each place
has the same pair, and the name is defined here, so that it is ours to rename. Uses in other files are a
compiler's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from hunkwise.reviewer.types import FileDiff, Line

FEWEST = 2  # places; one name in place of another, once, is how a wrong variable looks

_WORD = re.compile(r"[^\W\d]\w*|\d\w*|\n|\S")
_NAME = re.compile(r"[^\W\d]\w*")
_BEFORE_VALUES = re.compile(
    r"return|in|is|not|and|or|if|elif|else|while|until|unless|when|case|new|await|yield|throw|raise|del|delete|assert"
    r"|go|defer|print|echo|typeof|instanceof|do|with|match|switch"
)


@lru_cache(maxsize=2)  # hunks of a file come one after the other
def renames(file: FileDiff, text: str | None) -> Mapping[str, str]:
    """Find what is renamed throughout a file, old name to new; `text` is the file after the change, if known."""
    pairs: Counter[tuple[str, str]] = Counter()
    defined: set[tuple[str, str]] = set()
    for removed, added in _replacements(file):
        old, new = (_WORD.findall("\n".join(side)) for side in (removed, added))
        if len(old) != len(new):
            continue
        for at, pair in enumerate(zip(old, new, strict=True)):
            if pair[0] != pair[1] and all(_NAME.fullmatch(word) for word in pair):
                pairs[pair] += 1
                if _is_definition(old, at):
                    defined.add(pair)
    before, after = _names(file, text)
    found = [
        (old, new)
        for (old, new), count in pairs.items()
        if count >= FEWEST and (old, new) in defined and old not in after and new not in before
    ]
    olds, news = (Counter(side) for side in zip(*found, strict=True)) if found else (Counter(), Counter())
    return {old: new for old, new in found if olds[old] == news[new] == 1}


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Give a text with the new names."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text) if names else text


def _replacements(file: FileDiff) -> Iterator[tuple[list[str], list[str]]]:
    """Give the removed and the added lines of each run of changed lines that has both."""
    for hunk in file.hunks:
        for changed, group in groupby(hunk.lines, key=lambda line: line.kind != "context"):
            run: Sequence[Line] = tuple(group)
            removed = [line.text for line in run if line.kind == "removed"]
            added = [line.text for line in run if line.kind == "added"]
            if changed and removed and added:
                yield removed, added


def _names(file: FileDiff, text: str | None) -> tuple[set[str], set[str]]:
    """Collect the names before and after the change, as far as the file is known."""
    lines = [line for hunk in file.hunks for line in hunk.lines]
    after = {line.new_no: line.text for line in lines if line.new_no is not None}
    if text is not None:
        after = dict(enumerate(text.split("\n"), 1))
    added = {line.new_no for line in lines if line.kind == "added"}
    before = [line.text for line in lines if line.kind == "removed"]
    before += [line for number, line in after.items() if number not in added]
    return set(_NAME.findall("\n".join(before))), set(_NAME.findall("\n".join(after.values())))


def _is_definition(words: Sequence[str], at: int) -> bool:
    """Guess whether the name at a place is defined there: it is assigned, or stands behind a type or a keyword."""
    before = words[at - 1] if at else ""
    after = "".join(words[at + 1 : at + 3])
    if (after.startswith("=") and after != "==") or after == ":=":
        return True
    return _NAME.fullmatch(before) is not None and not _BEFORE_VALUES.fullmatch(before)
