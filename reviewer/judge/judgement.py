"""Judging one hunk: the cheap evidence first, and words only for what it points at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hunkwise.engine import Bundle, Capability, Choice, Engine, EngineCard, Generated, Scored, Segment, errors
from hunkwise.reviewer.checks.files import is_test
from hunkwise.reviewer.config.path_rules import Rule
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.findings import ranking, suggestion
from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.context import ABOVE, with_context
from hunkwise.reviewer.judge.likelihood import evidence
from hunkwise.reviewer.judge.likelihood.calibration import Layer, layer_for
from hunkwise.reviewer.judge.scope.askable import NEW_CODE, Told, commentable, hidden, unread
from hunkwise.reviewer.judge.scope.selection import Picked
from hunkwise.reviewer.judge.wording import sentences
from hunkwise.reviewer.judge.wording.facts import Facts
from hunkwise.reviewer.languages.comments import Codes
from hunkwise.reviewer.text.redaction import REDACTED, redact
from hunkwise.reviewer.types import (
    Category,
    Change,
    FileKey,
    Finding,
    HunkContext,
    Rejected,
    Replacement,
    Severity,
    Skipped,
    Suggestion,
    Witness,
)

FOCUS_LINES = 5  # the model may name one of so many lines, the likeliest first
NEAR_LINES = 15  # around a block, for wording a remark on it
VERIFY_FLOOR = 0.25  # a remark that the model itself holds for untrue in both polarities is dropped
LIKELIHOOD = Witness("likelihood", "the model finds the old text likelier here than the new one")
# What it takes to word a remark, verify it, and name its kind
WORDING = (Capability.GENERATE, Capability.SCHEMA, Capability.CHOOSE)
UNUSABLE = "the model's wording was cut off or unusable"
UNTRUE = "the model does not stand by its own remark"
DEPTHS = {"quick": 0, "normal": 1, "deep": 3}  # times the context, by --effort; quick reads the hunk alone


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of one hunk. `failure` is the engine's, where it failed on this hunk."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failure: errors.NativeFailure | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What every step of judging a hunk needs; `rules`, `refactorings`, `codes` and `setting` are its file's.

    `setting` says how the change was made, in numbers that need no model: a slip is made in one place (`spread`,
    evidence.py), and `tests` are rewritten as their subject is.

    `settings` holds nothing else: it is a part of the name that the memory knows a hunk by.
    """

    change: Change
    settings: JudgeSettings
    engine: Engine
    guidelines: str = ""
    rules: tuple[Rule, ...] = ()
    refactorings: Mapping[str, str] = field(default_factory=dict)
    codes: Codes = field(default_factory=dict)
    setting: Mapping[str, float] = field(default_factory=dict)
    repeated: frozenset[Replacement] = frozenset()


@dataclass(frozen=True, slots=True)
class Spot:
    """A block of changed lines (indices in the hunk) and the evidence about it.

    `lines` are those a remark may sit on.
    """

    block: range
    lines: tuple[int, ...]
    reading: evidence.Reading
    features: Mapping[str, float]
    suspects: tuple[evidence.Suspect, ...]

    @property
    def line(self) -> int:
        """The line that a remark would sit on, before it is worded."""
        return self.suspects[0].line if self.suspects else self.lines[-1]


def inquiries(
    picked: Sequence[Picked], inquiry: Inquiry, told: Mapping[FileKey, Told]
) -> list[tuple[Picked, Inquiry]]:
    """Give each hunk an inquiry of its own, with the rules for its path and what is `told` of its file."""
    asked = []
    spread = evidence.spread(inquiry.change.files)
    for pick in picked:
        rules = tuple(rule for rule in inquiry.rules if pick.matches(rule.paths))
        known = told[pick.file.key]
        setting = {"spread": spread, "tests": float(is_test(pick.file.path))}
        own = replace(
            inquiry,
            rules=rules,
            refactorings=known.refactorings,
            codes=known.codes,
            setting=setting,
            repeated=known.repeated,
        )
        asked.append((pick, own))
    return asked


