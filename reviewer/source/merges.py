"""What a merge changed by itself: what differs from all that was merged, line by line, as `git diff --cc` has it.

The rest was reviewed where it was written. For the diff a tree is made that holds the merge without what it
decided, so that one ordinary diff against that tree shows the decisions alone.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.source.git import PATHS_AT_ONCE, PLAIN_DIFF, Repository, blobs, run, run_within
from hunkwise.reviewer.source.worktree import LARGEST_FILE, LARGEST_TREE
from hunkwise.reviewer.types import FileDiff, Hunk, Line

# diff --raw -z --no-renames --no-abbrev: modes, ids, status, path
_ENTRY = re.compile(rb":\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) [A-Z]\0([^\0]*)\0")
_RENAMED = re.compile(rb":[^\0]* R\d*\0([^\0]*)\0([^\0]*)\0")
_GONE = b"000000"
_PATCH = ("-p", "-M", "-U0", "--text", *PLAIN_DIFF)


@dataclass(frozen=True, slots=True)
class Side:
    """The result of a merge: a commit, or the index if `head` is None."""

    repository: Repository
    head: str | None

    def diff(self, parent: str, *options: str) -> tuple[str, ...]:
        """The command that compares it with a parent."""
        if self.head is None:
            return ("diff-index", "--cached", "--ita-invisible-in-index", *options, parent)
        return ("diff-tree", "-r", *options, parent, self.head)


def known(side: Side, parents: Sequence[str], store: Repository, limits: Limits) -> str:
    """The tree of all that came from a parent as it is there; it is written to `store`."""
    differing = [_entries(side, parent) for parent in parents]
    decided = set(differing[0]).intersection(*differing[1:])
    merged = {path: differing[0][path] for path in decided if differing[0][path][0] != _GONE}
    contents = blobs(
        side.repository, {entry[1].decode() for entry in merged.values()}, LARGEST_FILE, LARGEST_TREE
    )
    patches = [_patches(side, parent, sorted(merged), limits) for parent in parents] if merged else []
    lines: list[bytes] = []
    for path, (mode, entry) in differing[0].items():
        if path not in decided:
            lines.append(_line(mode, entry, path))
        elif path in merged and all(path in found for found in patches):
            against = [found[path] for found in patches]
            before = _undecided(contents.get(entry.decode()), against)
            if before is not None and any(file.old_path for file in against):
                written = run(store, "hash-object", "-w", "--no-filters", "--stdin", data=before).strip()
                lines.append(_line(mode, written, path))
    lines.sort(key=lambda line: not line.startswith(_GONE))  # a file may have become a folder
    index = f"{store.environment['GIT_OBJECT_DIRECTORY']}/known-index"
    own = replace(store, environment={**store.environment, "GIT_INDEX_FILE": index})
    run(own, "read-tree", parents[0])
    run(own, "update-index", "-z", "--index-info", data=b"".join(lines))
    return run(own, "write-tree", "--missing-ok").decode().strip()


def _entries(side: Side, parent: str) -> dict[str, tuple[bytes, bytes]]:
    """Mode and id, in the merge, of each path that differs from a parent."""
    output = run(side.repository, *side.diff(parent, "--raw", "-z", "--no-renames", "--no-abbrev"))
    return {os.fsdecode(path): (mode, entry) for mode, entry, path in _ENTRY.findall(output)}


def _patches(side: Side, parent: str, paths: list[str], limits: Limits) -> dict[str, FileDiff]:
    """The changed lines of text files against a parent; without those over a limit."""
    renamed = run(side.repository, *side.diff(parent, "--raw", "-z", "-M", "-l1000", "--diff-filter=R"))
    old = {os.fsdecode(after): os.fsdecode(before) for before, after in _RENAMED.findall(renamed)}
    found: dict[str, FileDiff] = {}
    for at in range(0, len(paths), PATHS_AT_ONCE):
        some = paths[at : at + PATHS_AT_ONCE]
        both = sorted({*some, *(old[path] for path in some if path in old)})
        output = run_within(side.repository, limits.bytes, *side.diff(parent, *_PATCH), "--", *both)
        try:
            found |= {file.new_path: file for file in parse_diff(output, limits).files if file.new_path}
        except DiffError:
            continue
    return found


def _undecided(content: bytes | None, patches: Sequence[FileDiff]) -> bytes | None:
    """The merge's text as its nearest parent has it, where it differs from all; None if that is unknown."""
    if content is None:
        return None
    nearest = min(
        patches, key=lambda file: (file.old_path is None, sum(len(hunk.lines) for hunk in file.hunks))
    )
    lines = io.BytesIO(content).readlines()
    for hunk in reversed(nearest.hunks):
        if all(any(_meet(hunk, other) for other in file.hunks) for file in patches):
            start, end = _span(hunk)
            lines[start:end] = [_bytes(line) for line in hunk.removed]
    return b"".join(lines)


def _meet(one: Hunk, other: Hunk) -> bool:
    """Whether two changes of the same text share a line; of removed ones, whether they touch."""
    (start, end), (first, last) = _span(one), _span(other)
    if start == end or first == last:
        return max(start, first) <= min(end, last)
    return max(start, first) < min(end, last)


def _span(hunk: Hunk) -> tuple[int, int]:
    """The new lines of a hunk without context, 0-based, the end not counted."""
    start = hunk.new_start - 1 if hunk.new_length else hunk.new_start
    return start, start + hunk.new_length


def _bytes(line: Line) -> bytes:
    return line.text.encode() + (b"" if line.no_newline else b"\n")


def _line(mode: bytes, entry: bytes, path: str) -> bytes:
    return mode + b" " + entry + b"\t" + os.fsencode(path) + b"\0"
