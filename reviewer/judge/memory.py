"""The memory of judged hunks: what a hunk gave is given again for as long as the hunk itself stays as it is.

A push moves hunks, and changes lines around them. Both change the prompts, so the cache of answers does not
help there. Here a hunk is known by its own lines and all else that decides how it is judged, among it the rough
size of the change, but neither by its place nor by its neighbours: that is the price, stated in docs/cache.md.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from typing import Protocol, TypeVar

from hunkwise import engine
from hunkwise.engine import EngineCard
from hunkwise.reviewer.judge import judgement, prompt
from hunkwise.reviewer.judge.hunk import HunkResult, HunkTask
from hunkwise.reviewer.judge.likelihood.blocks import blocks
from hunkwise.reviewer.judge.likelihood.calibration import layer_for
from hunkwise.reviewer.judge.likelihood.replacements import replacement
from hunkwise.reviewer.judge.scope.askable import hidden
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.wording import remark
from hunkwise.reviewer.text.checked_json import FormError
from hunkwise.reviewer.text.checked_json import read as read_json
from hunkwise.reviewer.types import Category, Finding, HunkContext, Rejected, Severity

FORMAT = 1  # raise it when the meaning of a kept value changes
_IMPORT = re.compile(
    r"^\s*(?:from|import) (hunkwise\.reviewer[\w.]*)(?: import (\([^)]*\)|.*))?", re.MULTILINE
)
_LINE = re.compile(r"\b([Ll]ines? )(\d{1,9})\b")

T = TypeVar("T")


class Memory(Protocol):
    """Where values are kept between runs; `hunkwise.engine.Cache` is one.

    A reader raises BadEntry for a value that it does not accept, which is then as if it were not there.
    """

    def key(self, kind: str, card: EngineCard, *parts: object) -> str:
        """Name a value by all that decides it."""

    def get(self, readers: Mapping[str, Callable[[object], T]]) -> dict[str, T]:
        """Give the values of the keys that are known, each made by its reader."""

    def put(self, values: Mapping[str, object]) -> None:
        """Keep values made of JSON's types."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as it is kept. `place` is the 0-based index of its line in the hunk; none of the code is kept.

    `rejected` is the reason why it is not said, None where it is.
    """

    place: int
    severity: Severity
    category: Category
    title: str
    message: str
    confidence: float
    calibrated: bool
    rejected: str | None


@dataclass(frozen=True, slots=True)
class KeptHunk:
    """What judging a hunk gave, while it began at new-side line `start`."""

    start: int
    findings: tuple[Kept, ...]


class Recall:
    """What a memory knows of the hunks of one review, by their place in `asked`. Without a memory, nothing."""

    def __init__(self, memory: Memory | None, asked: Sequence[tuple[ReviewUnit, HunkTask]]) -> None:
        self._memory, self._asked = memory, asked
        self._card = asked[0][1].engine.card() if asked else None
        self._names = _names(memory, asked) if memory else []
        self._known = memory.get(dict(zip(self._names, map(_reader, asked), strict=True))) if memory else {}

    def of(self, place: int) -> HunkResult | None:
        """Give what a hunk gave before; None if it has to be read."""
        return self._known.get(self._names[place]) if self._names else None

    def keep(self, place: int, judged: HunkResult) -> None:
        """Remember what judging a hunk gave. What could not be read is not remembered."""
        pick, task = self._asked[place]
        if self._memory is None or judged.failure or judged.skipped or task.engine.card() != self._card:
            return
        self._memory.put({self._names[place]: asdict(written(pick, judged))})


def _names(memory: Memory, asked: Sequence[tuple[ReviewUnit, HunkTask]]) -> list[str]:
    """Name the hunks; of several equal ones in a file each has its own name, by their order."""
    names, seen = [], Counter[str]()
    for pick, task in asked:
        card = task.engine.card()
        name = memory.key("hunk", card, *_parts(pick, task))
        names.append(memory.key("equal hunk", card, name, seen[name]) if seen[name] else name)
        seen[name] += 1
    return names


def _parts(pick: ReviewUnit, task: HunkTask) -> tuple[object, ...]:
    """List all that decides how a hunk is judged, but for its place and its neighbours."""
    return (
        FORMAT,
        _code_digest(),
        prompt.prompt_digest(),
        task.engine.card().lacks(*remark.WORDING),
        layer_for(task.engine.card().digest).digest,
        pick.file.path,
        task.change.text(pick.file) is not None,
        pick.hunk.section,
        sorted(task.setting.items()),
        [replaced in task.repeated for replaced in _replaced(pick)] if task.repeated else (),
        _told(pick, task),
        [[line.kind, line.text, line.no_newline, task.codes.get(line.numbers)] for line in pick.hunk.lines],
        task.guidelines,
        task.rules,
        asdict(task.settings),
    )


def _replaced(pick: ReviewUnit) -> Iterator[object]:
    """Give what each block of the hunk puts for what."""
    lines = pick.hunk.lines
    return (replacement(lines[block.start : block.stop]) for block in blocks(pick.hunk))


def _told(pick: ReviewUnit, task: HunkTask) -> list[tuple[str, str]]:
    """List the refactorings of the file that the hunk's old text is read with."""
    text = "\n".join(line.text for line in pick.hunk.lines if line.kind == "removed")
    return sorted((old, new) for old, new in task.refactorings.items() if old in text)


