"""The evidence about every block of a change, and what it says of single lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge.hunk import Candidate, HunkTask, inquiries, read_with_context
from hunkwise.reviewer.judge.judgement import read_evidence
from hunkwise.reviewer.judge.scope.askable import told_of
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.types import Change, HunkContext

KEPT = 10  # lines of a file


@dataclass(frozen=True, slots=True)
class Suspected:
    """A new-side line, and how much the model would rather have read something else there."""

    path: str
    line: int
    surprise: float


def spots(change: Change, config: Config, engine: Engine) -> Iterator[tuple[HunkContext, Candidate]]:
    """Read the evidence of every block, of new code too, with its hunk; passes over hunks that are too long."""
    picked, _ = select(change, config.include, config.exclude)
    told = told_of(change.files, change.text)
    for pick, task in inquiries(picked, HunkTask(change, config.judging, engine), told):
        try:
            context = read_with_context(pick, task)
            found = read_evidence(context, engine)
        except errors.PromptTooLong:
            continue
        yield from ((context, spot) for spot in found)


def suspected_lines(change: Change, config: Config, engine: Engine) -> tuple[Suspected, ...]:
    """Rank the changed lines of each file, the most suspicious first; the best `KEPT` of each."""
    by_path: dict[str, list[Suspected]] = {}
    for context, spot in spots(change, config, engine):
        path = context.file.path
        found = (Suspected(path, suspect.line, round(suspect.surprise, 4)) for suspect in spot.suspects)
        by_path.setdefault(path, []).extend(found)
    return tuple(
        suspected
        for path in sorted(by_path)
        for suspected in sorted(by_path[path], key=lambda each: (-each.surprise, each.line))[:KEPT]
    )
