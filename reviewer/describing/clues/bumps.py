"""Packages whose version changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from hunkwise.reviewer.describing.clues.clue import LONGEST_LINE
from hunkwise.reviewer.describing.facts import FileFacts, PathKind
from hunkwise.reviewer.diff.hunks import changes

_VERSION = re.compile(r"(?<![\w.])[v^~=<>]{0,2}(\d+(?:\.[\w-]+)+|v\d+)(?![\w.])")
_PACKAGE = re.compile(r"[@A-Za-z][\w@./:-]*[\w]")
_NO_PACKAGE = re.compile(
    r"uses|version|require|implementation|api|gem|from|image|indirect|true|false|v\d+", re.IGNORECASE
)
_ARTIFACT = re.compile(r"<artifactId>([\w.-]{1,80})<")


def bumps_of(files: Sequence[FileFacts]) -> Iterator[tuple[str, str, str]]:
    """Give the packages whose version changed, each once."""
    seen: set[tuple[str, str, str]] = set()
    for each in files:
        if each.kind not in (PathKind.DEPENDENCIES, PathKind.BUILD):
            continue
        for hunk in each.file.hunks:
            above: Mapping[int, str] = {
                id(line): found[1]
                for before, line in pairwise(hunk.lines)
                if (found := _ARTIFACT.search(before.text[:LONGEST_LINE]))
            }
            for run in changes(hunk):
                for old, new in zip(run.removed, run.added, strict=False):
                    bump = _bump(old.text[:LONGEST_LINE], new.text[:LONGEST_LINE], above.get(id(old), ""))
                    if bump and bump not in seen:
                        seen.add(bump)
                        yield bump


def _bump(old: str, new: str, above: str) -> tuple[str, str, str] | None:
    before, after = _VERSION.findall(old), _VERSION.findall(new)
    if len(before) != len(after) or not before or before == after:
        return None
    bare = _VERSION.sub("", old).replace('"', " ").replace("'", " ")
    if bare.split() != _VERSION.sub("", new).replace('"', " ").replace("'", " ").split():
        return None
    names = [word for word in _PACKAGE.findall(bare) if not _NO_PACKAGE.fullmatch(word)]
    name = above or next(iter(names), "").rstrip("@:")
    first, last = next((a, b) for a, b in zip(before, after, strict=True) if a != b)
    return (name, first, last) if name else None
