"""Labelled changes: read from JSON Lines, plain or gzipped. `docs/quality.md` describes the format for users."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from hunkwise.reviewer.diff.hunks import changes
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.languages.functions import enclosing
from hunkwise.reviewer.types import Change, FileDiff

Form = Literal["single", "composite", "pull"]
MOST_ADDED = 400  # lines of a function or file that `--form added` shows as a whole
ADDED_WINDOW = 60  # else so many on either side of a change


@dataclass(frozen=True, slots=True)
class Place:
    """New-side lines of a file (1-based) that a label names."""

    path: str
    lines: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled change. `buggy` is None where the labels are comments and say nothing of clean or not."""

    id: str
    form: Form
    diff: str
    texts: Mapping[str, str]  # whole files after the change, by path
    buggy: bool | None
    places: tuple[Place, ...]  # the bugs, or the reference comments
    language: str
    category: str = ""
    group: str = ""
    pair_of: str = ""  # id of the bug that this clean case fixes, or is the right version of
    synthetic: bool = False
    year: int | None = None
    needs: str = ""  # what one has to see: diff, file, project, outside
    defect_form: str = ""  # where the bug is: in lines added, changed, or left out
    severity: str = ""
    pattern: str = ""  # the kind of defect
    cwe: int | None = None
    mended: bool = (
        False  # the bug was found by the later commit that mended it; what that left alone is right
    )

    def changed_lines(self) -> int:
        """Count the lines that the change adds and removes."""
        hunks = (hunk for file in self.change().files for hunk in file.hunks)
        return sum(line.kind != "context" for hunk in hunks for line in hunk.lines)

    def change(self) -> Change:
        """Parse the diff, with the whole files at hand."""
        return replace(parse_diff(self.diff.encode("utf-8", "surrogateescape")), new_texts=self.texts)


# Collections of textbook programs: every model has read them, so they are counted apart from real projects.
_SYNTHETIC = ("QuixBugs", "HumanEvalPack")


def read_cases(paths: Iterable[Path]) -> tuple[Case, ...]:
    """Read every line of every file. Raises UsageError naming the file, the line and what is wrong."""
    cases = tuple(case for path in paths for case in _read(path))
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise UsageError(f"case {case.id!r} stands twice in the files given")
        seen.add(case.id)
    return cases


def sample(cases: Sequence[Case], size: int, seed: int) -> tuple[Case, ...]:
    """Draw `size` cases, keeping a fix with its bug; the order of the files stays."""
    families: dict[str, list[Case]] = {}
    for case in cases:
        families.setdefault(case.group or case.id, []).append(case)
    names = sorted(families)
    random.Random(seed).shuffle(names)  # noqa: S311 - a draw that can be repeated, not a secret
    drawn: set[str] = set()
    for name in names:
        if len(drawn) >= size:
            break
        drawn.update(case.id for case in families[name])
    return tuple(case for case in cases if case.id in drawn)


def _read(path: Path) -> Iterator[Case]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _case(line, f"{path}:{number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as JSON Lines: {error}") from error


def _case(line: str, where: str) -> Case:
    try:
        row = json.loads(line)
        if "new_file" in row:
            return _single(row)
        return _composite(row) if "bugs" in row else _pull(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{where}: no labelled case ({type(error).__name__}: {error})") from error


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    source = str(row.get("source", ""))
    date = str(row.get("date") or "")
    return {
        "id": str(row["id"]),
        "diff": str(row["diff"]),
        "language": str(row.get("language", "")),
        "group": str(row.get("group", "")),
        "synthetic": bool(row.get("synthetic", source.startswith(_SYNTHETIC))),
        "year": int(date[:4]) if date[:4].isdigit() else None,
    }


def _single(row: Mapping[str, Any]) -> Case:
    path = str(row["file_path"])
    lines = tuple(int(line) for line in row.get("bug_lines", ()))
    buggy = row["kind"] != "clean"
    return Case(
        form="single",
        texts={path: str(row["new_file"])},
        buggy=buggy,
        places=(Place(path, lines, str(row.get("description", ""))),) if buggy else (),
        category=str(row.get("category", "")),
        pair_of=str(row.get("pair_of") or ("" if buggy else row.get("twin")) or ""),
        needs=str(row.get("needs") or ""),
        defect_form=str(row.get("defect_form") or ""),
        severity=str(row.get("severity") or ""),
        pattern=str(row.get("pattern") or ""),
        cwe=int(row["cwe"]) if row.get("cwe") else None,
        mended=bool(row.get("fix")),
        **_common(row),
    )


def _composite(row: Mapping[str, Any]) -> Case:
    places = tuple(
        Place(str(bug["file_path"]), tuple(map(int, bug["bug_lines"])), str(bug.get("description", "")))
        for bug in row["bugs"]
    )
    texts = {str(path): str(text) for path, text in row["files"].items()}
    return Case(form="composite", texts=texts, buggy=bool(places), places=places, **_common(row))


def _pull(row: Mapping[str, Any]) -> Case:
    places = tuple(
        Place(str(c["path"]), tuple(range(int(c["from_line"]), int(c["to_line"]) + 1)), str(c["note"]))
        for c in row["comments"]
        if c.get("side", "right") == "right" and c.get("from_line")
    )
    texts = {str(path): str(text) for path, text in row.get("files", {}).items() if isinstance(text, str)}
    return Case(form="pull", texts=texts, buggy=None, places=places, **_common(row))


def newly_written(case: Case) -> Case:
    """Show a case as newly written code: what encloses its changes as added lines, the old text hidden.

    That is the function around each change, or the file where one stands in none; of more than `MOST_ADDED`
    lines those that are near. Files whose text is not known are left out.
    """
    return replace(case, diff="".join(_written(file, case.texts) for file in case.change().files))


def _written(file: FileDiff, texts: Mapping[str, str]) -> str:
    text = texts.get(file.path)
    if text is None or not file.hunks:
        return ""
    lines = dict(enumerate(text.split("\n"), 1))
    if not lines[len(lines)]:
        del lines[len(lines)]  # after the final newline
    shown: set[int] = set()
    for change in (part for hunk in file.hunks for part in changes(hunk)):
        around = enclosing(lines, change) or range(1, len(lines) + 1)
        if len(around) > MOST_ADDED:
            first = max(around.start, change.new_start - ADDED_WINDOW)
            around = range(first, min(around.stop, change.new_start + change.new_length + ADDED_WINDOW))
        shown.update(around)
    name = f"diff --git {_quoted('a', file.path)} {_quoted('b', file.path)}\n"
    head = f"{name}--- {_quoted('a', file.path)}\n+++ {_quoted('b', file.path)}\n"
    return head + "".join(_added(run, lines) for run in _runs(sorted(shown & lines.keys())))


def _quoted(side: str, path: str) -> str:
    """Name a file as git does: in quotes and by octal bytes, if a diff could not hold it otherwise (quote.c)."""
    name = f"{side}/{path}"
    if name.isprintable() and not set(name) & set('"\\'):
        return name
    data = name.encode("utf-8", "surrogateescape")
    return '"' + "".join(f"\\{b:03o}" if b < 32 or b > 126 or b in b'"\\' else chr(b) for b in data) + '"'


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """Group numbers that follow each other."""
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield range(run[0], run[-1] + 1)


def _added(run: range, lines: Mapping[int, str]) -> str:
    return f"@@ -{run.start - 1},0 +{run.start},{len(run)} @@\n" + "".join(f"+{lines[n]}\n" for n in run)
