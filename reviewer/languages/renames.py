"""Names that a change gives a new name wherever they hold: such a rename changes nothing, and is no evidence.

A sound fact as far as the file goes: the old name is gone from the file, or from the functions around the change,
the new one was not there before, and the name is defined there, so that it is ours to rename. Uses in other files
are a compiler's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from hunkwise.reviewer.diff.hunks import changes, numbered
from hunkwise.reviewer.languages.functions import enclosing
from hunkwise.reviewer.types import FileDiff, Hunk

FEWEST = 2  # places; one name in place of another, once, is how a wrong variable looks
LONGEST_COMPARED = 600  # words of a change whose sides are not of one length; comparing takes quadratic time
MOST_LOCAL = 50  # names that are looked for by function, and places of each

_NAME = re.compile(r"(?:\.|->)?[^\W\d]\w*")  # a field is another name than a variable that is spelled like it
_WORD = re.compile(rf"{_NAME.pattern}|\d\w*|\n|\S")
_BEFORE_VALUES = re.compile(
    r"return|in|is|not|and|or|if|elif|else|while|until|unless|when|case|new|await|yield|throw|raise|del|delete|assert"
    r"|go|defer|print|echo|typeof|instanceof|do|with|match|switch"
)

Pair = tuple[str, str]


def renames(file: FileDiff, text: str | None) -> Mapping[str, str]:
    """Find what is renamed throughout a file or function, old name to new; `text` is the file after the change."""
    places: dict[Pair, list[Hunk]] = {}
    seen: Counter[Pair] = Counter()
    defined: set[Pair] = set()
    for change in (part for hunk in file.hunks for part in changes(hunk)):
        old, new = words_of(change, "removed"), words_of(change, "added")
        for at, pair in _aligned(old, new):
            if pair[0] != pair[1] and all(_NAME.fullmatch(word) for word in pair):
                places.setdefault(pair, []).append(change)
                seen[_bare(pair)] += 1
                if is_definition(old, at):
                    defined.add(_bare(pair))
    likely = [pair for pair in places if seen[_bare(pair)] >= FEWEST and _bare(pair) in defined]
    after = new_lines(file, text)
    found = _gone(likely, file, after, after.keys())
    for pair in likely[:MOST_LOCAL]:
        where = places[pair]
        if pair not in found and pair == _bare(pair) and len(where) <= MOST_LOCAL:
            scope = functions_around(where, after)
            found += _gone([pair], file, after, scope) if scope else []
    olds, news = (Counter(side) for side in zip(*found, strict=True)) if found else (Counter(), Counter())
    return {old: new for old, new in found if olds[old] == news[new] == 1}


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, Pair]]:
    """Put words beside each other, each pair with its place among the old ones.

    Where more words came than went, or fewer, those between equal ones: as many on both sides, else the last ones.
    """
    if len(old) == len(new):
        yield from enumerate(zip(old, new, strict=True))
    elif max(len(old), len(new)) <= LONGEST_COMPARED:
        for kind, i, j, k, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "replace":
                count = j - i if j - i == end - k else 1
                yield from enumerate(zip(old[j - count : j], new[end - count : end], strict=True), j - count)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Give a text with the new names."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text) if names else text


def _bare(pair: Pair) -> Pair:
    """Give the names without the mark of a field: a method is defined without it."""
    return pair[0].lstrip(".->"), pair[1].lstrip(".->")


def words_of(change: Hunk, kind: str) -> list[str]:
    """Give the words of the removed or of the added lines with any; the end of a line is one too."""
    return words_in("\n".join(line.text for line in change.lines if line.kind == kind and line.text.strip()))


def words_in(text: str) -> list[str]:
    """Cut a text into names (a field with its dot), numbers, signs and line ends."""
    return _WORD.findall(text)


def new_lines(file: FileDiff, text: str | None) -> Mapping[int, str]:
    """Give the file after the change by number, as far as it is known."""
    if text is not None:
        return numbered(text)
    lines = (line for hunk in file.hunks for line in hunk.lines)
    return {line.new_no: line.text for line in lines if line.new_no is not None}


def functions_around(places: Sequence[Hunk], after: Mapping[int, str]) -> set[int]:
    """Give the lines of the functions that hold these places; none if one of the places stands in no function."""
    scopes = [enclosing(after, place) for place in places]
    return {number for scope in scopes if scope for number in scope} if all(scopes) else set()


def _gone(
    pairs: Sequence[Pair], file: FileDiff, after: Mapping[int, str], numbers: Collection[int]
) -> list[Pair]:
    """Keep the pairs whose old name is gone from these lines, where the new one was not before."""
    added = {line.new_no for hunk in file.hunks for line in hunk.added}
    now = {number: after[number] for number in numbers if number in after}
    kept = [text for number, text in now.items() if number not in added]
    new, old = names_in(now.values()), names_in([*kept, *_removed(file, now)])
    return [pair for pair in pairs if pair[0] not in new and pair[1] not in old]


def _removed(file: FileDiff, now: Mapping[int, str]) -> Iterator[str]:
    """Give the removed lines that stood among the lines `now`."""
    for hunk in file.hunks:
        at = hunk.new_start
        for line in hunk.lines:
            if line.kind == "removed" and (at in now or at - 1 in now):
                yield line.text
            at = line.new_no + 1 if line.new_no is not None else at


def names_in(lines: Iterable[str]) -> set[str]:
    """Collect the names that stand in the lines."""
    return {name for line in lines for name in _NAME.findall(line)}


def is_definition(words: Sequence[str], at: int) -> bool:
    """Guess whether the name at a place is defined there: it is assigned, or stands behind a type or a keyword."""
    before = words[at - 1] if at and words[at] == words[at].lstrip(".->") else ""
    after = "".join(words[at + 1 : at + 3])
    if (after.startswith("=") and after != "==") or after == ":=" or _is_unpacked(words, at):
        return True
    return _NAME.fullmatch(before) is not None and not _BEFORE_VALUES.fullmatch(before)


def _is_unpacked(words: Sequence[str], at: int) -> bool:
    """Tell whether a name is one of several at the beginning of a line that get their values at once."""
    first = last = at
    while first > 1 and words[first - 1] == "," and _NAME.fullmatch(words[first - 2]):
        first -= 2
    while last + 2 < len(words) and words[last + 1] == "," and _NAME.fullmatch(words[last + 2]):
        last += 2
    if first == last or (first and words[first - 1] != "\n"):
        return False
    after = "".join(words[last + 1 : last + 3])
    return (after.startswith("=") and after != "==") or after == ":="
