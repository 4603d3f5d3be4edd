"""The table of contents of the program: from a change to a review.

    agenda → check, and read by rules → recall, or judge each hunk (memory.py, judgement.py) → suppress → rank

Each hunk is read alone. What is cheap is asked of every hunk, what is dear only where the cheap evidence
points at something. Whatever is not said is counted with its reason.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hunkwise.engine import Around, Bundle, Capability, Engine, errors
from hunkwise.reviewer.checks.pack import known_ids, other_names
from hunkwise.reviewer.checks.run import RuleSet, inspect
from hunkwise.reviewer.config.settings import Config, Limits
from hunkwise.reviewer.findings import checks, ranking
from hunkwise.reviewer.findings.fingerprint import distinguish
from hunkwise.reviewer.findings.suppressions import NOTHING, Suppressions, expired
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked.doubts import undoubted
from hunkwise.reviewer.judge.asked.panel import Panel, listen, own_inquiries, panel_of, read_after_all
from hunkwise.reviewer.judge.hunk import HunkResult, HunkTask, inquiries
from hunkwise.reviewer.judge.judgement import judge, unable, without_words
from hunkwise.reviewer.judge.likelihood.precision import aim
from hunkwise.reviewer.judge.memory import Memory, Recall
from hunkwise.reviewer.judge.progress import Observer, Teller
from hunkwise.reviewer.judge.scope.agenda import (
    LATE,
    Agenda,
    TimeLeft,
    agenda,
    without_likelihood,
    without_model,
)
from hunkwise.reviewer.judge.scope.coverage import coverage, manifest
from hunkwise.reviewer.judge.scope.selection import ReviewUnit
from hunkwise.reviewer.judge.scope.skips import also_read, late, merged
from hunkwise.reviewer.judge.thresholds import settled
from hunkwise.reviewer.linters.claims import UNHEARD, Analysis, joined
from hunkwise.reviewer.types import (
    Change,
    FileKey,
    Finding,
    Place,
    Review,
    Severity,
    Skipped,
)


def review(
    change: Change,
    config: Config,
    engine: Engine,
    *,
    guidelines: str = "",
    silence: Suppressions = NOTHING,
    memory: Memory | None = None,
    observer: Observer = lambda progress: None,
    own_rules: Sequence[Mapping[str, Any]] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Review:
    """Review a change. Deterministic: the same change, settings and engine give an equal `Review`.

    With a memory, a hunk that an earlier review read is not read again (memory.py), and what is read is kept.

    A hunk that is too long, or on which the engine fails, becomes `Skipped(fault=True)`, and the review is
    incomplete; so is a review whose remarks the model can't word. Other errors of the engine are raised, and so is
    a failure on every hunk. Raises UsageError for a precision that the model can't be held to.
    """
    time_left = allowance(config, clock)
    return carry_out(
        agenda(change, config, time_left),
        config,
        engine,
        guidelines=guidelines,
        silence=silence,
        memory=memory,
        observer=observer,
        own_rules=own_rules,
        time_left=time_left,
    )


def carry_out(
    todo: Agenda,
    config: Config,
    engine: Engine,
    *,
    guidelines: str,
    silence: Suppressions = NOTHING,
    memory: Memory | None,
    observer: Observer,
    own_rules: Sequence[Mapping[str, Any]] = (),
    analysis: Analysis = UNHEARD,
    time_left: TimeLeft,
) -> Review:
    """Do what stands on an agenda, as `review` does; the engine is used only where something is asked.

    `analysis` is what other tools say of the change.
    """
    panel = panel_of(engine.card(), config)
    if todo.asked and engine.card().lacks(Capability.SCORE):
        without = without_likelihood if panel.hears else without_model
        todo = without(todo, f"likelihood is skipped: {unable(engine.card())}")
    heard = todo.readable if panel.hears else ()
    asking = bool(todo.asked or heard)
    if todo.asked:
        config = aim(config, engine)
    tell = Teller(config, silence, len(todo.asked) + len(heard), observer)
    checked, unchecked = _check_all(todo, tell, time_left, partial(known_ids, own_rules))
    ruled, unruled = _inspect_all(todo, ruleset(config, own_rules), checked, tell, time_left)
    task = HunkTask(todo.change, config.judging, _Hasty(engine, time_left), guidelines, config.rules)
    ruled, denied = undoubted(ruled, heard, task, panel.competence)
    asked = inquiries(todo.asked, task, todo.told)
    examined = _examine_all(asked, Recall(memory, asked), tell, time_left)
    examined = without_words(todo.asked, examined, engine.card().model) if asked else []
    examined += _listen_all(own_inquiries(heard, task), panel, tell, len(asked), time_left)
    failures = [result.failure for result in examined if result.failure]
    if failures and len(failures) == len(examined):
        raise failures[0]
    known = joined([*checked, *ruled], analysis.claims, _also(ruled, own_rules) if analysis.claims else {})
    made = distinguish([*known, *(found for result in examined for found in result.findings)])
    said, unsaid = settled(made, todo.change, config, silence)
    missed = [
        *(also_read(late(skip, unchecked), analysis) for skip in read_after_all(todo.skipped, heard)),
        *(skip for result in examined for skip in result.skipped),
    ]
    faulty = {skip.key for skip in missed if skip.fault}
    skipped = merged([*missed, *(skip for skip in unruled if skip.key not in faulty), *analysis.skipped])
    return Review(
        findings=said,
        rejected=(*denied, *(drop for result in examined for drop in result.rejected), *unsaid),
        skipped=skipped,
        coverage=coverage(
            (*todo.asked, *heard), [pick for pick in todo.checked if pick.place not in unchecked], skipped
        ),
        manifest=manifest(
            config,
            engine if asking else None,
            expired(made, silence),
            analyzers=analysis.names,
            panel=panel.names if asking else "",
            elsewhere=analysis.elsewhere,
        ),
        base=todo.change.base,
        head=todo.change.head,
    )


def allowance(config: Limits, clock: Callable[[], float] = time.monotonic) -> TimeLeft:
    """Start the time that --max-time gives to all of a review."""
    end = clock() + config.max_time if config.max_time else math.inf
    return lambda: end - clock()


class _Hasty(Around):
    """An engine that is given no more time than there is left."""

    def __init__(self, inner: Engine, time_left: TimeLeft) -> None:
        super().__init__(inner)
        self._time_left = time_left

    def before(self, bundle: Bundle) -> Bundle:
        """Give the bundle a deadline."""
        left = self._time_left()
        if left <= 0:
            raise errors.DeadlineExceeded(LATE)
        return bundle if left == math.inf else replace(bundle, deadline=left)


def _check_all(
    todo: Agenda, tell: Teller, time_left: TimeLeft, rules: Callable[[], Collection[str]]
) -> tuple[list[Finding], set[Place | FileKey]]:
    """Make the remarks that need no model; gives also the hunks, and their files, not reached in time."""
    made: list[Finding] = []
    for number, pick in enumerate(todo.checked):
        if time_left() <= 0:
            return made, {name for left in todo.checked[number:] for name in (left.place, left.file.key)}
        found = checks.checks(pick.file, pick.whole, rules)
        tell.found(pick, found, 0)
        made += found
    return made, set()


def _inspect_all(
    todo: Agenda, rules: RuleSet, checked: Sequence[Finding], tell: Teller, time_left: TimeLeft
) -> tuple[list[Finding], list[Skipped]]:
    """Read the files by rules; gives also those that could not be read, or not in time."""
    made: list[Finding] = []
    missed: list[Skipped] = []
    for file in todo.inspected:
        if time_left() <= 0:
            missed.append(Skipped(file.path, f"{LATE}: rules", fault=True, part=file.part))
            continue
        found, skip = inspect(file, todo.change, rules)
        found = ranking.beside(found, checked)
        missed += [skip] if skip else []
        tell.found_in(file, found)
        made += found
    return made, missed


def ruleset(config: Config, own: Sequence[Mapping[str, Any]] = ()) -> RuleSet:
    """Give the rules that read under these settings, a project's `own` ones with them."""
    return RuleSet(
        off=config.disabled_rules,
        own=tuple(own),
        severities=severities(config),
        categories=config.categories,
    )


