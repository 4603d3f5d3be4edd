"""Judging one hunk: the cheap evidence first, and words only for what it points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hunkwise.engine import Capability, Engine, EngineCard, Scored
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.hunk import Candidate, HunkResult, HunkTask, read_with_context
from hunkwise.reviewer.judge.likelihood import evidence
from hunkwise.reviewer.judge.likelihood.blocks import blocks
from hunkwise.reviewer.judge.likelihood.calibration import Layer, layer_for
from hunkwise.reviewer.judge.likelihood.sides import sides_of
from hunkwise.reviewer.judge.scope.askable import NEW_CODE, commentable, unread
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.wording.remark import UNTRUE, UNUSABLE, WORDING, bare, name_of, text_of, worded
from hunkwise.reviewer.types import Category, Finding, HunkContext, Rejected, Severity, Witness

LIKELIHOOD = Witness("likelihood", "the model finds the old text likelier here than the new one")


def judge(pick: ReviewUnit, task: HunkTask) -> HunkResult:
    """Decide which blocks of a hunk are wrong, and name, verify and mend those.

    Raises PromptTooLong and NativeFailure.
    """
    context = read_with_context(pick, task)
    spots = read_evidence(context, task.engine)
    layer = layer_for(task.engine.card().digest)
    outcomes = []
    for spot in spots:
        if not spot.reading.sides.old.code:
            continue  # read for the words that moved there; nothing speaks against new code
        found = _candidate(context, spot, layer)
        if found.confidence < task.settings.min_confidence:
            reason = f"below --min-confidence {task.settings.min_confidence:g}"
            outcomes.append(HunkResult(rejected=(Rejected(found, reason),)))
            continue
        able = not task.engine.card().lacks(*WORDING)
        outcomes.append((worded if able else bare)(context, found, spot, task))
    return HunkResult(
        tuple(found for outcome in outcomes for found in outcome.findings),
        tuple(drop for outcome in outcomes for drop in outcome.rejected),
    )


def without_words(
    picked: Sequence[ReviewUnit], examined: Sequence[HunkResult], model: str
) -> list[HunkResult]:
    """Where the model could word no remark of a whole review, make its hunks with remarks faults.

    One wording cut off among good ones is an accident. Without a good one the model, or its template, is sick.
    """
    if any(result.findings or UNTRUE in {drop.reason for drop in result.rejected} for result in examined):
        return list(examined)
    reason = f"{model} could put no remark into words: all were cut off or unusable; choose another model"
    return [_wordless(pick, result, reason) for pick, result in zip(picked, examined, strict=True)]


def _wordless(pick: ReviewUnit, result: HunkResult, reason: str) -> HunkResult:
    rest = tuple(drop for drop in result.rejected if drop.reason != UNUSABLE)
    if len(rest) == len(result.rejected):
        return result
    return replace(result, rejected=rest, skipped=(*result.skipped, pick.skipped(reason, fault=True)))


def read_evidence(context: HunkContext, engine: Engine) -> tuple[Candidate, ...]:
    """Score the new and the old text of every block of changed code."""
    read: list[tuple[range, tuple[int, ...], evidence.Reading]] = []
    for block in blocks(context.hunk):
        if unread(context, block) not in ("", NEW_CODE):
            continue
        sides = sides_of(context, block)
        lines = commentable(context.hunk, block, sides)
        new, old = engine.ask(prompt.likelihoods(sides.before, sides.new.text, sides.old.text))
        assert isinstance(new, Scored)
        assert isinstance(old, Scored)
        read.append((block, lines, evidence.reading(sides, new, old)))
    readings = [reading for _, _, reading in read]
    return tuple(
        Candidate(
            block,
            lines,
            reading,
            {
                **evidence.features(reading, [other for other in readings if other is not reading]),
                **context.setting,
            },
            evidence.suspects(reading.sides, reading.new),
        )
        for block, lines, reading in read
    )


def unable(card: EngineCard) -> str:
    """Say in a sentence what of judging an engine can't do; "" of one that can do all."""
    if card.lacks(Capability.SCORE):
        return f"{card.model} can't tell how likely a given text is, which is what changes are judged by"
    if card.lacks(*WORDING):
        return f"{card.model} can't put remarks into words that can be relied on; they say what was changed"
    return ""


def _candidate(context: HunkContext, spot: Candidate, layer: Layer) -> Finding:
    """Make the finding that the evidence alone supports: a place and a probability, not yet worded."""
    line = spot.line
    return Finding(
        path=context.file.path,
        part=context.file.part,
        start_line=line,
        end_line=line,
        severity=Severity.MEDIUM,
        category=Category.CORRECTNESS,  # until the model is asked
        title="Unlikely change",
        message="The model finds the old text likelier here than the new one.",
        confidence=round(layer.probability(spot.features), 4),
        calibrated=layer.calibrated,
        fingerprint=name_of(context, line),
        code=(text_of(context, line),),
        witnesses=(LIKELIHOOD,),
    )
