"""The same words put for the same words at several places of a change: done on purpose, and no slip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from hunkwise.reviewer.judge.likelihood.blocks import blocks
from hunkwise.reviewer.types import FileDiff, Line, Replacement

MOST_WORDS = 200  # of a side; comparing takes quadratic time
LONGEST = 10_000  # characters of a side

_WORD = re.compile(r"\w+|[^\w\s]")


def replacement(lines: Sequence[Line]) -> Replacement | None:
    """Give what a block puts for what; None where it only adds or removes, or is long."""
    old, new = (_words(line.text for line in lines if line.kind == kind) for kind in ("removed", "added"))
    if not old or not new or max(len(old), len(new)) > MOST_WORDS:
        return None
    parts = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return frozenset(
        (" ".join(old[i:j]), " ".join(new[k:m])) for kind, i, j, k, m in parts if kind != "equal"
    )


def repeated(files: Iterable[FileDiff]) -> frozenset[Replacement]:
    """Find the replacements that are made in more than one block."""
    made = Counter(
        found
        for file in files
        for hunk in file.hunks
        for block in blocks(hunk)
        if (found := replacement(hunk.lines[block.start : block.stop]))
    )
    return frozenset(found for found, count in made.items() if count > 1)


def _words(texts: Iterable[str]) -> list[str]:
    return _WORD.findall("\n".join(texts)[:LONGEST])
