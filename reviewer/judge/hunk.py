"""One hunk on its way through the judgement: what is needed to judge it, what was read of it, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.config.path_rules import Rule
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.context import ABOVE, with_context
from hunkwise.reviewer.judge.likelihood.blocks import spread
from hunkwise.reviewer.judge.likelihood.evidence import Reading, Suspect
from hunkwise.reviewer.judge.scope.askable import Told, hidden
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.languages.comments import Codes
from hunkwise.reviewer.source.provenance import is_test
from hunkwise.reviewer.types import Change, FileKey, Finding, HunkContext, Rejected, Replacement, Skipped

DEPTHS = {"quick": 0, "normal": 1, "deep": 3}  # times the context, by --effort; quick reads the hunk alone


@dataclass(frozen=True, slots=True)
class HunkResult:
    """What came of one hunk. `failure` is the engine's, where it failed on this hunk."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failure: errors.NativeFailure | None = None


@dataclass(frozen=True, slots=True)
class HunkTask:
    """What every step of judging a hunk needs; `rules`, `refactorings`, `codes` and `setting` are its file's.

    `setting` says how the change was made, in numbers that need no model: a slip is made in one place (`spread`,
    blocks.py), and `tests` are rewritten as their subject is.

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
class Candidate:
    """A block of changed lines (indices in the hunk) and the evidence about it.

    `lines` are those a remark may sit on.
    """

    block: range
    lines: tuple[int, ...]
    reading: Reading
    features: Mapping[str, float]
    suspects: tuple[Suspect, ...]

    @property
    def line(self) -> int:
        """The line that a remark would sit on, before it is worded."""
        return self.suspects[0].line if self.suspects else self.lines[-1]


def inquiries(
    picked: Sequence[ReviewUnit], task: HunkTask, told: Mapping[FileKey, Told]
) -> list[tuple[ReviewUnit, HunkTask]]:
    """Give each hunk a task of its own, with the rules for its path and what is `told` of its file."""
    asked = []
    places = spread(task.change.files)
    for pick in picked:
        rules = tuple(rule for rule in task.rules if pick.matches(rule.paths))
        known = told[pick.file.key]
        setting = {"spread": places, "tests": float(is_test(pick.file.path))}
        own = replace(
            task,
            rules=rules,
            refactorings=known.refactorings,
            codes=known.codes,
            setting=setting,
            repeated=known.repeated,
        )
        asked.append((pick, own))
    return asked


def read_with_context(pick: ReviewUnit, task: HunkTask) -> HunkContext:
    """Give a hunk its surroundings inside the token budget, with secrets hidden from the model."""

    def count(text: str) -> int:
        return task.engine.measure(prompt.alone(text)).shared

    depth = DEPTHS[task.settings.effort]
    budget = task.settings.context_tokens * depth
    context = with_context(task.change, pick, count, budget, ABOVE * depth)
    told = Told(task.refactorings, task.codes)
    return hidden(
        replace(
            context,
            refactorings=told.pairs,
            codes=told.codes,
            setting=task.setting,
            repeated=task.repeated,
        )
    )
