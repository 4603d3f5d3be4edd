"""Gathers what is known of a change: the symbols that its lines stand in, and what small changes put for what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind, Swap, Symbol, path_kind
from hunkwise.reviewer.describing.outline import Row
from hunkwise.reviewer.diff.hunks import changes
from hunkwise.reviewer.languages.comments import LONGEST_TEXT, Codes, both_sides, codes
from hunkwise.reviewer.languages.parser import parser
from hunkwise.reviewer.languages.renames import renames
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.languages.syntax import PATIENCE
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line, LineKind

LONGEST_SWAP = 60  # characters of what is said to have come in for something
LONGEST_LINE = 300  # characters of a line that is looked at
MOST_RUNS = 50  # places in which the same was replaced
MOST_BUMPS = 50

_TOKEN = re.compile(r"\d+(?:\.\d+)+(?:-\w+(?:\.\w+)*)?|\w+|\s+|[=<>!&|+*/-]+|[^\w\s]")
_QUOTE = re.compile("[\"'`]")
_BY_DEPTH = (
    ".py",
    ".pyi",
    ".yml",
    ".yaml",
    ".coffee",
    ".sass",
    ".haml",
    ".slim",
    ".pug",
    ".hs",
    ".nim",
    ".fs",
    ".elm",
)
_WORD = re.compile(r"\w\w|\d")
_VERSION = re.compile(r"(?<![\w.])[v^~=<>]{0,2}(\d+(?:\.[\w-]+)+|v\d+)(?![\w.])")
_PACKAGE = re.compile(r"[@A-Za-z][\w@./:-]*[\w]")
_NO_PACKAGE = re.compile(
    r"uses|version|require|implementation|api|gem|from|image|indirect|true|false|v\d+", re.IGNORECASE
)
_ARTIFACT = re.compile(r"<artifactId>([\w.-]{1,80})<")


def gather(change: Change) -> Facts:
    """Gather what is known of a change; every file of it is there."""
    files = [_file(file, change.text(file)) for file in change.files]
    known = {file.path for file in change.files}
    for skip in change.skipped:
        if skip.hunk is None and skip.path not in known:
            lost = FileDiff(skip.path, skip.path, FileStatus.MODIFIED)
            files.append(FileFacts(lost, path_kind(skip.path), skipped=skip.reason))
            known.add(skip.path)
    return Facts(tuple(files), tuple(_bumps(files))[:MOST_BUMPS])


def _file(file: FileDiff, text: str | None) -> FileFacts:
    lines = [line for hunk in file.hunks for line in hunk.lines]
    counts = Counter(line.kind for line in lines)
    kind = PathKind.DEPENDENCIES if file.submodule else path_kind(file.path)
    plain = FileFacts(file, kind, counts["added"], counts["removed"])
    if not file.hunks or file.submodule or kind is PathKind.LOCKED:
        return plain
    if text is not None and len(text) > LONGEST_TEXT:
        text = None
    wholes = both_sides(file, text) if text is not None else lines
    language = language_of(file.path)
    old, new = (_Side(wholes, side, language) for side in ("removed", "added"))
    swap = _swap(file)
    inside = next(iter((new.touched or old.touched).elements()), "")
    return FileFacts(
        file,
        kind,
        counts["added"],
        counts["removed"],
        new=_outermost(new, old),
        gone=_outermost(old, new),
        changed=_changed(old, new),
        renamed=tuple(renames(file, text).items()),
        only=_only(file, codes(file, text)),
        swap=Swap(swap.old, swap.new, swap.line, inside.rpartition(".")[2]) if swap else None,
    )


class _Side:
    """What one side of a file defines, and how many changed lines stand in each symbol."""

    def __init__(self, lines: Sequence[Line], kind: LineKind, language: str) -> None:
        own = [line for line in lines if line.kind in ("context", kind)]
        text = "".join(f"{line.text}\n" for line in own)
        rows = _outline(language, text)
        self.kinds: dict[str, str] = {name: word for name, word, _, _ in rows}
        self.lines: Counter[str] = Counter()  # of symbols, with what is inside
        self.touched: Counter[str] = Counter()  # the innermost alone
        around: list[Row] = []
        following = iter([*rows, ("", "", len(own) + 1, 0)])
        coming = next(following)
        for number, line in enumerate(own, 1):
            while coming[2] <= number:
                around.append(coming)
                coming = next(following)
            around = [row for row in around if number <= row[3]]
            if line.kind == kind and line.text.strip():
                self.lines.update(name for name, _, _, _ in around)
                self.touched.update(name for name, _, _, _ in around[-1:])


def _outline(language: str, text: str) -> list[Row]:
    if not language or len(text) > LONGEST_TEXT:
        return []
    told = parser().ask("hunkwise.reviewer.describing.outline:answer", [language, text], PATIENCE)
    return [(name, word, start, end) for name, word, start, end in told or ()]


def _outermost(side: _Side, other: _Side) -> tuple[Symbol, ...]:
    """Give the symbols that one side has and the other has not; what stands in one of them is a part of it."""
    own = {name for name in side.lines if name not in other.kinds}
    return tuple(
        Symbol(name, side.kinds[name], side.lines[name])
        for name in side.lines
        if name in own and name.rpartition(".")[0] not in own
    )


def _changed(old: _Side, new: _Side) -> tuple[Symbol, ...]:
    """Give the symbols that both sides have and the change touches, those with most changed lines first."""
    touched = old.touched + new.touched
    both = Counter(
        {name: count for name, count in touched.items() if name in old.kinds and name in new.kinds}
    )
    return tuple(Symbol(name, new.kinds.get(name, ""), count) for name, count in both.most_common())


def _only(file: FileDiff, known: Codes) -> str:
    """Say what alone changed: comments, imports, blanks; "" where more did."""
    if all(_is_blank(file.path, hunk) for hunk in file.hunks):
        return "blanks"
    changed = [line for hunk in file.hunks for line in hunk.lines if line.kind != "context"]
    told = [known.get(line.numbers) for line in changed if line.text.strip()]
    if all(code is not None and not code.text.strip() and not code.imports for code in told):
        return "comments"
    if all(code is not None and (code.imports or not code.text.strip()) for code in told):
        return "imports"
    return ""


def _is_blank(path: str, hunk: Hunk) -> bool:
    """Tell whether nothing but blanks changed, none of them in a string, or with a meaning by its depth."""
    depths = {_depth(line.text): _depth(line.text) for line in hunk.lines if line.kind == "context"}
    deep = path.lower().endswith(_BY_DEPTH)
    for run in changes(hunk):
        old, new = ([line.text for line in side if line.text.strip()] for side in (run.removed, run.added))
        if "".join("".join(old).split()) != "".join("".join(new).split()):
            return False
        before, after = (_QUOTE.split("\n".join(side)) for side in (old, new))
        if before[1::2] != after[1::2]:
            return False
        if deep and len(old) != len(new):
            return False
        for one, other in zip(old, new, strict=False):
            if deep and depths.setdefault(_depth(one), _depth(other)) != _depth(other):
                return False
    came = [depths[depth] for depth in sorted(depths)]
    return not deep or all(one < other for one, other in pairwise(came))


def _depth(text: str) -> int:
    text = text.expandtabs()
    return len(text) - len(text.lstrip())


def _swap(file: FileDiff) -> Swap | None:
    """Give what came in for what, if that is the same in every place that changed."""
    if file.status in (FileStatus.ADDED, FileStatus.DELETED):
        return None
    runs = [run for hunk in file.hunks for run in changes(hunk)]
    if not runs or len(runs) > MOST_RUNS:
        return None
    found = {(one.old, one.new) if (one := _swap_of(run)) else None for run in runs}
    return _swap_of(runs[0]) if len(found) == 1 and None not in found else None


def _swap_of(run: Hunk) -> Swap | None:
    old, new = (
        [line.text.strip() for line in side if line.text.strip()] for side in (run.removed, run.added)
    )
    if len(old) > 1 or len(new) > 1 or old == new or max(map(len, [*old, *new])) > LONGEST_LINE:
        return None
    if not old or not new:
        line = (old or new)[0]
        fits = len(line) <= LONGEST_SWAP
        return Swap("".join(old), "".join(new), line) if fits else None
    gone, come = _parted(_TOKEN.findall(old[0]), _TOKEN.findall(new[0]))
    if not gone or not come:  # an item of a list, without what parts it from the others
        gone, come = gone.strip(" ,;") or gone, come.strip(" ,;") or come
    return Swap(gone, come, new[0]) if max(len(gone), len(come)) <= LONGEST_SWAP else None


def _parted(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """Give what differs between two lines: whole words, with those beside it where signs alone differ."""
    fewest = min(len(before), len(after))
    start = next((at for at in range(fewest) if before[at] != after[at]), fewest)
    rest = fewest - start
    end = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    while True:
        gone, come = before[start : len(before) - end], after[start : len(after) - end]
        if all(not side or _WORD.search("".join(side)) for side in (gone, come)) or (not start and not end):
            return "".join(gone).strip(), "".join(come).strip()
        start, end = max(start - 1, 0), max(end - 1, 0)


def _bumps(files: Sequence[FileFacts]) -> Iterator[tuple[str, str, str]]:
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
