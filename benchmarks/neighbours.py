"""New calls beside older calls of the same callee: is the one that is done otherwise wrong?

    .venv/bin/python benchmarks/neighbours.py CLONE … [--commits 1000] [--share 0.9]

A call is told by the last two names of what is called. Of the older ones, in other places of the repository (at
most 40, drawn), at least five in two files and at least the share must do something with the call that the new one
does not: await it, look at its result, use it, close it, hold a lock, catch what it raises; or have two arguments
of the same names in the other order. Each such remark on added lines is printed, to be read. And of small commits
(40 lines of code at most) that gave a call one of these: would it have been said of the call before? Code of tests
is left out. The clones are parsed in this process, so take some that you trust. The draw is the same each time.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from traits import LARGEST, Call, callee, nodes, read

from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.source.git import Repository, blobs, repository
from hunkwise.reviewer.source.local import commit
from hunkwise.reviewer.source.provenance import is_test
from hunkwise.reviewer.types import Change, FileDiff

LEAST, FILES, MOST = 5, 2, 40  # older calls
SMALL = 40  # lines of code of a commit that mends a call
AGAIN = 250  # commits after which the older calls are looked for again
_MADE = re.compile(
    r"vendor/|node_modules|third_party|\.min\.|generated|dist/|\.pb\.|(?:^|/)(?:docs?|examples?|deps)/"
)


@dataclass
class Older:
    """The calls of a tree by language and callee: where they are, and what is done with those asked for."""

    texts: Mapping[str, str]
    places: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    known: dict[tuple[str, str], list[tuple[str, Call]]] = field(default_factory=dict)

    def of(self, path: str, call: Call) -> list[tuple[str, Call]]:
        """Give older calls of the same callee, without the call itself; [] for too few."""
        key = (language_of(path), call.callee)
        if key not in self.known:
            rows = self.places.get(key, [])
            drawn = sorted(random.Random(1).sample(rows, MOST) if len(rows) > MOST else rows)
            self.known[key] = [(at, read(nodes(key[0], self.texts[at])[n])) for at, n in drawn]
        found = [(at, one) for at, one in self.known[key] if (at, one.text) != (path, call.text)]
        return found if len(found) >= LEAST and len({at for at, _ in found}) >= FILES else []


def older(repo: Repository, clone: Path, name: str) -> Older:
    """Find the calls of a tree."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", name], cwd=clone, capture_output=True, check=True
    )
    paths = [path for path in os.fsdecode(listed.stdout).split("\n") if is_read(path)]
    texts = {
        key.partition(":")[2]: content.decode("utf-8", "replace")
        for key, content in blobs(repo, [f"{name}:{path}" for path in paths], LARGEST, 200_000_000).items()
    }
    found = Older(texts)
    for path, text in texts.items():
        for number, node in enumerate(nodes(language_of(path), text)):
            if name_of := callee(node):
                found.places[language_of(path), name_of].append((path, number))
    return found


def is_read(path: str) -> bool:
    """Tell whether a file is code that somebody wrote, and no test."""
    return bool(language_of(path)) and not _MADE.search(path) and not is_test(path)


def otherwise(call: Call, neighbours: Sequence[tuple[str, Call]], share: float) -> list[str]:
    """Give what the neighbours do and a call does not."""
    bar = share * len(neighbours)
    found = [
        each
        for each in call.lacks()
        if neighbours and sum(each in one.traits for _, one in neighbours) >= bar
    ]
    return found + (["order"] if _swapped(call, [one for _, one in neighbours]) else [])


def _swapped(call: Call, neighbours: Sequence[Call]) -> bool:
    names = [_last(one) for one in call.arguments]
    others = [
        [_last(one) for one in each.arguments] for each in neighbours if len(each.arguments) == len(names)
    ]
    for i, one in enumerate(names):
        for j in range(i + 1, len(names)):
            if one and names[j] and one != names[j]:
                pairs = [(each[i], each[j]) for each in others]
                if pairs.count((names[j], one)) >= 2 and (one, names[j]) not in pairs:
                    return True
    return False


def _last(argument: str) -> str:
    found = re.fullmatch(r"[&*]?(?:\w+(?:\.|->))*([A-Za-z_]\w*)", argument)
    return found[1].lower() if found else ""


