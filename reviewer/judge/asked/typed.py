"""The witness of typed questions: what a model that has shown skill says of the kinds at stake in a hunk."""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.engine import Engine
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.findings.fingerprint import fingerprint
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked.competence import Competence, Figures
from hunkwise.reviewer.judge.asked.questions import Due, Heard, Question, affordable, ask, due_of, family_of
from hunkwise.reviewer.judge.context import with_function
from hunkwise.reviewer.judge.scope.askable import hidden
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.types import Change, Finding, HunkContext, Witness


def seen(pick: ReviewUnit, change: Change, engine: Engine, settings: JudgeSettings) -> HunkContext:
    """Give a hunk with its function, inside the token budget, with secrets hidden from the model."""

    def count(text: str) -> int:
        return engine.measure(prompt.alone(text)).shared

    return hidden(with_function(change, pick, count, settings.context_tokens))


def hear(context: HunkContext, shown: prompt.View, among: Sequence[Question], engine: Engine) -> list[Heard]:
    """Ask of a hunk which statements about it are true, as many of the first ones as may be paid for."""
    due = affordable(shown, due_of(context.hunk, context.file.path, among), engine)
    return ask(shown, due, engine)


def findings(
    context: HunkContext, shown: prompt.View, among: Sequence[Question], known: Competence, engine: Engine
) -> tuple[Finding, ...]:
    """Make a remark of each question whose wrong statement is the likelier one.

    How sure it is says the share of such remarks that were right when the question was measured.
    """
    family = family_of(context.file.path)
    asked = known.asked(among, family)
    by_id = {question.id: question for question in asked}
    said = [each.due for each in hear(context, shown, asked, engine) if each.wrong]
    return tuple(_finding(context, due, by_id[due.id], known.figures(by_id[due.id], family)) for due in said)


def _finding(context: HunkContext, due: Due, question: Question, figures: Figures | None) -> Finding:
    assert figures is not None
    text = next(line.text for line in context.hunk.added if line.new_no == due.line)
    return Finding(
        path=context.file.path,
        part=context.file.part,
        start_line=due.line,
        end_line=due.line,
        severity=question.severity,
        category=question.category,
        title=question.title,
        message=due.statements[0],
        confidence=round(figures.share, 4),
        calibrated=True,
        fingerprint=fingerprint(context.file.path, (text,), context.hunk.section, f"question {question.id}"),
        code=(text,),
        witnesses=(Witness(f"question {question.id}", f"the model holds it for true: {due.statements[0]}"),),
        advice=f"Right would be: {due.statements[1]}",
    )