def judge(pick: Picked, inquiry: Inquiry) -> Examined:
    """Decide which blocks of a hunk are wrong, and name, verify and mend those.

    Raises PromptTooLong and NativeFailure.
    """
    context = read_with_context(pick, inquiry)
    spots = read_evidence(context, inquiry.engine)
    layer = layer_for(inquiry.engine.card().digest)
    outcomes = []
    for spot in spots:
        if not spot.reading.sides.old.code:
            continue  # read for the words that moved there; nothing speaks against new code
        found = _candidate(context, spot, layer)
        if found.confidence < inquiry.settings.min_confidence:
            reason = f"below --min-confidence {inquiry.settings.min_confidence:g}"
            outcomes.append(Examined(rejected=(Rejected(found, reason),)))
            continue
        able = not inquiry.engine.card().lacks(*WORDING)
        outcomes.append((_worded if able else _bare)(context, found, spot, inquiry))
    return Examined(
        tuple(found for outcome in outcomes for found in outcome.findings),
        tuple(drop for outcome in outcomes for drop in outcome.rejected),
    )


def without_words(picked: Sequence[Picked], examined: Sequence[Examined], model: str) -> list[Examined]:
    """Where the model could word no remark of a whole review, make its hunks with remarks faults.

    One wording cut off among good ones is an accident. Without a good one the model, or its template, is sick.
    """
    if any(result.findings or UNTRUE in {drop.reason for drop in result.rejected} for result in examined):
        return list(examined)
    reason = f"{model} could put no remark into words: all were cut off or unusable; choose another model"
    return [_wordless(pick, result, reason) for pick, result in zip(picked, examined, strict=True)]


def _wordless(pick: Picked, result: Examined, reason: str) -> Examined:
    rest = tuple(drop for drop in result.rejected if drop.reason != UNUSABLE)
    if len(rest) == len(result.rejected):
        return result
    return replace(result, rejected=rest, skipped=(*result.skipped, pick.skipped(reason, fault=True)))


def read_with_context(pick: Picked, inquiry: Inquiry) -> HunkContext:
    """Give a hunk its surroundings inside the token budget, with secrets hidden from the model."""

    def count(text: str) -> int:
        return inquiry.engine.measure(Bundle((Segment(text, "raw"),), ())).shared

    depth = DEPTHS[inquiry.settings.effort]
    budget = inquiry.settings.context_tokens * depth
    context = with_context(inquiry.change, pick, count, budget, ABOVE * depth)
    told = Told(inquiry.refactorings, inquiry.codes)
    return hidden(
        replace(
            context,
            refactorings=told.pairs,
            codes=told.codes,
            setting=inquiry.setting,
            repeated=inquiry.repeated,
        )
    )


