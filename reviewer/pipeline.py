"""The table of contents of the program: from a change to a review.

    select → context → likelihood → decide → name → verify → suggest → silence → settle

Each hunk is read alone. What is cheap is asked of every hunk, what is dear only where the cheap evidence
points at something. Whatever is not said is counted with its reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hunkwise.engine import Bundle, Choice, Engine, Generated, Scored, Segment, errors
from hunkwise.reviewer import evidence, findings, hygiene, prompt, suggestion
from hunkwise.reviewer.config import Config, Rule, plain
from hunkwise.reviewer.context import with_context
from hunkwise.reviewer.fingerprint import distinguish, fingerprint
from hunkwise.reviewer.selection import Picked, excused, select
from hunkwise.reviewer.silence import NOTHING, Silence, part
from hunkwise.reviewer.types import (
    Category,
    Change,
    Coverage,
    Finding,
    HunkContext,
    Manifest,
    Rejected,
    Review,
    Severity,
    Skipped,
    Suggestion,
)
from hunkwise.reviewer.version import VERSION

FOCUS_LINES = 5  # the model may name one of so many lines, the likeliest first
GATE = 0.6  # of --min-confidence: below it a hunk is left alone after the cheap evidence
VERIFY_FLOOR = 0.25  # a remark that the model itself holds for untrue in both polarities is dropped


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is: `done` of `total` hunks. `found` is the finding just confirmed, if any."""

    done: int
    total: int
    path: str = ""
    found: Finding | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of one hunk. `failure` is the engine's, where it failed on this hunk."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failure: errors.NativeFailure | None = None


Observer = Callable[[Progress], None]


