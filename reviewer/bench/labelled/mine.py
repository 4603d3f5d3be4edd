"""Bugs that people really made, found in a history: a fix, and the commit that wrote what the fix removes.

The way is that of Śliwerski, Zimmermann and Zeller (SZZ, 2005), with filters that leave few false ones: small
fixes of code alone, lines that one commit wrote, no style, no tests. A candidate is still no proof: read some.
Ordinary commits, drawn at random, stand beside them: most are right, and a reviewer should be silent on them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hunkwise.reviewer.checks.files import language_of
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.languages.comments import code_of, codes
from hunkwise.reviewer.source.ci import Variables
from hunkwise.reviewer.source.commits import commit_id
from hunkwise.reviewer.source.git import PLAIN_DIFF, Repository, repository, run
from hunkwise.reviewer.source.provenance import is_test
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.types import FileDiff, FileStatus, Line

MOST_FIX_LINES = 12  # of code that a fix removes or adds, in one file
MOST_ORIGIN_LINES = 200  # that the commit of the bug changes in that file, or an ordinary one in code
LEAST_WORDS = 4  # of a fix's subject
MOST_FILES = 40  # of a commit of the bug; a larger one is an import or a sweep
LARGEST_FILE = 400_000  # bytes
_CONTEXT = "-U10"

_FIXES = re.compile(
    r"\b(?:fix(?:e[sd]|ing)?|bug(?:fix)?|crash(?:es|ed)?|leak(?:s|ed)?|race|deadlock|overflow|regression|panics?|"
    r"segfault|npe|null pointer|nil pointer|incorrect(?:ly)?|wrong(?:ly)?|off.by.one|broken|infinite loop)\b",
    re.IGNORECASE,
)
_NO_FIX = re.compile(
    r"\b(?:typos?|docs?|documentation|readme|comments?|lint\w*|format\w*|style|whitespace|tests?|ci|builds?|bump|"
    r"merge|revert\w*|changelog|renam\w+|refactor\w*|flak[ey]\w*|warnings?|spelling|grammar|wording|clean.?up|"
    r"imports?|compil\w+|types?|typing|mypy|deps|dependenc\w+|release|version|log(?:ging)? message|links?|"
    r"example|deprecat\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of one parent."""

    id: str
    parent: str
    date: str  # ISO 8601
    subject: str


def mine(
    folder: Path, most: int, environ: Variables, start: str = "HEAD", depth: int = 20_000
) -> Iterator[dict[str, Any]]:
    """Give at most `most` candidates in the form of `bench`, the newest fixes' first, of the last `depth` commits.

    Raises GitError.
    """
    repo = repository(folder, environ)
    name = (repo.top or repo.git_dir).name.removesuffix(".git")
    seen: set[tuple[str, str]] = set()
    for fix in _commits(repo, commit_id(repo, start), f"--max-count={depth}", "--no-merges"):
        if len(seen) >= most:
            return
        if not _says_fix(fix.subject):
            continue
        found = _origin(repo, fix)
        if found is None or (found[0], found[1]) in seen:
            continue
        case = _case(repo, name, fix, *found)
        if case is not None:
            seen.add((found[0], found[1]))
            yield case


def _says_fix(subject: str) -> bool:
    told = len(subject.split()) >= LEAST_WORDS  # "fix", "fix: tcp" are as often work on something new
    return told and bool(_FIXES.search(subject)) and not _NO_FIX.search(subject)


def _commits(repo: Repository, start: str, *options: str) -> Iterator[Commit]:
    """Give the commits of one parent that led to one, that one included, newest first."""
    listed = run(repo, "log", *options, "--format=%H%x1f%P%x1f%cI%x1f%s%x1e", start)
    for record in listed.decode("utf-8", "replace").split("\x1e"):
        fields = record.strip("\n").split("\x1f")
        if len(fields) == 4 and fields[1] and " " not in fields[1]:
            yield Commit(*fields)


def _diff(repo: Repository, commit: Commit, context: str, *paths: str) -> bytes:
    return run(repo, "diff-tree", "-p", "-M", context, *PLAIN_DIFF, commit.parent, commit.id, "--", *paths)


def _origin(repo: Repository, fix: Commit) -> tuple[str, str, tuple[int, ...]] | None:
    """Find the one commit that wrote what a fix removes: its id, the file's path then, and its lines there."""
    change = parse_diff(_diff(repo, fix, "-U0"))
    code = [file for file in change.files if language_of(file.path) and not is_test(file.path)]
    others = [file for file in change.files if file not in code and not is_test(file.path)]
    if len(code) != 1 or any(language_of(file.path) for file in others):
        return None
    (file,) = code
    removed = [line for hunk in file.hunks for line in hunk.removed if _is_code(line)]
    added = [line for hunk in file.hunks for line in hunk.added if _is_code(line)]
    if not removed or max(len(removed), len(added)) > MOST_FIX_LINES or file.old_path != file.new_path:
        return None
    if _only_layout(removed, added):
        return None
    wrote = set(_blamed(repo, fix.parent, file.path, [line.old_no or 0 for line in removed]))
    if len({(commit, path) for commit, path, _ in wrote}) != 1 or "" in {commit for commit, _, _ in wrote}:
        return None
    commit, path, _ = next(iter(wrote))
    return commit, path, tuple(sorted(line for _, _, line in wrote))