def severities(config: Config) -> dict[str, Severity]:
    """Give the severities that a project gives to rules, by their names."""
    pairs = (pair.split("=") for pair in config.rule_severities)
    return {name: Severity(severity) for name, severity in pairs}


def _also(ruled: Iterable[Finding], own: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Give, for each rule that said something, the names of the same check in other tools."""
    mine = {rule["id"]: frozenset(rule.get("also", ())) for rule in own}
    return {name: mine.get(name) or other_names(name) for name in {found.source.rule for found in ruled}}


def _examine_all(
    asked: Sequence[tuple[ReviewUnit, HunkTask]], recall: Recall, tell: Teller, time_left: TimeLeft
) -> list[HunkResult]:
    """Recall or examine each hunk."""
    examined: list[HunkResult] = []
    recalled = 0
    for number, (pick, task) in enumerate(asked):
        tell(number, pick.file.path, recalled)
        result = recall.of(number)
        if result is not None:
            recalled += 1
        else:
            result = examine(pick, task) if time_left() > 0 else _out_of_time(pick)
            recall.keep(number, result)
        examined.append(result)
        tell.found(pick, result.findings, number + 1, recalled)
    tell(len(asked), recalled=recalled)
    return examined


def _listen_all(
    asked: Sequence[tuple[ReviewUnit, HunkTask]], panel: Panel, tell: Teller, before: int, time_left: TimeLeft
) -> list[HunkResult]:
    """Ask the model in words about each hunk, after `before` others were read."""
    examined: list[HunkResult] = []
    for number, (pick, task) in enumerate(asked, before):
        tell(number, pick.file.path)
        result = (
            examine(pick, task, lambda pick, task: listen(pick, task, panel))
            if time_left() > 0
            else _out_of_time(pick)
        )
        examined.append(result)
        tell.found(pick, result.findings, number + 1)
    if asked:
        tell(before + len(asked))
    return examined


def examine(
    pick: ReviewUnit, task: HunkTask, read: Callable[[ReviewUnit, HunkTask], HunkResult] = judge
) -> HunkResult:
    """Have the model read one hunk; what it can't read becomes a stated fault."""
    try:
        return read(pick, task)
    except errors.DeadlineExceeded:
        return _out_of_time(pick)
    except errors.PromptTooLong as error:
        return HunkResult(skipped=(pick.skipped(_too_long(error, task), fault=True),))
    except errors.InvalidQuestion as error:
        return HunkResult(skipped=(pick.skipped(str(error), fault=True),))
    except errors.NativeFailure as error:
        return HunkResult(skipped=(pick.skipped(str(error), fault=True),), failure=error)


def _too_long(error: errors.PromptTooLong, task: HunkTask) -> str:
    """Say what does not fit; where the code alone would, that it is for the project's own text."""
    reason = f"needs {error.tokens} tokens, the context holds {error.limit}"
    text = "\n".join([task.guidelines, *(rule.instructions for rule in task.rules)]).strip()
    own = task.engine.measure(prompt.alone(text)).shared if text else 0
    if not own or error.tokens - own > error.limit:
        return reason
    what = "guidelines and instructions" if any(rule.instructions for rule in task.rules) else "guidelines"
    return f"{reason}; the project's {what} take {own} of them: shorten them, or raise num_ctx"


def _out_of_time(pick: ReviewUnit) -> HunkResult:
    return HunkResult(skipped=(pick.skipped(LATE, fault=True),))
