"""What reviews say that commits of real projects break elsewhere: every remark, to be read.

    python benchmarks/reach.py CLONE … [--commits 25] [--only all|changed|partly|files]

`all` draws ordinary commits; `changed` those that alter or remove a definition; `partly` takes of such a commit,
with several files, the one file with most of that, over the commit before: what the others did for it is missing.
Then a place is confirmed where the whole commit altered its line, which is what its author thought of it.
`files` takes files of HEAD, as many as `--commits`, as though each line were new: what was left in a copy.
No more than 60 files a commit, and none that merges. The draw is the same each time.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.knowledge.reach.reach import altered, reach
from hunkwise.reviewer.knowledge.reach.slips import slips
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.source.git import Repository, blobs, repository
from hunkwise.reviewer.source.local import commit
from hunkwise.reviewer.types import Change

_MADE = re.compile(r"vendor|node_modules|third_party|\.min\.|generated|dist/")
_MOST_FILES = 60
_AT_ONCE = 100  # files that are read at once
_NEWEST = 3000  # commits that are drawn from
_MOST = 10_000_000  # bytes of a file
_CALL = 24  # lines that a call may go on for
_SHARES = (0.5, 0.9, 1.0)  # of the commits, for the time by the clock
_PATIENCE = 60.0  # seconds for one commit: what is measured is what is said, not the machine


def main() -> None:
    """Draw, look, print."""
    arguments = _arguments()
    seen: Counter[str] = Counter()
    seconds: list[float] = []
    for clone in arguments.clones:
        repo = repository(clone, os.environ)
        if arguments.only == "files":
            seen.update(_copies(repo, clone, arguments.commits))
            continue
        for change, base in _drawn(repo, clone, arguments.commits, arguments.only):
            assert change.head is not None
            start = time.perf_counter()
            found = reach(change, repo, base, _PATIENCE)
            seconds.append(time.perf_counter() - start)
            seen.update(commits=1, late=found.late, spoken=bool(found.broken))
            for each in found.broken:
                unaltered = [p for p in each.places if not _altered(repo, p.path, p.line, base, change.head)]
                judged = "" if base == change.head else "confirmed" if not unaltered else "unconfirmed"
                seen[f"{each.kind} {judged}".strip()] += 1
                print(f"{clone} {change.head} {each.file.path}:{each.line} {each.kind} {each.name} {judged}")
                print(f"    {each.before}\n    {each.now}")
                for place in each.places if not judged else unaltered or each.places[:1]:
                    print(f"    {place.path}:{place.line} {place.why}", flush=True)
    print(dict(seen), *(f"{share:.0%} of them within {_within(seconds, share):.2f} s" for share in _SHARES))


def _within(seconds: list[float], share: float) -> float:
    """The least time in which that share was done."""
    return sorted(seconds)[math.ceil(share * len(seconds)) - 1] if seconds else 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=25, help="of each clone")
    parser.add_argument("--only", choices=("all", "changed", "partly", "files"), default="all")
    return parser.parse_args()


def _altered(repo: Repository, path: str, line: int, base: str, head: str) -> bool:
    """Tell whether a commit altered a line of the one before."""
    before, after = (blobs(repo, [f"{side}:{path}"], _MOST, _MOST) for side in (base, head))
    old = before.get(f"{base}:{path}", b"").split(b"\n")
    new = after.get(f"{head}:{path}", b"").split(b"\n")
    text = old[line - 1] if line <= len(old) else b""
    near = old[line - 1 : line + _CALL]
    return new.count(text) < old.count(text) or not any(
        new[at : at + len(near)] == near for at in range(len(new))
    )


def _copies(repo: Repository, clone: Path, count: int) -> Iterator[str]:
    """Look for slips in files, and say what was counted."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=clone, capture_output=True, check=True
    )
    paths = [path for path in sorted(set(os.fsdecode(listed.stdout).split("\n"))) if language_of(path)]
    paths = [path for path in paths if not _MADE.search(path)]
    random.Random(6).shuffle(paths)
    for at in range(0, min(count, len(paths)), _AT_ONCE):
        names = {f"HEAD:{path}": path for path in paths[at : min(count, at + _AT_ONCE)]}
        for name, content in blobs(repo, names, _MOST, _MOST).items():
            lines = content.decode("utf-8", "replace").split("\n")
            yield "files"
            for one in slips(lines, range(1, len(lines) + 1)):
                yield "copy"
                said = f"`{one.name}` and not `{one.renamed}`: {lines[one.line - 1].strip()}"
                print(f"{clone} {names[name]}:{one.line} {said}", flush=True)


def _drawn(repo: Repository, clone: Path, count: int, only: str) -> Iterator[tuple[Change, str]]:
    """Give changes, each with the commit that its files lie over."""
    command = ["git", "rev-list", "--no-merges", f"--max-count={_NEWEST}", "HEAD"]
    listed = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout.split()
    random.Random(7).shuffle(listed)
    for name in listed:
        if not count:
            return
        try:
            change = commit(clone, name, Limits(), os.environ)
        except ReviewError:
            continue
        files = tuple(file for file in change.files if file.hunks)
        if not files or len(files) > _MOST_FILES or change.head is None:
            continue
        base = change.head
        if only != "all":
            touched = altered(change, repo, base, _PATIENCE)
            if not touched or (only == "partly" and (len(files) < 2 or change.base is None)):
                continue
            if only == "partly":
                most = Counter(file.key for file, _, _ in touched).most_common(1)[0][0]
                alone = tuple(file for file in files if file.key == most)
                texts = {p: text for p, text in change.new_texts.items() if p in {f.new_path for f in alone}}
                change = replace(change, files=alone, new_texts=texts)
                base = change.base or base
        count -= 1
        yield change, base


if __name__ == "__main__":
    main()
