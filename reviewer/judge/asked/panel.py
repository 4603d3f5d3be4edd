"""Who is asked in words: which questions a model may be asked, and whether it may review freely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hunkwise.engine import NO_CARD, Capability, EngineCard
from hunkwise.reviewer.config.settings import RunSettings
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked import typed
from hunkwise.reviewer.judge.asked.competence import NOTHING, Competence, competence_of
from hunkwise.reviewer.judge.asked.free import Asking, review_freely
from hunkwise.reviewer.judge.asked.questions import questions
from hunkwise.reviewer.judge.hunk import HunkResult, HunkTask
from hunkwise.reviewer.judge.scope.askable import NEW_CODE
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.wording.remark import categories_of
from hunkwise.reviewer.types import Skipped

LEAST_PARAMETERS = 6_500_000_000  # what is called a 7B has 6.7 to 8 billion


@dataclass(frozen=True, slots=True)
class Panel:
    """The witnesses of a model that are asked in words: its skilled questions, and whether it reviews freely."""

    competence: Competence = NOTHING
    free: bool = False

    @property
    def hears(self) -> bool:
        """Whether anything is asked."""
        return self.free or self.competence.asks

    @property
    def names(self) -> str:
        """Name the witnesses, for the manifest."""
        return ", ".join(["questions"] * self.competence.asks + ["asked"] * self.free)


SILENT = Panel()


def panel_of(card: EngineCard, run: RunSettings) -> Panel:
    """Decide who is asked, by the setting `asked`, what was measured, and the size of the model.

    Raises ConfigError for a table of the user's that can't be read.
    """
    if card == NO_CARD or run.asked == "off":
        return SILENT
    return of_model(card.digest, card.parameters, run, able=not card.lacks(Capability.GENERATE))


def of_model(digest: str, parameters: int, run: RunSettings, *, able: bool = True) -> Panel:
    """Decide the same of a model that is not opened. What was measured goes before its size."""
    known = competence_of(digest, run.competence_file)
    large = parameters >= LEAST_PARAMETERS if known.free is None else known.free.skilled
    return Panel(known, able and (run.asked == "on" or large))


def own_inquiries(picked: Sequence[ReviewUnit], task: HunkTask) -> list[tuple[ReviewUnit, HunkTask]]:
    """Give each hunk a task with the project's rules for its path."""
    return [
        (pick, replace(task, rules=tuple(rule for rule in task.rules if pick.matches(rule.paths))))
        for pick in picked
    ]


def listen(pick: ReviewUnit, task: HunkTask, panel: Panel) -> HunkResult:
    """Ask about one hunk all that the model may be asked. Raises EngineError as `judge` does."""
    context = typed.seen(pick, task.change, task.engine, task.settings)
    shown = prompt.view(context, task.guidelines)
    found = typed.findings(context, shown, questions(), panel.competence, task.engine)
    if not panel.free:
        return HunkResult(found)
    measured = panel.competence.free
    asking = Asking(
        task.engine,
        task.settings,
        task.change,
        categories_of(task),
        task.guidelines,
        tuple(rule.instructions for rule in task.rules if rule.instructions),
        None if measured is None else measured.share,
    )
    said, unsaid = review_freely(context, shown, asking)
    return HunkResult((*found, *said), unsaid)


def read_after_all(skipped: Sequence[Skipped], heard: Sequence[ReviewUnit]) -> list[Skipped]:
    """Leave out of what was skipped the new code that a witness has read after all."""
    places = {pick.place for pick in heard}
    return [
        skip
        for skip in skipped
        if skip.fault or skip.place not in places or not skip.reason.startswith(NEW_CODE)
    ]