def review(
    change: Change,
    config: Config,
    engine: Engine,
    *,
    guidelines: str = "",
    silence: Silence = NOTHING,
    observer: Observer = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> Review:
    """Review a change. Deterministic: the same change, settings and engine give an equal `Review`.

    A hunk that is too long, or on which the engine fails, becomes `Skipped(fault=True)`, and the review is
    incomplete. Other errors of the engine are raised, and so is a failure on every hunk.
    """
    change = excused(change, config.include, config.exclude)
    picked, passed_over = select(change, config.include, config.exclude)
    deadline = clock() + config.max_time if config.max_time else None
    examined: list[Examined] = []
    for number, pick in enumerate(picked):
        observer(Progress(number, len(picked), pick.file.path))
        late = deadline is not None and clock() >= deadline
        result = _out_of_time(pick) if late else examine(change, pick, config, engine, guidelines)
        examined.append(result)
        for found in result.findings:
            observer(Progress(number + 1, len(picked), pick.file.path, found))
    observer(Progress(len(picked), len(picked)))
    failures = [result.failure for result in examined if result.failure]
    if failures and len(failures) == len(picked):
        raise failures[0]
    made = distinguish([found for result in examined for found in result.findings])
    heard, silenced = part(made, change, silence)
    said, unsaid = findings.settle(heard, bar(config), floors(change, config))
    skipped = (*change.skipped, *passed_over, *(skip for result in examined for skip in result.skipped))
    return Review(
        findings=said,
        rejected=(*(drop for result in examined for drop in result.rejected), *unsaid, *silenced),
        skipped=skipped,
        coverage=coverage(change, picked, skipped),
        manifest=manifest(config, engine),
        base=change.base,
        head=change.head,
    )


def examine(change: Change, pick: Picked, config: Config, engine: Engine, guidelines: str) -> Examined:
    """Read one hunk: the checks that need no model, then the model's evidence."""
    checked = tuple(_checked(pick, remark) for remark in hygiene.remarks(pick.file, pick.hunk))
    rules = tuple(rule for rule in config.rules if pick.matches(rule.paths))
    try:
        read = read_evidence(change, pick, config, engine)
        judged = judge(change, read, config, engine, guidelines, rules) if read else Examined()
    except errors.PromptTooLong as error:
        reason = f"needs {error.tokens} tokens, the context holds {error.limit}"
        judged = Examined(skipped=(Skipped(pick.file.path, reason, pick.hunk_index, fault=True),))
    except errors.NativeFailure as error:
        lost = Skipped(pick.file.path, str(error), pick.hunk_index, fault=True)
        judged = Examined(skipped=(lost,), failure=error)
    return replace(judged, findings=(*checked, *judged.findings))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the cheap questions gave: the hunk as read, the numbers, and the lines under suspicion."""

    context: HunkContext
    features: Mapping[str, float]
    suspects: tuple[evidence.Suspect, ...]


def read_evidence(change: Change, pick: Picked, config: Config, engine: Engine) -> Evidence | None:
    """Score a hunk's new and old text; None if it changes nothing that can be scored."""
    context = hidden(with_context(change, pick, lambda text: _tokens(engine, text), config.context_tokens))
    read = evidence.sides(context)
    if read is None:
        return None
    new, old = _scored(engine.ask(prompt.likelihoods(read.before, read.new.text, read.old.text)))
    return Evidence(context, evidence.features(read, new, old), evidence.suspects(read, new))


def judge(
    change: Change,
    read: Evidence,
    config: Config,
    engine: Engine,
    guidelines: str,
    rules: tuple[Rule, ...],
) -> Examined:
    """Decide whether a hunk is wrong, and if so name, verify and mend it."""
    context, suspects = read.context, read.suspects
    lines = commentable(context)
    if not lines:
        return Examined()
    layer = evidence.layer_for(engine.card().digest)
    found = _candidate(context, lines, suspects, layer.probability(read.features), layer.calibrated)
    if config.effort != "deep" and found.confidence < GATE * config.min_confidence:
        return _too_unsure(found, config)
    categories = _categories(config, rules)
    shown = prompt.view(context, guidelines)
    decided = _choices(engine.ask(prompt.decisions(shown, categories)))
    confidence = layer.probability({**read.features, **evidence.asked(decided)})
    found = replace(found, confidence=round(confidence, 4), category=findings.category_of(decided))
    if found.confidence < config.min_confidence:
        return _too_unsure(found, config)
    return _worded(engine, shown, found, lines, suspects, change, config, rules, categories)


def _worded(
    engine: Engine,
    shown: prompt.View,
    found: Finding,
    lines: tuple[int, ...],
    suspects: Sequence[evidence.Suspect],
    change: Change,
    config: Config,
    rules: tuple[Rule, ...],
    categories: tuple[Category, ...],
) -> Examined:
    """Have the model word a finding on one of the likeliest lines, verify it, and look for a suggestion."""
    likeliest = tuple(sorted([suspect.line for suspect in suspects][:FOCUS_LINES])) or lines[:FOCUS_LINES]
    asked = prompt.finding(
        shown,
        lines=likeliest,
        categories=categories,
        language=config.language,
        focus=_focus(shown.context, found.start_line, suspects),
        rules=tuple(rule.instructions for rule in rules if rule.instructions),
    )
    (answer,) = engine.ask(asked)
    assert isinstance(answer, Generated)
    draft = findings.read_draft(answer, likeliest)
    if draft is None:
        return Examined(rejected=(Rejected(found, "the model's wording was cut off or unusable"),))
    found = _at(shown.context, found, draft)
    text = found.code[0] if found.code else ""
    verified = _choices(
        engine.ask(prompt.verification(shown, found.start_line, text, found.title, found.message))
    )
    if findings.truth(verified) < VERIFY_FLOOR:
        return Examined(rejected=(Rejected(found, "the model does not stand by its own remark"),))
    return Examined(findings=(replace(found, suggestion=_suggested(change, shown.context, found)),))


def commentable(context: HunkContext) -> tuple[int, ...]:
    """New-side lines a remark may sit on: the added ones; beside a pure removal, the lines that touch it."""
    hunk = context.hunk
    if hunk.added:
        return tuple(line.new_no for line in hunk.added if line.new_no is not None)
    gone = [index for index, line in enumerate(hunk.lines) if line.kind == "removed"]
    near = {index + step for index in gone for step in (-1, 1)}
    numbers = [hunk.lines[i].new_no for i in sorted(near) if 0 <= i < len(hunk.lines)]
    return tuple(number for number in numbers if number is not None)


def hidden(context: HunkContext) -> HunkContext:
    """Hide secrets from the model: what it has not read it can't repeat."""

    def rows(lines: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
        return tuple((number, hygiene.redact(text)) for number, text in lines)

    lines = tuple(replace(line, text=hygiene.redact(line.text)) for line in context.hunk.lines)
    return replace(
        context,
        hunk=replace(context.hunk, lines=lines),
        before=rows(context.before),
        after=rows(context.after),
        imports=rows(context.imports),
    )


def bar(config: Config) -> findings.Bar:
    """Give what a finding must reach under these settings."""
    return findings.Bar(config.min_severity, config.min_confidence, config.max_comments)


def floors(change: Change, config: Config) -> tuple[tuple[str, Severity], ...]:
    """Give the paths for which a rule sets its own least severity; the last rule that matches wins."""
    return tuple(
        (file.path, rule.min_severity)
        for file in change.files
        for rule in config.rules
        if rule.min_severity is not None and Picked(file, 0, None).matches(rule.paths)
    )


def coverage(change: Change, picked: Sequence[Picked], skipped: Sequence[Skipped]) -> Coverage:
    """Count what was looked at. A hunk cut into pieces counts once, and only if every piece was read."""
    missed = {(skip.path, skip.hunk) for skip in skipped if skip.fault}
    lost_files = {path for path, hunk in missed if hunk is None}
    asked = {(pick.file.path, pick.hunk_index): pick for pick in picked}
    changed = {
        key: sum(line.kind != "context" for line in pick.file.hunks[pick.hunk_index].lines)
        for key, pick in asked.items()
    }
    read = [key for key in asked if key not in missed and key[0] not in lost_files]
    paths = {path for path, _ in asked}
    unread = {path for path, _ in asked.keys() - set(read)}
    over = len(lost_files - paths)
    return Coverage(
        files=len(paths) + over,
        files_reviewed=len(paths - unread),
        hunks=len(asked) + over,
        hunks_reviewed=len(read),
        lines=sum(changed.values()),
        lines_reviewed=sum(changed[key] for key in read),
    )


def manifest(config: Config, engine: Engine) -> Manifest:
    """Record what makes the review, so that it can be made again."""
    card = engine.card()
    names = ("language", "min_severity", "min_confidence", "max_comments", "effort", "context_tokens")
    return Manifest(
        version=VERSION,
        model=card.model,
        model_digest=card.digest,
        prompt_digest=prompt.prompt_digest(),
        calibration=evidence.layer_for(card.digest).digest,
        engine=card.build,
        settings={**card.settings, **{name: plain(getattr(config, name)) for name in names}},
    )


def _out_of_time(pick: Picked) -> Examined:
    reason = "not reached within --max-time"
    return Examined(skipped=(Skipped(pick.file.path, reason, pick.hunk_index, fault=True),))


def _tokens(engine: Engine, text: str) -> int:
    return engine.measure(Bundle((Segment(text, "raw"),), ())).shared


def _scored(answers: Sequence[object]) -> tuple[Scored, Scored]:
    new, old = answers
    assert isinstance(new, Scored)
    assert isinstance(old, Scored)
    return new, old


def _choices(answers: Sequence[object]) -> tuple[Choice, ...]:
    return tuple(answer for answer in answers if isinstance(answer, Choice))


def _categories(config: Config, rules: Sequence[Rule]) -> tuple[Category, ...]:
    """Give the categories to look for; the last rule that names some wins."""
    named = [rule.categories for rule in rules if rule.categories]
    return named[-1] if named else config.categories


def _focus(context: HunkContext, line: int, suspects: Sequence[evidence.Suspect]) -> prompt.Focus:
    expected = next((suspect.expected for suspect in suspects if suspect.line == line), "")
    return prompt.Focus(line, _text(context, line).strip(), expected.strip())


def _text(context: HunkContext, line: int) -> str:
    return next((each.text for each in context.hunk.lines if each.new_no == line), "")


def _too_unsure(found: Finding, config: Config) -> Examined:
    return Examined(rejected=(Rejected(found, f"below --min-confidence {config.min_confidence:g}"),))


def _candidate(
    context: HunkContext,
    lines: tuple[int, ...],
    suspects: Sequence[evidence.Suspect],
    confidence: float,
    calibrated: bool,
) -> Finding:
    """Make the finding that the evidence alone supports: a place and a probability, not yet worded."""
    line = suspects[0].line if suspects else lines[-1]
    category = Category.CORRECTNESS  # until the model is asked
    return Finding(
        path=context.file.path,
        start_line=line,
        end_line=line,
        severity=Severity.MEDIUM,
        category=category,
        title="Unlikely change",
        message="The model finds the old text likelier here than the new one.",
        confidence=round(confidence, 4),
        calibrated=calibrated,
        fingerprint=_fingerprint(context, category, line),
        code=(_text(context, line),),
    )


def _at(context: HunkContext, found: Finding, draft: findings.Draft) -> Finding:
    """Put the model's words into the finding, and the finding on the line the words are about."""
    return replace(
        found,
        start_line=draft.line,
        end_line=draft.line,
        severity=draft.severity,
        category=draft.category,
        title=hygiene.redact(draft.title),
        message=hygiene.redact(draft.message),
        fingerprint=_fingerprint(context, draft.category, draft.line),
        code=(_text(context, draft.line),),
    )


def _fingerprint(context: HunkContext, category: Category, line: int) -> str:
    code = (_text(context, line),)
    return fingerprint(context.file.path, category, code, context.hunk.section, "model")


def _checked(pick: Picked, remark: hygiene.Remark) -> Finding:
    """Turn a remark of a check into a finding; a secret's line is not shown."""
    text = next(line.text for line in pick.hunk.added if line.new_no == remark.line)
    code = (hygiene.redact(text),)
    return Finding(
        path=pick.file.path,
        start_line=remark.line,
        end_line=remark.line,
        severity=remark.severity,
        category=remark.category,
        title=remark.title,
        message=remark.message,
        confidence=1.0,
        calibrated=True,
        fingerprint=fingerprint(pick.file.path, remark.category, code, pick.hunk.section, remark.title),
        code=code,
    )


def _suggested(change: Change, context: HunkContext, found: Finding) -> Suggestion | None:
    """Offer the old text back where the new one is the less likely, if it applies and parses."""
    old = suggestion.restore(context.hunk, found.start_line)
    if old is None or any(hygiene.holds_secret(text) or "*" * 16 in text for text in old[2].split("\n")):
        return None
    text = change.new_texts.get(context.file.path)
    return suggestion.offer(context.file, context.hunk, text, *old)
