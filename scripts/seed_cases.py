"""Make labelled changes to train on: seeded defects and harmless edits of real code, as JSON Lines.

    python scripts/seed_cases.py OUT.jsonl.gz [--source FOLDER ...] [--skip NAME ...] [--count 300] [--seed 0]

The code is what the language runtimes and installed packages bring: by default the standard library and the
packages of this Python, and those of node. Every file, and what becomes of it, parses. Leave out with --skip
what you want to evaluate on. Needs the extra `quality`.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import json
import random
import shutil
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seed_defects import DEFECTS
from seed_edits import Edit, Finder
from seed_harmless import HARMLESS
from seed_trees import SUFFIXES, Source, parse

CONTEXT = 10  # unchanged lines around a change
SMALLEST, LARGEST, LONGEST = 600, 120_000, 200  # bytes of a file, and characters of its lines
FROM_ONE_FILE = 2  # defects, and as many harmless edits
WHOLE_FUNCTION = 6  # one defect of so many stands in a function that is new
NOT_CODE = {
    "test",
    "tests",
    "testing",
    "testdata",
    "node_modules/.bin",
    "__pycache__",
    "vendor",
    "migrations",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file of real code. `name` is what a case calls it: relative to the folder that was given."""

    path: Path
    name: str
    project: str
    language: str


def default_sources() -> list[Path]:
    """Name the folders of code that come with this Python and with node."""
    paths = sysconfig.get_paths()
    found = [Path(paths["stdlib"]), Path(paths["purelib"])]
    if node := shutil.which("node"):
        found.append(Path(node).resolve().parent.parent / "lib" / "node_modules")
    return [path for path in found if path.is_dir()]


def files(sources: Sequence[Path], skip: set[str], languages: Sequence[str]) -> Iterator[File]:
    """List the code in the folders, in an order that does not depend on the machine."""
    by_suffix = {suffix: language for language in languages for suffix in SUFFIXES[language]}
    for source in sources:
        for path in sorted(source.rglob("*")):
            parts = path.relative_to(source).parts
            language = by_suffix.get(path.suffix)
            if (
                language is None
                or skip & set(parts)
                or NOT_CODE & set(parts)
                or path.name.startswith("test_")
            ):
                continue
            if "site-packages" in parts or path.stem.endswith(("_test", ".test", ".min", "_pb2")):
                continue
            if path.is_file() and SMALLEST <= path.stat().st_size <= LARGEST:
                yield File(path, "/".join(parts), parts[0], language)


def read(file: File) -> Source | None:
    """Read and parse a file; None if it is not wholly right, or was not written by people."""
    data = file.path.read_bytes()
    if b"\r" in data or not data.endswith(b"\n") or b"do not edit" in data[:2000].lower():
        return None
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        return None
    return None if any(len(line) > LONGEST for line in lines) else parse(file.language, data)


def draw(
    source: Source, kinds: dict[str, Finder], made: Counter[str], draws: random.Random
) -> tuple[str, Edit] | None:
    """Draw an edit of the kind that was made the least so far and that the file has a place for."""
    order = sorted(kinds, key=lambda kind: (made[kind], draws.random()))
    for kind in order:
        found = list(kinds[kind](source))
        draws.shuffle(found)
        for edit in found[:5]:
            if parse(source.language, edit.apply(source.data)):
                made[kind] += 1
                return kind, edit
    return None


def in_new_function(source: Source, broken: bytes, edit: Edit) -> bytes | None:
    """Give the old side on which the function that holds an edit is not there yet; None where that can't be.

    `broken` is the file after the edit: the change from the old side to it adds the function, defect and all.
    """
    first, last = edit.parts[0][0], edit.parts[-1][1]
    for function in source.functions:
        lines = source.lines_of(function)
        if (
            lines
            and lines[0] <= first
            and last <= lines[1]
            and function.end_point[0] - function.start_point[0] <= 40
        ):
            old = source.data[: lines[0]] + source.data[lines[1] :]
            return old if parse(source.language, old) else None
    return None


def diff(name: str, old: bytes, new: bytes) -> str:
    """Write a change in git's form."""
    sides = old.decode().splitlines(keepends=True), new.decode().splitlines(keepends=True)
    text = "".join(difflib.unified_diff(*sides, f"a/{name}", f"b/{name}", n=CONTEXT))
    return f"diff --git a/{name} b/{name}\n{text}"


def changed_lines(old: bytes, new: bytes) -> list[int]:
    """Number the lines of the new side that an edit changed; where lines only went, those around the gap."""
    sides = old.decode().splitlines(), new.decode().splitlines()
    found: set[int] = set()
    for kind, _, _, start, end in difflib.SequenceMatcher(None, *sides, autojunk=False).get_opcodes():
        if kind != "equal":
            near = range(start + 1, end + 1) if start < end else (start, start + 1)
            found.update(line for line in near if 1 <= line <= len(sides[1]))
    return sorted(found)


