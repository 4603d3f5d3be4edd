"""Reviewing: from what names a change to its review. What `review` does, and a server or a bot will."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.app.baseline import read_baseline, today
from hunkwise.reviewer.app.engines import Opened, OpenEngine, listens, open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs.child import CHECKED, IDLE
from hunkwise.reviewer.app.meters import Meter, Transcript, Unasked
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.sources import Source, read_change
from hunkwise.reviewer.checks.pack import check_names, own_rules
from hunkwise.reviewer.config.guidelines import read_guidelines
from hunkwise.reviewer.config.named_files import placed, repository_root
from hunkwise.reviewer.config.own_rules import FOLDER, read_own_rules
from hunkwise.reviewer.config.settings import NO_MODEL, Config
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.findings.suppressions import Known, Suppressions
from hunkwise.reviewer.judge.judgement import unable
from hunkwise.reviewer.judge.likelihood.precision import point_for
from hunkwise.reviewer.judge.memory import Memory
from hunkwise.reviewer.judge.pipeline import allowance, carry_out, severities
from hunkwise.reviewer.judge.progress import Progress as Step
from hunkwise.reviewer.judge.scope.agenda import Agenda, TimeLeft, agenda, without_model
from hunkwise.reviewer.judge.scope.selection import is_ours
from hunkwise.reviewer.linters.claims import UNHEARD, Analysis, Claim
from hunkwise.reviewer.linters.covered import line_coverage
from hunkwise.reviewer.report.summary import is_idle
from hunkwise.reviewer.types import Change, Finding, Review, Severity, Skipped

if TYPE_CHECKING:
    from hunkwise.reviewer.knowledge.reach.values import Broken


@dataclass(frozen=True, slots=True)
class Request:
    """What to review and how. Of a change that is not `trusted`, nothing that it brings is believed.

    `reports` are those of other tools, each with its format; `coverage` those of what tests run.
    """

    source: Source
    config: Config
    trusted: bool = True
    reports: tuple[tuple[str, Path], ...] = ()
    coverage: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A review, the change it is of, one line on what it cost, and why no model could be asked if that failed."""

    review: Review
    change: Change
    statistics: str
    failure: errors.EngineError | None = None


def review_change(
    request: Request,
    environment: Environment,
    progress: Progress,
    *,
    open_engine: OpenEngine = open_engine,
    found: Callable[[Finding], None] = lambda finding: None,
    transcript: TextIO | None = None,
) -> Outcome:
    """Read the change, review it, and tell of each finding as it is confirmed.

    `found` is not called for one that comes with the last hunk: after that comes the review itself. `transcript`
    takes every prompt. Where the engine fails, the checks that need no model are made all the same, and the
    outcome has the failure. Raises ReviewError (a diff, git, a forge, the configuration).
    """
    config, started = request.config, time.perf_counter()
    guidelines, known = _guidelines(request, environment), _known(request, environment)
    watch = _Watch(progress, found)
    judge = _Judge(
        config,
        guidelines,
        _own_rules(request, environment),
        Suppressions(known, today(), trusted=request.trusted),
        watch,
        allowance(config),
    )
    change = read_change(request.source, config, environment.folder, environment.variables)
    coverage = line_coverage(change.files, request.coverage, environment.folder, environment.say)
    todo = agenda(change, config, judge.time_left, modelled=config.model != NO_MODEL)
    analysis = _analysis(request, environment, todo, judge.time_left)
    judge = replace(judge, analysis=_reached(analysis, config, environment, todo, judge.time_left))
    failure, meter, decoding = None, Meter(Unasked()), None
    with ExitStack() as stack:
        try:
            wanted = bool(todo.asked) or (bool(todo.readable) and listens(config, environment.variables))
            engine = open_engine(config, environment, progress) if wanted else Unasked()
            stack.callback(engine.close)
            meter = Meter(engine)
            if todo.asked and (sentence := unable(engine.card())):
                environment.say(sentence)
            if todo.asked and config.precision_target:
                aimed = point_for(config.precision_target, engine)
                environment.say(f"--precision-target {config.precision_target:g} gives {aimed}")
            asked = meter if transcript is None else Transcript(meter, transcript)
            opened = engine if isinstance(engine, Opened) else None
            made = judge(todo, asked, opened.memory if opened else None)
            decoding = opened.decode_seconds if opened else None
        except errors.EngineError as error:
            failure = error
            made = judge(without_model(todo, f"the model could not be asked: {error}"), Unasked())
    for sentence in change.notes:
        environment.say(sentence)
    unread = tuple(Skipped(path, why) for path, why in config.ignored)
    meter.recalled = watch.recalled
    seconds = time.perf_counter() - started
    statistics = meter.stats(seconds, decoding)
    made = replace(
        made,
        skipped=(*unread, *made.skipped),
        seconds=_told(seconds, environment),
        line_coverage=coverage,
    )
    return Outcome(made, change, statistics, failure)


def _told(seconds: float, environment: Environment) -> float:
    """Round the time that a review took; 0 where who runs it wants the same bytes each time."""
    return 0.0 if environment.variables.get("SOURCE_DATE_EPOCH") else max(round(seconds, 1), 0.1)


@dataclass(slots=True)
class _Watch:
    """Draws how far a review is, tells of its findings, and counts the hunks that were not read anew."""

    progress: Progress
    found: Callable[[Finding], None]
    recalled: int = 0

    def __call__(self, step: Step) -> None:
        if step.found and step.done < step.total:
            self.found(step.found)
        self.progress("hunks reviewed:", step.done, step.total, step.path)
        self.recalled = step.recalled


