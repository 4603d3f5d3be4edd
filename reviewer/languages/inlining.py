"""Names that a change puts the value in place of: `const self = this` went, and `self.name` is `this.name` now.

A sound fact as far as the file goes: the one line that defined the name is gone, so is the name, from the file or
from the functions around the change, and its value stands in the new lines at least as often as it was used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from hunkwise.reviewer.diff.hunks import changes
from hunkwise.reviewer.languages.renames import functions_around, names_in, new_lines, words_in, words_of
from hunkwise.reviewer.types import FileDiff, Hunk

LONGEST = 200  # characters of a line that defines a name
MOST = 50  # names that are looked for, and places of each

_DECLARED = r"\s*(?:[\w<>\[\]*&?]+\s+)*[*&]*"  # const, a type
_TYPE = r"(?:\s*:\s*[\w.<>\[\]]+)?"
_DEFINITION = re.compile(
    rf"{_DECLARED}(?P<name>[^\W\d]\w*){_TYPE}\s*:?=(?!=)\s*(?P<value>.*[\w)\]}}\"'])\s*;?\s*"
)
_OF_ITSELF = re.compile(rf"{_DECLARED}(?P<value>\S.*?){_TYPE}\s*:?=\s*(?P=value)\s*;?\s*")


def inlined(file: FileDiff, text: str | None) -> Mapping[str, str]:
    """Find the names whose value took their place, name to value; `text` is the file after the change."""
    parts = [part for hunk in file.hunks for part in changes(hunk)]
    values: dict[str, list[str]] = {}
    for line in (line for part in parts for line in part.lines if line.kind == "removed"):
        if len(line.text) <= LONGEST and (found := _DEFINITION.fullmatch(line.text)):
            values.setdefault(found["name"], []).append(found["value"])
    old = [Counter(words_of(part, "removed")) for part in parts]
    new = [_joined(words_of(part, "added")) for part in parts]
    after = new_lines(file, text)
    names: dict[str, str] = {}
    for name, value in [(name, given[0]) for name, given in values.items() if len(given) == 1][:MOST]:
        uses = sum(words[name] for words in old) - 1  # less the definition
        said = _joined(words_in(value))
        told = sum(words.count(said) for words in new)
        places = [part for part, words in zip(parts, old, strict=True) if words[name]]
        if 1 <= uses <= told and _is_gone(name, places, after):
            names[name] = value
    return names


def defines_itself(line: str) -> bool:
    """Tell whether a line says `this = this`: so reads the definition of a name that was inlined."""
    return len(line) <= 2 * LONGEST and _OF_ITSELF.fullmatch(line) is not None


def _joined(words: Sequence[str]) -> str:
    """Write words so that one sequence of them is found in another as text in a text."""
    return "".join(f"\0{word}\0" for word in words)


def _is_gone(name: str, places: Sequence[Hunk], after: Mapping[int, str]) -> bool:
    """Tell whether a name is gone from the file, or from the functions that hold its places."""
    if name not in names_in(after.values()):
        return True
    scope = functions_around(places, after) if len(places) <= MOST else set()
    return bool(scope) and name not in names_in(after[number] for number in scope if number in after)