def _is_code(line: Line) -> bool:
    text = line.text.strip()
    return len(text) > 2 and not text.startswith(
        ("#", "//", "/*", "*", "--", "import ", "from ", "use ", "using ")
    )


def _only_layout(removed: Sequence[Line], added: Sequence[Line]) -> bool:
    """Tell whether a fix changes nothing but blanks, or the words of a text."""

    def bare(lines: Sequence[Line]) -> str:
        return re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\s+", "", "".join(line.text for line in lines))

    return bare(removed) == bare(added)


def _blamed(repo: Repository, commit: str, path: str, lines: Sequence[int]) -> Iterator[tuple[str, str, int]]:
    """Tell who wrote each line: commit, path and line there; no commit for one of the first commit."""
    ranges = [f"-L{line},{line}" for line in lines]
    told = run(repo, "blame", "--line-porcelain", "-w", "-M", *ranges, commit, "--", path)
    name, at, then, first = "", 0, path, False
    for record in told.split(b"\n"):
        if record.startswith(b"\t"):  # the line itself: it ends what is told of it
            yield "" if first else name, then, at
            name, then, first = "", path, False
        elif not name and record:
            head = record.decode("ascii", "replace").split()
            name, at = head[0], int(head[1])
        elif record == b"boundary":
            first = True
        elif record.startswith(b"filename "):
            then = record.removeprefix(b"filename ").decode("utf-8", "surrogateescape")


def _case(
    repo: Repository, project: str, fix: Commit, origin: str, path: str, lines: tuple[int, ...]
) -> dict[str, Any] | None:
    """Write a candidate in the form of `bench`; None where it is no change that one could have reviewed."""
    made = next(_commits(repo, origin, "-1"), None)
    if made is None:
        return None
    names = run(repo, "diff-tree", "-r", "--name-only", "-z", made.parent, made.id).count(b"\0")
    if names > MOST_FILES:
        return None
    diff = _diff(repo, made, _CONTEXT, path)
    change = parse_diff(diff)
    if len(change.files) != 1 or not select(change)[0]:
        return None
    (file,) = change.files
    text = _text(repo, made.id, path)
    added = {line.new_no: line for hunk in file.hunks for line in hunk.added}
    if text is None or not _all_code(file, text, [added.get(number) for number in lines]):
        return None
    size = (len(added), sum(len(hunk.removed) for hunk in file.hunks))
    if sum(size) > MOST_ORIGIN_LINES:
        return None
    changed = any(hunk.removed for hunk in file.hunks if {line.new_no for line in hunk.added} & set(lines))
    return {
        "id": f"mined/{project}/{made.id[:10]}",
        "source": "mined",
        "project": project,
        "language": language_of(path, text),
        "kind": "bug-introducing",
        "file_path": path,
        "diff": decode(diff),
        "new_file": text,
        "added": size[0],
        "removed": size[1],
        "date": made.date,
        "group": f"mined/{project}/{made.id[:10]}",
        "bug_lines": list(lines),
        "description": fix.subject,
        "defect_form": "changed" if changed else "added",
        "fix": fix.id,
    }


def _all_code(file: FileDiff, text: str, lines: Sequence[Line | None]) -> bool:
    """Tell whether the lines are ones that the change wrote, and code."""
    known = codes(file, text)
    return all(line is not None and code_of(line, known) for line in lines)


def _text(repo: Repository, commit: str, path: str) -> str | None:
    try:
        data = run(repo, "cat-file", "blob", f"{commit}:{path}")
    except GitError:
        return None
    return decode(data) if len(data) <= LARGEST_FILE else None


def ordinary(
    folder: Path, most: int, environ: Variables, seed: int = 0, start: str = "HEAD", depth: int = 20_000
) -> Iterator[dict[str, Any]]:
    """Draw at most `most` commits that change code, of the last `depth`, in the form of `bench`.

    Raises GitError.
    """
    repo = repository(folder, environ)
    name = (repo.top or repo.git_dir).name.removesuffix(".git")
    listed = list(_commits(repo, commit_id(repo, start), f"--max-count={depth}", "--no-merges"))
    random.Random(seed).shuffle(listed)  # noqa: S311 - a draw that can be repeated, not a secret
    drawn = (case for commit in listed if (case := _ordinary(repo, name, commit)) is not None)
    for _, case in zip(range(most), drawn, strict=False):
        yield case


def _ordinary(repo: Repository, project: str, commit: Commit) -> dict[str, Any] | None:
    """Write a commit as a change without a labelled bug; None where it changes no code, or too much."""
    change = parse_diff(_diff(repo, commit, _CONTEXT))
    if len(change.files) > MOST_FILES:
        return None
    code = [file for file in change.files if language_of(file.path) and file.status is not FileStatus.DELETED]
    lines = sum(len(hunk.added) + len(hunk.removed) for file in code for hunk in file.hunks)
    if not any(hunk.removed for file in code for hunk in file.hunks) or lines > MOST_ORIGIN_LINES:
        return None
    texts = {file.path: _text(repo, commit.id, file.path) for file in code}
    if None in texts.values():
        return None
    return {
        "id": f"ordinary/{project}/{commit.id[:10]}",
        "source": "ordinary",
        "language": language_of(code[0].path),
        "diff": decode(_diff(repo, commit, _CONTEXT, *sorted(texts))),
        "files": texts,
        "bugs": [],
        "date": commit.date,
        "group": f"ordinary/{project}/{commit.id[:10]}",
    }