@cache
def _code_digest() -> str:
    """Digest the modules that have a part in judging: another version of one may judge otherwise."""
    sources = (f"{name}\0{source}\0" for name, source in sorted(judging_modules().items()))
    return hashlib.sha256("".join(sources).encode()).hexdigest()


@cache
def judging_modules() -> Mapping[str, str]:
    """Give the sources of this module and of all of the reviewer that it imports, by name, wherever they lie."""
    found: dict[str, str] = {}
    names = [__name__]
    while names:
        name = names.pop()
        if name not in found and (source := _source_of(name)) is not None:
            found[name] = source
            names += [*_imported(source), name.rpartition(".")[0]]
    return found


def _imported(source: str) -> Iterator[str]:
    """Name what a module imports of the reviewer; what is imported from a package may be a module too."""
    for package, names in _IMPORT.findall(source):
        yield package
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))


def _source_of(name: str) -> str | None:
    """Give the source of a module of the reviewer; None of any other name."""
    package, _, rest = name.partition("hunkwise.reviewer.")
    if package or not rest:
        return None
    path = rest.replace(".", "/")
    files = map(resources.files("hunkwise.reviewer").joinpath, (f"{path}.py", f"{path}/__init__.py"))
    return next((file.read_text("utf-8") for file in files if file.is_file()), None)


def written(pick: ReviewUnit, judged: HunkResult) -> KeptHunk:
    """Write down what a hunk gave, in places of the hunk instead of lines of the file."""
    places = {line.new_no: index for index, line in enumerate(pick.hunk.lines) if line.new_no is not None}
    said = [(found, None) for found in judged.findings]
    unsaid = [(drop.finding, drop.reason) for drop in judged.rejected]
    kept = (
        Kept(
            places[found.start_line],
            found.severity,
            found.category,
            found.title,
            found.message,
            found.confidence,
            found.calibrated,
            reason,
        )
        for found, reason in (*said, *unsaid)
    )
    return KeptHunk(pick.hunk.new_start, tuple(kept))


def _reader(asked: tuple[ReviewUnit, HunkTask]) -> Callable[[object], HunkResult]:
    return lambda value: read(*asked, value)


def read(pick: ReviewUnit, task: HunkTask, value: object) -> HunkResult:
    """Make what a hunk gave from JSON, on the lines where the hunk now stands. Raises BadEntry.

    What follows from the lines alone (code, fingerprint, suggestion) is made anew, not believed.
    """
    try:
        kept = read_json(KeptHunk, value, "entry")
    except FormError as error:
        raise engine.BadEntry(str(error)) from error
    context = hidden(HunkContext(pick.file, pick.hunk, pick.hunk_index))
    by = pick.hunk.new_start - kept.start
    said, unsaid = [], []
    for one in kept.findings:
        found = _finding(context, by, one)
        if one.rejected is not None:
            unsaid.append(Rejected(found, one.rejected))
            continue
        mended = remark.suggested(context, found.start_line, task.change)
        said.append(replace(found, suggestion=mended))
    return HunkResult(tuple(said), tuple(unsaid))


def _finding(context: HunkContext, by: int, kept: Kept) -> Finding:
    """Put a finding back on its line, in a hunk that moved `by` lines."""
    lines = context.hunk.lines
    line = lines[kept.place].new_no if 0 <= kept.place < len(lines) else None
    if line is None or not 0 <= kept.confidence <= 1:
        raise engine.BadEntry("expected a line that may be remarked on, and a confidence from 0 to 1")
    return Finding(
        path=context.file.path,
        part=context.file.part,
        start_line=line,
        end_line=line,
        severity=kept.severity,
        category=kept.category,
        title=_moved(kept.title, context, by),
        message=_moved(kept.message, context, by),
        confidence=kept.confidence,
        calibrated=kept.calibrated,
        fingerprint=remark.name_of(context, line),
        code=(remark.text_of(context, line),),
        witnesses=(judgement.LIKELIHOOD,),
    )


def _moved(text: str, context: HunkContext, by: int) -> str:
    """Let words that name a line of the hunk ("line 12") name it where it stands now."""
    numbers = {line.new_no for line in context.hunk.lines}

    def move(found: re.Match[str]) -> str:
        number = int(found[2]) + by
        return f"{found[1]}{number}" if number in numbers else found[0]

    return _LINE.sub(move, text) if by else text
