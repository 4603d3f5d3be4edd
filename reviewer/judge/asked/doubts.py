"""A rule's doubtful hit, put to a model that is skilled in such questions: is it one, or does it only look so?"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from hunkwise.engine import errors
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked import typed
from hunkwise.reviewer.judge.asked.competence import Competence
from hunkwise.reviewer.judge.asked.questions import Due, Question, ask, family_of, questions
from hunkwise.reviewer.judge.hunk import HunkTask
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.types import Finding, Rejected

SURE = 0.9  # a rule of which so many hits were right is not doubted
OPPOSITE = "the model, which is skilled in this question, holds the opposite for true"


def undoubted(
    ruled: Sequence[Finding], picked: Sequence[ReviewUnit], task: HunkTask, known: Competence
) -> tuple[list[Finding], tuple[Rejected, ...]]:
    """Part the hits that stand from those that a skilled model holds for none. What can't be asked stands."""
    if not known.asks:
        return list(ruled), ()
    kept: list[Finding] = []
    dropped: list[Rejected] = []
    for found in ruled:
        if _denied(found, picked, task, known):
            dropped.append(Rejected(found, OPPOSITE))
        else:
            kept.append(found)
    return kept, tuple(dropped)


def _denied(found: Finding, picked: Sequence[ReviewUnit], task: HunkTask, known: Competence) -> bool:
    """Ask about one hit. What a rule says as it was measured to be right is left to it."""
    family = family_of(found.path)
    question = _question(found, known.asked(questions(), family))
    pick = next((pick for pick in picked if _holds(pick, found)), None)
    if question is None or pick is None or (found.calibrated and found.confidence >= SURE):
        return False
    context = typed.seen(pick, task.change, task.engine, task.settings)
    text = found.code[0].strip() if found.code else ""
    due = Due(question.id, found.start_line, text, question.for_family(family))
    try:
        (heard,) = ask(prompt.view(context, task.guidelines), [due], task.engine)
    except (errors.PromptTooLong, errors.DeadlineExceeded, errors.NativeFailure):
        return False
    return not heard.wrong


def _question(found: Finding, among: Sequence[Question]) -> Question | None:
    """Give the question that can doubt a rule, if there is one."""
    rule = found.source.rule
    return next((each for each in among if any(fnmatchcase(rule, glob) for glob in each.rules)), None)


def _holds(pick: ReviewUnit, found: Finding) -> bool:
    here = pick.file.key == (found.path, found.part)
    return here and any(line.new_no == found.start_line for line in pick.hunk.lines)
