"""One witness of the model by itself on labelled changes, whether or not a review would ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hunkwise.engine import Engine
from hunkwise.reviewer.bench import metrics
from hunkwise.reviewer.bench.labelled.cases import Case
from hunkwise.reviewer.bench.run import Method, Remark, remarks_of
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked.competence import Remarks
from hunkwise.reviewer.judge.asked.panel import Panel, listen, own_inquiries
from hunkwise.reviewer.judge.asked.questions import questions
from hunkwise.reviewer.judge.asked.typed import hear, seen
from hunkwise.reviewer.judge.hunk import HunkResult, HunkTask
from hunkwise.reviewer.judge.pipeline import examine
from hunkwise.reviewer.judge.scope.agenda import agenda
from hunkwise.reviewer.judge.scope.selection import ReviewUnit

ASKED, QUESTIONS = "asked", "questions"


def alone(witness: str, config: Config) -> Method:
    """Give a witness as a method of its own: a free review, or all typed questions that the cost allows."""
    return _asked(config) if witness == ASKED else _questions(config)


def _asked(config: Config) -> Method:
    def reviewed(case: Case, engine: Engine) -> tuple[tuple[Remark, ...], bool]:
        panel = Panel(free=True)
        results = list(_each(case, config, engine, lambda pick, task: listen(pick, task, panel)))
        said = [found for result in results for found in result.findings]
        unsaid = [drop.finding for result in results for drop in result.rejected]
        return remarks_of(said, unsaid), any(result.skipped for result in results)

    return reviewed


def _questions(config: Config) -> Method:
    def reviewed(case: Case, engine: Engine) -> tuple[tuple[Remark, ...], bool]:
        found: list[Remark] = []

        def ask(pick: ReviewUnit, task: HunkTask) -> HunkResult:
            context = seen(pick, task.change, engine, task.settings)
            heard = hear(context, prompt.view(context), questions(), engine)
            found.extend(
                Remark(
                    pick.file.path,
                    each.due.line,
                    round(each.probability, 4),
                    each.due.statements[0],
                    each.wrong,
                    f"question {each.due.id}",
                )
                for each in heard
            )
            return HunkResult()

        results = list(_each(case, config, engine, ask))
        return tuple(found), any(result.skipped for result in results)

    return reviewed


def _each(
    case: Case, config: Config, engine: Engine, read: Callable[[ReviewUnit, HunkTask], HunkResult]
) -> Iterator[HunkResult]:
    """Have each hunk with new text of code read."""
    todo = agenda(case.change(), config)
    task = HunkTask(todo.change, config.judging, engine, "", config.rules)
    return (examine(pick, own, read) for pick, own in own_inquiries(todo.readable, task))


def counted(rows: Sequence[tuple[Case, Sequence[Remark]]]) -> Remarks:
    """Count the remarks on labelled changes, and those that are at a bug."""
    said = [(case, remark) for case, remarks in rows for remark in remarks if remark.said]
    right = sum(
        any(place.path == remark.path and metrics.near(remark.line, place.lines) for place in case.places)
        for case, remark in said
    )
    return Remarks(len(said), right)
