"""What coverage reports, lcov's or Cobertura's, tell of the lines that a change adds."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.linters.formats import opened
from hunkwise.reviewer.linters.places import Root
from hunkwise.reviewer.linters.reading import cobertura, lcov
from hunkwise.reviewer.linters.runs import Runs
from hunkwise.reviewer.types import FileDiff, LineCoverage, LineRange

MOST_PLACES = 2_000


def line_coverage(
    files: Sequence[FileDiff], reports: Sequence[Path], folder: Path, say: Callable[[str], object]
) -> LineCoverage | None:
    """Tell which added lines of code the reports know, and which of them no test runs; None without reports.

    Their paths begin in the root of the repository that holds `folder`; `say` hears what is odd about them. A line
    is run where one report says so. Files that come more than once in a change are left out, for their lines have
    no numbers in the end. Raises UsageError.
    """
    if not reports:
        return None
    root = repository_root(folder) or folder
    added = {file.path: numbers for file in files if not file.part and (numbers := _added(file))}
    known: dict[str, dict[int, bool]] = {}
    for report in reports:
        runs = Runs(Root.of(root), added.keys())
        with opened(folder / report, f"--coverage {report}") as data:
            text = data.removeprefix(codecs.BOM_UTF8)
            (cobertura if text[:100].lstrip().startswith(b"<") else lcov).read(text, runs)
        if not runs.inside:
            say(f"{report}: none of its files ({runs.files:,}) is in {root}")
        for path, lines in runs.by_path.items():
            so_far = known.setdefault(path, {})
            so_far.update((number, run or so_far.get(number, False)) for number, run in lines.items())
    told = [(path, numbers, known[path]) for path, numbers in added.items() if path in known]
    of_code = [lines[at] for _, numbers, lines in told for at in numbers if at in lines]
    places = [place for each in told for place in _unrun(*each)]
    return LineCoverage(len(of_code), of_code.count(False), tuple(places[:MOST_PLACES]))


def _added(file: FileDiff) -> list[int]:
    return [line.new_no for hunk in file.hunks for line in hunk.added if line.new_no is not None]


def _unrun(path: str, added: Sequence[int], known: Mapping[int, bool]) -> Iterator[LineRange]:
    """Gather lines that no test runs; a range goes on over added lines that are no code."""
    first = last = before = 0
    for at in added:
        run = known.get(at)
        if first and (run or at != before + 1):
            yield LineRange(path, first, last)
            first = 0
        if run is False:
            first, last = first or at, at
        before = at
    if first:
        yield LineRange(path, first, last)