def calls(path: str, text: str, lines: set[int]) -> list[Call]:
    """Read the calls that start on some lines."""
    found = (node for node in nodes(language_of(path), text) if node.range().start.line + 1 in lines)
    return [read(node) for node in found if callee(node)]


def mended(old: Sequence[Call], new: Sequence[Call]) -> Iterator[tuple[Call, str]]:
    """Give the calls with which something is done now that was not before."""
    before: dict[str, list[Call]] = defaultdict(list)
    after: dict[str, list[Call]] = defaultdict(list)
    for of, group in ((old, before), (new, after)):
        for each in of:
            group[each.callee].append(each)
    for name, rows in before.items():
        for was, now in zip(rows, after[name], strict=False) if len(rows) == len(after[name]) else ():
            for trait in was.lacks():
                if trait in now.traits:
                    yield was, trait
            if was.arguments != now.arguments and sorted(was.arguments) == sorted(now.arguments):
                yield was, "order"


def main() -> None:
    """Look at the commits of each clone, the oldest first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=1000, help="of each clone, the newest")
    parser.add_argument("--share", type=float, default=0.9)
    asked = parser.parse_args()
    seen: Counter[str] = Counter()
    for clone in asked.clones:
        repo = repository(clone, os.environ)
        command = ["git", "rev-list", "--no-merges", f"--max-count={asked.commits}", "HEAD"]
        listed = subprocess.run(
            command, cwd=clone, capture_output=True, text=True, check=True
        ).stdout.split()[::-1]
        around = None
        for number, name in enumerate(listed):
            if around is None or number % AGAIN == 0:
                around = older(repo, clone, f"{name}^")
            try:
                change = commit(clone, name, Limits(), os.environ)
            except ReviewError:
                continue
            seen["commits"] += 1
            seen.update(look(clone.parent.name, name, change, around, asked.share))
        print(f"{clone}: {dict(seen)}", flush=True)


def look(project: str, name: str, change: Change, around: Older, share: float) -> Iterator[str]:
    """Print what would be said of a commit; give what is to be counted."""
    files = [file for file in change.files if file.new_path and is_read(file.new_path) and not file.part]
    small = sum(len(hunk.added) + len(hunk.removed) for file in files for hunk in file.hunks) <= SMALL
    moved = {line.text.strip() for file in change.files for hunk in file.hunks for line in hunk.removed}
    for file in files:
        text, old = change.new_texts.get(file.new_path or ""), change.old_texts.get(file.old_path or "")
        if text is None:
            continue
        lines = text.split("\n")
        added = {line.new_no or 0 for hunk in file.hunks for line in hunk.added}
        yield from ["lines"] * len(added)
        for call in calls(file.path, text, {at for at in added if lines[at - 1].strip() not in moved}):
            neighbours = around.of(file.path, call)
            yield "new calls with neighbours" if neighbours else "new calls without"
            for each in otherwise(call, neighbours, share):
                yield f"said: {each}"
                print(
                    f"{project} {name[:10]} {file.path}:{call.line} {each} ({len(neighbours)}): {call.text!r}",
                    flush=True,
                )
        if small and old is not None:
            yield from _mendings(project, name, file, (old, text), around, share)


def _mendings(
    project: str, name: str, file: FileDiff, texts: tuple[str, str], around: Older, share: float
) -> Iterator[str]:
    starts = [[hunk.old_start for hunk in file.hunks], [hunk.new_start for hunk in file.hunks]]
    near = [{at for start in each for at in range(start - SMALL, start + SMALL)} for each in starts]
    old, new = (calls(file.path, text, lines) for text, lines in zip(texts, near, strict=True))
    for call, trait in mended(old, new):
        neighbours = around.of(file.path, call)
        told = trait in otherwise(call, neighbours, share)
        yield f"mended: {trait}"
        yield from [f"mended with neighbours: {trait}"] if neighbours else []
        yield from [f"mended and said: {trait}"] if told else []
        if told:
            print(
                f"{project} {name[:10]} {file.old_path}:{call.line} {trait} MENDED: {call.text!r}", flush=True
            )


if __name__ == "__main__":
    main()
