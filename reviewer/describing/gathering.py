"""Gathers what is known of a change: the symbols that its lines stand in, and what small changes put for what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise

from hunkwise.reviewer.checks.files import language_of as language_by_name
from hunkwise.reviewer.describing.clues.bumps import bumps_of
from hunkwise.reviewer.describing.clues.clue import Clue, View
from hunkwise.reviewer.describing.clues.log import is_log, of_log
from hunkwise.reviewer.describing.clues.parameters import parameters
from hunkwise.reviewer.describing.clues.prose import of_prose, of_settings
from hunkwise.reviewer.describing.clues.runs import moved_lines, of_runs, of_swaps
from hunkwise.reviewer.describing.clues.swaps import Swap, swaps_of
from hunkwise.reviewer.describing.clues.tested import tests_of
from hunkwise.reviewer.describing.clues.themes import themes_of
from hunkwise.reviewer.describing.facts import Facts, FileFacts, PathKind, Symbol, path_kind
from hunkwise.reviewer.describing.outline import Row
from hunkwise.reviewer.diff.hunks import changes
from hunkwise.reviewer.languages.comments import LONGEST_TEXT, Codes, both_sides, code_of, codes
from hunkwise.reviewer.languages.parser import parser
from hunkwise.reviewer.languages.prose import is_prose
from hunkwise.reviewer.languages.renames import renames
from hunkwise.reviewer.languages.symbols.read import language_of
from hunkwise.reviewer.languages.syntax import PATIENCE
from hunkwise.reviewer.source.provenance import MARKER_LINES, says_generated
from hunkwise.reviewer.types import Change, FileDiff, FileStatus, Hunk, Line, LineKind, Numbers

MOST_BUMPS = 50
MOST_CLUES = 40  # of a file

LONGEST_HEAD = 12  # lines that name the parameters of a function

_NAME = re.compile(r"\w+|\S")
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


def gather(change: Change) -> Facts:
    """Gather what is known of a change; every file of it is there."""
    files = [_file(file, change.text(file)) for file in change.files]
    known = {file.path for file in change.files}
    for skip in change.skipped:
        if skip.hunk is None and skip.path not in known:
            lost = FileDiff(skip.path, skip.path, FileStatus.MODIFIED)
            files.append(FileFacts(lost, path_kind(skip.path), skipped=skip.reason))
            known.add(skip.path)
    return Facts(tuple(files), tuple(bumps_of(files))[:MOST_BUMPS], tuple(themes_of(files, change)))


def _file(file: FileDiff, text: str | None) -> FileFacts:
    lines = [line for hunk in file.hunks for line in hunk.lines]
    counts = Counter(line.kind for line in lines)
    kind = _kind(file, text)
    plain = FileFacts(file, kind, counts["added"], counts["removed"])
    if not file.hunks or file.submodule or kind is PathKind.LOCKED:
        return plain
    if text is not None and len(text) > LONGEST_TEXT:
        text = None
    wholes = both_sides(file, text) if text is not None else lines
    language = language_of(file.path)
    old, new = (_Side(wholes, side, language) for side in ("removed", "added"))
    known = codes(file, text)
    inside = old.inside | new.inside
    runs = [run for hunk in file.hunks for run in changes(hunk)]
    view = View(file, text, runs, lambda line: _code_of(line, known), inside)
    swaps = [
        one and replace(one, inside=_inside(run, inside))
        for one, run in zip(swaps_of(file, runs), runs, strict=False)
    ]
    clues = chain(parameters(old.heads, new.heads), _clues(view, kind, swaps))
    renamed = {} if kind is PathKind.DOCS else renames(file, text)
    tested = any(_is_inner_test(file.path, name) for name in inside.values())
    new_symbols, gone, changed = (
        tuple(one for one in side if not _is_inner_test(file.path, one.name))
        for side in (_outermost(new, old), _outermost(old, new), _changed(old, new))
    )
    return FileFacts(
        file,
        kind,
        counts["added"],
        counts["removed"],
        new=new_symbols,
        gone=gone,
        changed=changed,
        renamed=tuple(renamed.items()),
        restated=bool(renamed) and _restated(view, renamed),
        only=_only(file, known),
        swaps=tuple(swaps),
        clues=tuple(islice((one for one in clues if not _is_inner_test(file.path, one.place)), MOST_CLUES)),
        tests=tuple(islice(tests_of(file, kind is PathKind.TESTS), MOST_CLUES)),
        tested=tested,
        code=(_size(view, "added"), _size(view, "removed")),
    )


def _kind(file: FileDiff, text: str | None) -> PathKind:
    if file.submodule:
        return PathKind.DEPENDENCIES
    kind = path_kind(file.path)
    if kind is PathKind.CODE and file.binary:
        return PathKind.SETTINGS
    if (
        kind is PathKind.CODE
        and text
        and any(map(says_generated, text.split("\n", MARKER_LINES)[:MARKER_LINES]))
    ):
        return PathKind.LOCKED
    return kind


def _is_inner_test(path: str, name: str) -> bool:
    """Tell whether a symbol stands in the module of tests that a file of Rust can end with."""
    return path.endswith(".rs") and name.partition(".")[0] in ("test", "tests")


def _code_of(line: Line, known: Codes) -> str:
    """Give what of a changed line is code; what only looks like a comment is none here."""
    text = code_of(line, known)
    return "" if text.lstrip()[:2] in ("//", "/*", "* ", "*/") or text.strip() == "*" else text


def _clues(view: View, kind: PathKind, swaps: Sequence[Swap | None]) -> Iterator[Clue]:
    path = view.file.path
    yield from of_log(view)
    yield from moved_lines(view)
    if is_prose(path) or is_log(path) or kind is PathKind.DOCS:
        yield from of_prose(view)
    elif language_by_name(path) or language_of(path) or kind in (PathKind.CODE, PathKind.TESTS):
        yield from of_runs(view)
        yield from of_swaps(view, swaps)
    else:
        keys = list(of_settings(view))
        yield from keys or of_runs(view)


def _inside(run: Hunk, inside: Mapping[Numbers, str]) -> str:
    names = (inside.get(line.numbers, "") for line in (*run.added, *run.removed))
    return next(filter(None, names), "").rpartition(".")[2]


def _size(view: View, kind: LineKind) -> int:
    return sum(bool(view.code(line).strip()) for run in view.runs for line in run.lines if line.kind == kind)


def _restated(view: View, renamed: Mapping[str, str]) -> bool:
    """Tell whether the new names are all that changed."""
    old, new = (
        [
            word
            for run in view.runs
            for line in run.lines
            if line.kind == kind
            for word in _NAME.findall(view.code(line))
        ]
        for kind in ("removed", "added")
    )
    bare = {before.lstrip(".->"): after.lstrip(".->") for before, after in renamed.items()}
    return [bare.get(word, word) for word in old] == new


class _Side:
    """What one side of a file defines, and how many changed lines stand in each symbol."""

    def __init__(self, lines: Sequence[Line], kind: LineKind, language: str) -> None:
        own = [line for line in lines if line.kind in ("context", kind)]
        text = "".join(f"{line.text}\n" for line in own)
        rows = _outline(language, text)
        self.kinds: dict[str, str] = {name: word for name, word, _, _ in rows}
        self.lines: Counter[str] = Counter()  # of symbols, with what is inside
        self.touched: Counter[str] = Counter()  # the innermost alone
        self.inside: dict[Numbers, str] = {}  # the innermost, of a changed line
        self.heads: dict[str, str] = {}  # the lines in which a function that changed begins
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
                for name, word, start, _ in around[-1:]:
                    self.touched[name] += 1
                    self.inside[line.numbers] = name
                    if word == "function" and name not in self.heads:
                        self.heads[name] = "\n".join(
                            one.text for one in own[start - 1 : start + LONGEST_HEAD]
                        )


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
    if (
        language_of(file.path)
        and not file.path.lower().endswith(_BY_DEPTH)
        and all(map(_is_rewrapped, file.hunks))
    ):
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


def _is_rewrapped(hunk: Hunk) -> bool:
    """Tell whether both sides of a hunk have the same signs in the same order, none of them in a string."""
    old, new = ([line.text for line in hunk.lines if line.kind != kind] for kind in ("added", "removed"))
    if any(_QUOTE.search(line.text) for line in hunk.lines if line.kind != "context"):
        return False
    return "".join("".join(old).split()) == "".join("".join(new).split())


def _depth(text: str) -> int:
    text = text.expandtabs()
    return len(text) - len(text.lstrip())
