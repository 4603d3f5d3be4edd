"""Edits of whole files, and what of them the model is asked about."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

from hunkwise.engine import Engine, Scored, ScriptedEngine
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.hunk import Candidate, HunkTask, inquiries, read_with_context
from hunkwise.reviewer.judge.judgement import read_evidence
from hunkwise.reviewer.judge.likelihood.calibration import layer_for
from hunkwise.reviewer.judge.scope.askable import told_of
from hunkwise.reviewer.judge.scope.selection import select
from hunkwise.reviewer.types import Change


def edit(old: str, new: str, path: str = "a.py", *, known: bool = True) -> Change:
    """The change from one text to another; the new text is at hand if it is `known`."""
    diff = unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return replace(parse_diff(("\n".join(diff) + "\n").encode()), new_texts={path: new} if known else {})


def asked(change: Change) -> list[str]:
    """The old texts that are read of a change's only hunk."""
    engine = ScriptedEngine(lambda _, question: Scored(question.id, ()))
    return [spot.reading.sides.old.text for spot in spots_of(change, engine)]


def spots_of(change: Change, engine: Engine) -> tuple[Candidate, ...]:
    """The evidence about a change's only hunk."""
    (pick,) = select(change, (), ())[0]
    ((_, inquiry),) = inquiries(
        [pick], HunkTask(change, JudgeSettings(), engine), told_of(change.files, change.text)
    )
    return read_evidence(read_with_context(pick, inquiry), engine)


def accused(change: Change, engine: Engine) -> tuple[float, str]:
    """The highest probability of a change's only hunk that it is wrong, and the line that is named then."""
    layer = layer_for(engine.card().digest)
    spots = [spot for spot in spots_of(change, engine) if spot.reading.sides.old.code]
    worst = max(spots, key=lambda spot: layer.probability(spot.features))
    line = worst.suspects[0].line if worst.suspects else worst.lines[-1]
    (file,) = change.files
    text = next(each.text for hunk in file.hunks for each in hunk.lines if each.new_no == line)
    return layer.probability(worst.features), text.strip()