def case(file: File, number: int, category: str, old: bytes, new: bytes, **more: Any) -> dict[str, Any]:
    """Lay a change out in the form of docs/quality.md."""
    text = diff(file.name, old, new)
    lines = text.splitlines()[3:]
    return {
        "id": f"seeded-{file.language}-{number}-{category}",
        "source": f"seeded edit of {file.project}",
        "project": file.project,
        "language": file.language,
        "category": category,
        "kind": "clean",
        "diff": text,
        "file_path": file.name,
        "new_file": new.decode(),
        "bug_lines": [],
        "group": f"{file.project}/{file.name}",
        "synthetic": True,
        "added": sum(line.startswith("+") for line in lines),
        "removed": sum(line.startswith("-") for line in lines),
        **more,
    }


def defects(
    file: File, source: Source, number: int, made: Counter[str], draws: random.Random, *, fixed: bool
) -> Iterator[dict[str, Any]]:
    """Break a file in one place; with `fixed` the change back is a clean case of its own."""
    drawn = draw(source, DEFECTS, made, draws)
    if drawn is None:
        return
    kind, edit = drawn
    broken = edit.apply(source.data)
    old, form = source.data, "omission" if not edit.parts[0][2] else "change"
    if draws.randrange(WHOLE_FUNCTION) == 0 and (without := in_new_function(source, broken, edit)):
        old, form = without, "addition"
    lines = changed_lines(source.data, broken)
    bug = {"kind": "bug-introducing", "bug_lines": lines, "description": edit.about, "defect_form": form}
    row = case(file, number, kind, old, broken, **bug)
    yield row
    if fixed:
        name = f"{row['id']}~fix"
        yield case(
            file, number, "fix", broken, source.data, id=name, pair_of=row["id"], description=edit.about
        )


def harmless(
    file: File, source: Source, number: int, made: Counter[str], draws: random.Random
) -> Iterator[dict[str, Any]]:
    """Edit a file in one place without harm."""
    drawn = draw(source, HARMLESS, made, draws)
    if drawn is not None:
        kind, edit = drawn
        sides = source.data, edit.apply(source.data)
        old, new = reversed(sides) if edit.backwards else sides
        yield case(file, number, kind, old, new, description=edit.about)


def cases(listed: Sequence[File], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Make `count` defects, every second with its fix, and as many harmless edits, shared by the languages."""
    draws = random.Random(seed)
    by_language: dict[str, list[File]] = {}
    for file in listed:
        by_language.setdefault(file.language, []).append(file)
    for place, language in enumerate(sorted(by_language)):
        wanted = count // len(by_language) + (place < count % len(by_language))
        yield from _of_language(by_language[language], wanted, draws)


def _of_language(listed: list[File], wanted: int, draws: random.Random) -> Iterator[dict[str, Any]]:
    kinds: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    broken = unharmed = 0
    for file in _spread(listed, draws):
        if broken >= wanted and unharmed >= wanted:
            return
        source = read(file)
        if source is None or not source.functions:
            continue
        for _ in range(FROM_ONE_FILE):
            if broken < wanted:
                rows = list(defects(file, source, broken, kinds[0], draws, fixed=broken % 2 == 0))
                broken += bool(rows)
                yield from rows
            if unharmed < wanted:
                rows = list(harmless(file, source, unharmed, kinds[1], draws))
                unharmed += bool(rows)
                yield from rows


def _spread(listed: list[File], draws: random.Random) -> Iterator[File]:
    """Shuffle, and take the projects in turn, so that a large one does not fill the set."""
    queues: dict[str, list[File]] = {}
    for file in draws.sample(listed, len(listed)):
        queues.setdefault(file.project, []).append(file)
    names = sorted(queues)
    while names:
        for name in names:
            yield queues[name].pop()
        names = [name for name in names if queues[name]]


def main() -> int:
    """Read the command line and write the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, action="append", metavar="FOLDER", help="take code from here")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="NAME", help="leave out folders of this name"
    )
    parser.add_argument("--languages", default=",".join(SUFFIXES), metavar="LIST")
    parser.add_argument(
        "--count", type=int, default=300, metavar="N", help="defects, and as many harmless edits"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    languages = given.languages.split(",")
    if unknown := set(languages) - set(SUFFIXES):
        parser.error(f"unknown language {min(unknown)!r}; known are {', '.join(SUFFIXES)}")
    listed = list(files(given.source or default_sources(), set(given.skip), languages))
    rows = list(cases(listed, given.count, given.seed))
    lines = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()
    # without a name and a time in its header, the same cases give the same bytes
    given.out.write_bytes(gzip.compress(lines, mtime=0) if given.out.suffix == ".gz" else lines)
    counts = Counter((row["language"], row["kind"]) for row in rows)
    for (language, kind), number in sorted(counts.items()):
        print(f"{number:5} {language:12}{kind}", file=sys.stderr)
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