def read_evidence(context: HunkContext, engine: Engine) -> tuple[Spot, ...]:
    """Score the new and the old text of every block of changed code."""
    read: list[tuple[range, tuple[int, ...], evidence.Reading]] = []
    for block in evidence.blocks(context.hunk):
        if unread(context, block) not in ("", NEW_CODE):
            continue
        sides = evidence.sides(context, block)
        lines = commentable(context.hunk, block, sides)
        new, old = engine.ask(prompt.likelihoods(sides.before, sides.new.text, sides.old.text))
        assert isinstance(new, Scored)
        assert isinstance(old, Scored)
        read.append((block, lines, evidence.reading(sides, new, old)))
    readings = [reading for _, _, reading in read]
    return tuple(
        Spot(
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


def _bare(context: HunkContext, found: Finding, spot: Spot, inquiry: Inquiry) -> Examined:
    """Make a remark that says what was changed, and no more: of an engine that can't word one."""
    facts = Facts(*known_of(context, found.start_line))
    draft = ranking.Draft(found.start_line, found.severity, found.title, found.message)
    told = _telling(draft, facts, "", english=inquiry.settings.language == "English")
    mended = suggested(context, found.start_line, inquiry.change)
    return Examined(findings=(replace(_at(context, found, told, found.category), suggestion=mended),))


def _worded(context: HunkContext, found: Finding, spot: Spot, inquiry: Inquiry) -> Examined:
    """Have a remark worded on one of the likeliest lines, verify it, and ask which kind of problem it is."""
    engine, language = inquiry.engine, inquiry.settings.language
    seen = narrowed(context, spot.block)
    shown = prompt.view(seen, inquiry.guidelines)
    rules = tuple(rule.instructions for rule in inquiry.rules if rule.instructions)
    likeliest = tuple(sorted([suspect.line for suspect in spot.suspects][:FOCUS_LINES])) or spot.lines
    focus = _focus(context, found.start_line)
    asked = prompt.finding(
        shown,
        lines=likeliest[:FOCUS_LINES],
        quotes=prompt.quotable(seen),
        language=language,
        focus=focus,
        rules=rules,
    )
    (answer,) = engine.ask(asked)
    assert isinstance(answer, Generated)
    draft = ranking.read_draft(answer, likeliest)
    if draft is None:
        return Examined(rejected=(Rejected(found, UNUSABLE),))
    code = text_of(context, draft.line)
    rules_told = " ".join((inquiry.guidelines, *rules))
    prompted = sentences.Prompted(prompt.role(), prompt.request(focus, language), rules_told)
    title, message = (
        sentences.sound(text, prompted, code, prompt.MAX_MESSAGE)
        for text in (sentences.whole(draft.title, prompt.MAX_TITLE), draft.message)
    )
    draft = replace(draft, title=title or found.title, message=message or found.message)
    facts = Facts(*known_of(context, draft.line))
    categories = categories_of(inquiry)
    check = prompt.grading(shown, draft.line, code, draft.title, draft.message, categories)
    graded = tuple(answer for answer in engine.ask(check) if isinstance(answer, Choice))
    telling = _telling(draft, facts, message, english=language == "English")
    found = _at(context, found, telling, ranking.category_of(graded, categories))
    if ranking.truth(graded) < VERIFY_FLOOR:
        return Examined(rejected=(Rejected(found, UNTRUE),))
    mended = suggested(context, found.start_line, inquiry.change)
    return Examined(findings=(replace(found, suggestion=mended),))


def _telling(draft: ranking.Draft, facts: Facts, message: str, *, english: bool) -> ranking.Draft:
    """Say the facts first, then the model's first sentence that does not contradict them, if there is one."""
    if not english:
        return replace(draft, message=f"{facts.sentence} {draft.message}")
    kept = next(filter(facts.agrees, sentences.sentences(message)), "")
    return replace(
        draft, title=facts.title or draft.title, message=f"{facts.sentence} {kept.strip()}".strip()
    )


def narrowed(context: HunkContext, block: range) -> HunkContext:
    """Show one block as the only change, with the lines near it, so that the words are about that one."""
    first, last = block.start - NEAR_LINES, block.stop + NEAR_LINES
    lines = tuple(
        line if index in block else replace(line, kind="context")
        for index, line in enumerate(context.hunk.lines)
        if first <= index < last and (index in block or line.kind != "removed")
    )
    above, below = max(0, -first), max(0, last - len(context.hunk.lines))
    return replace(
        context,
        hunk=replace(context.hunk, lines=lines),
        before=context.before[len(context.before) - above :] if above else (),
        after=context.after[:below],
    )


def categories_of(inquiry: Inquiry) -> tuple[Category, ...]:
    """Give the categories to look for; the last rule that names some wins."""
    named = [rule.categories for rule in inquiry.rules if rule.categories]
    return named[-1] if named else inquiry.settings.categories


def _focus(context: HunkContext, line: int) -> prompt.Focus:
    """Point at a line, and at what stood there before if something did."""
    old, new, here = known_of(context, line)
    return prompt.Focus(line, new, old, here)


def known_of(context: HunkContext, line: int) -> tuple[tuple[str, ...], str, bool]:
    """Give what went at a line, what is there now, and whether that came in for it."""
    old = suggestion.replaced(context.hunk, line)
    here = any(each.new_no == line and each.kind == "added" for each in context.hunk.lines)
    return tuple(text.strip() for text in old if text.strip()), text_of(context, line).strip(), here


def text_of(context: HunkContext, line: int) -> str:
    """Give the text of a new-side line of the hunk, as the model was shown it."""
    return next((each.text for each in context.hunk.lines if each.new_no == line), "")


def _candidate(context: HunkContext, spot: Spot, layer: Layer) -> Finding:
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


def _at(context: HunkContext, found: Finding, draft: ranking.Draft, category: Category) -> Finding:
    """Put the model's words into the finding, and the finding on the line the words are about."""
    return replace(
        found,
        start_line=draft.line,
        end_line=draft.line,
        severity=draft.severity,
        category=category,
        title=redact(draft.title),
        message=redact(draft.message),
        fingerprint=name_of(context, draft.line),
        code=(text_of(context, draft.line),),
    )


def name_of(context: HunkContext, line: int) -> str:
    """Name the model's remark on a line of the hunk."""
    return fingerprint(context.file.path, (text_of(context, line),), context.hunk.section, "model")


def suggested(context: HunkContext, line: int, change: Change) -> Suggestion | None:
    """Offer the old text back where the new one is the less likely, if it applies and parses."""
    old = suggestion.restore(context.hunk, line)
    if old is None or REDACTED in old[2]:
        return None
    text = change.text(context.file)
    return suggestion.offer(context.file, context.hunk, text, *old)