@dataclass(frozen=True, slots=True)
class _Judge:
    """All that a review is made with, but for the engine."""

    config: Config
    guidelines: str
    own_rules: tuple[Mapping[str, Any], ...]
    silence: Suppressions
    watch: _Watch
    time_left: TimeLeft
    analysis: Analysis = UNHEARD

    def __call__(self, todo: Agenda, engine: Engine, memory: Memory | None = None) -> Review:
        return carry_out(
            todo,
            self.config,
            engine,
            guidelines=self.guidelines,
            silence=self.silence,
            memory=memory,
            observer=self.watch,
            own_rules=self.own_rules,
            analysis=self.analysis,
            time_left=self.time_left,
        )


def _guidelines(request: Request, environment: Environment) -> str:
    """Read the guidelines; where the change is not trusted, as they stood before the change."""
    config, start = request.config, request.source.start
    if not request.trusted and start is None:
        if config.guidelines not in ("auto", "none"):
            environment.say("the guidelines are not used: with --untrusted they need --from")
        return ""
    return read_guidelines(
        config, environment.folder, environment.variables, None if request.trusted else start
    )


def _own_rules(request: Request, environment: Environment) -> tuple[Mapping[str, Any], ...]:
    """Read the project's own rules; where the change is not trusted, as they stood before the change."""
    config, start = request.config, request.source.start
    if not request.trusted and start is None:
        if (placed(FOLDER, environment.folder)).is_dir():
            environment.say("the project's own rules are not used: with --untrusted they need --from")
        return ()
    own = own_rules(
        read_own_rules(environment.folder, environment.variables, None if request.trusted else start)
    )
    named = {"disabled_rules": config.disabled_rules, "rule_severities": severities(config)}
    check_names(named, own)
    return own


def _analysis(request: Request, environment: Environment, todo: Agenda, time_left: TimeLeft) -> Analysis:
    """Gather what other tools say of the change."""
    config, folder = request.config, environment.folder
    if not request.reports and "none" in config.analyzers:
        return UNHEARD
    from hunkwise.reviewer.linters.analyzers import Voices, analyze
    from hunkwise.reviewer.linters.remarks import Choice
    from hunkwise.reviewer.linters.tools.programs import folders
    from hunkwise.reviewer.linters.tools.workshop import Workshop

    root = repository_root(folder) or folder
    shop = Workshop(
        folders(environment.variables, None if request.trusted else root), request.trusted, time_left
    )
    reports = [(form, folder / path) for form, path in request.reports]
    made = analyze(
        todo.open_to_others,
        todo.change.text,
        Voices(root, reports, config.analyzers, shop),
        Choice(config.disabled_rules, severities(config), config.categories),
    )
    for sentence in made.notes:
        environment.say(sentence)
    return made


def _reached(
    analysis: Analysis, config: Config, environment: Environment, todo: Agenda, time_left: TimeLeft
) -> Analysis:
    """Add what the change breaks elsewhere in its repository; only git's objects are read."""
    if not config.reach:
        return analysis
    from hunkwise.reviewer.findings.reached import findings

    broken, elsewhere = _broken(todo.change, environment, time_left)
    heard = {file.key for file in todo.open_to_others}
    heard |= {
        file.key
        for file in todo.change.files
        if not file.hunks and is_ours(file.path, config.include, config.exclude)  # only renamed
    }
    said = [each for each in broken if each.file.key in heard]
    made = findings(said, severities(config), config.disabled_rules, config.categories)
    claims = (*analysis.claims, *(Claim(each, "", frozenset()) for each in made))
    return replace(analysis, claims=claims, elsewhere=elsewhere)


def _broken(change: Change, environment: Environment, time_left: TimeLeft) -> tuple[Sequence[Broken], str]:
    """Find what a change breaks; and say whether the rest of its repository was looked at."""
    from hunkwise.reviewer.knowledge.reach.reach import BUDGET, reach, within
    from hunkwise.reviewer.source.git import repository

    if not change.old_texts:
        return within(change), "not looked: no repository gave the files as they were before"
    try:
        repo = repository(environment.folder, environment.variables)
        found = reach(change, repo, change.head or "HEAD", min(BUDGET, time_left()))
    except GitError as error:
        return within(change), f"not looked: {error}"
    return found.broken, "in part: its time was over" if found.late else "looked"


def _known(request: Request, environment: Environment) -> dict[str, Known]:
    """Read the baseline; where the change is not trusted, as it stood before the change."""
    config, start = request.config, request.source.start
    if not request.trusted and start is None and config.baseline_file != "none":
        environment.say("the baseline is not used: with --untrusted it needs --from")
        return {}
    return read_baseline(
        config, environment.folder, environment.variables, None if request.trusted else start
    )


def unasked(outcome: Outcome) -> int:
    """Give the exit code of `--brief` where no model had to be asked and nothing is to be said; else 0."""
    review = outcome.review
    if review.findings or not review.complete or outcome.failure or review.manifest.model:
        return 0
    return IDLE if is_idle(review) else CHECKED


def exit_code(review: Review, fail_on: Severity | None, failure: errors.EngineError | None = None) -> int:
    """Sum a review up: 1 for findings at or above `fail_on`, 2 if the engine failed, 3 if incomplete, else 0.

    An engine that is not installed is no failure: a light installation makes the checks alone, and says so.
    """
    if fail_on is not None and any(found.severity.rank <= fail_on.rank for found in review.findings):
        return 1
    if failure is not None and not isinstance(failure, errors.MissingExtra):
        return 2
    return 0 if review.complete else 3
