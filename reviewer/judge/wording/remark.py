"""The words of a remark: asked of the model on one of the likeliest lines, verified, and graded."""

from __future__ import annotations

from dataclasses import replace

from hunkwise.engine import Capability, Choice, Generated
from hunkwise.reviewer.findings import ranking, suggestion
from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.hunk import Candidate, HunkResult, HunkTask
from hunkwise.reviewer.judge.wording import sentences
from hunkwise.reviewer.judge.wording.facts import Facts
from hunkwise.reviewer.text.redaction import REDACTED, redact
from hunkwise.reviewer.types import Category, Change, Finding, HunkContext, Rejected, Suggestion

FOCUS_LINES = 5  # the model may name one of so many lines, the likeliest first
NEAR_LINES = 15  # around a block, for wording a remark on it
VERIFY_FLOOR = 0.25  # a remark that the model itself holds for untrue in both polarities is dropped
# What it takes to word a remark, verify it, and name its kind
WORDING = (Capability.GENERATE, Capability.SCHEMA, Capability.CHOOSE)
UNUSABLE = "the model's wording was cut off or unusable"
UNTRUE = "the model does not stand by its own remark"


def bare(context: HunkContext, found: Finding, spot: Candidate, task: HunkTask) -> HunkResult:
    """Make a remark that says what was changed, and no more: of an engine that can't word one."""
    facts = Facts(*known_of(context, found.start_line))
    draft = ranking.Draft(found.start_line, found.severity, found.title, found.message)
    told = _telling(draft, facts, "", english=task.settings.language == "English")
    mended = suggested(context, found.start_line, task.change)
    return HunkResult(findings=(replace(_at(context, found, told, found.category), suggestion=mended),))


def worded(context: HunkContext, found: Finding, spot: Candidate, task: HunkTask) -> HunkResult:
    """Have a remark worded on one of the likeliest lines, verify it, and ask which kind of problem it is."""
    engine, language = task.engine, task.settings.language
    seen = narrowed(context, spot.block)
    shown = prompt.view(seen, task.guidelines)
    rules = tuple(rule.instructions for rule in task.rules if rule.instructions)
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
        return HunkResult(rejected=(Rejected(found, UNUSABLE),))
    code = text_of(context, draft.line)
    rules_told = " ".join((task.guidelines, *rules))
    prompted = sentences.Prompted(prompt.role(), prompt.request(focus, language), rules_told)
    title, message = (
        sentences.sound(text, prompted, code, prompt.MAX_MESSAGE)
        for text in (sentences.whole(draft.title, prompt.MAX_TITLE), draft.message)
    )
    draft = replace(draft, title=title or found.title, message=message or found.message)
    facts = Facts(*known_of(context, draft.line))
    categories = categories_of(task)
    check = prompt.grading(shown, draft.line, code, draft.title, draft.message, categories)
    graded = tuple(answer for answer in engine.ask(check) if isinstance(answer, Choice))
    telling = _telling(draft, facts, message, english=language == "English")
    found = _at(context, found, telling, ranking.category_of(graded, categories))
    if ranking.truth(graded) < VERIFY_FLOOR:
        return HunkResult(rejected=(Rejected(found, UNTRUE),))
    mended = suggested(context, found.start_line, task.change)
    return HunkResult(findings=(replace(found, suggestion=mended),))


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


def categories_of(task: HunkTask) -> tuple[Category, ...]:
    """Give the categories to look for; the last rule that names some wins."""
    named = [rule.categories for rule in task.rules if rule.categories]
    return named[-1] if named else task.settings.categories


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
