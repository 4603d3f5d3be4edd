"""Reviewing: from what names a change to its review. What `review` does, and a server or a bot will."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import TextIO

from hunkwise.engine import Engine, errors
from hunkwise.reviewer.app.baseline import read_baseline, today
from hunkwise.reviewer.app.engines import OpenedModel, open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.meters import Meter, Transcript, Unasked
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.sources import Source, read_change
from hunkwise.reviewer.config.guidelines import read_guidelines
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.findings.suppressions import Known, Silence
from hunkwise.reviewer.judge.agenda import Agenda, agenda, without_model
from hunkwise.reviewer.judge.memory import Memory
from hunkwise.reviewer.judge.pipeline import Progress as Step
from hunkwise.reviewer.judge.pipeline import allowance, carry_out
from hunkwise.reviewer.judge.precision import point_for
from hunkwise.reviewer.types import Change, Finding, Review, Severity, Skipped

OpenEngine = Callable[[Config, Environment, Progress], Engine]
"""Opens the engine that a configuration names; it is called only where something is to be asked."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to review and how. Of a change that is not `trusted`, nothing that it brings is believed."""

    source: Source
    config: Config
    trusted: bool = True


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
    source, config = request.source, request.config
    guidelines, known = _guidelines(request, environment), _known(request, environment)
    silence = Silence(known, today(), trusted=request.trusted)
    started, time_left = time.perf_counter(), allowance(config)
    change = read_change(source, config, environment.folder, environment.variables)
    todo = agenda(change, config, time_left)
    meter = Meter(Unasked())

    def observe(step: Step) -> None:
        if step.found and step.done < step.total:
            found(step.found)
        progress("hunks reviewed:", step.done, step.total, step.path)
        meter.recalled = step.recalled

    def carried_out(todo: Agenda, engine: Engine, memory: Memory | None = None) -> Review:
        return carry_out(
            todo,
            config,
            engine,
            guidelines=guidelines,
            silence=silence,
            memory=memory,
            observer=observe,
            time_left=time_left,
        )

    failure, aimed, decoding = None, None, None
    with ExitStack() as stack:
        try:
            engine = open_engine(config, environment, progress) if todo.asked else Unasked()
            if isinstance(engine, AbstractContextManager):
                stack.enter_context(engine)
            meter = Meter(engine)
            if todo.asked and config.precision_target:
                aimed = point_for(config.precision_target, engine)
            asked = meter if transcript is None else Transcript(meter, transcript)
            made = carried_out(todo, asked, engine.memory if isinstance(engine, OpenedModel) else None)
            decoding = engine.decode_seconds if isinstance(engine, OpenedModel) else None
        except errors.EngineError as error:
            failure = error
            made = carried_out(without_model(todo, f"the model could not be asked: {error}"), Unasked())
    if aimed:
        environment.say(f"--precision-target {config.precision_target:g} gives {aimed}")
    for sentence in change.notes:
        environment.say(sentence)
    unread = tuple(Skipped(path, why) for path, why in config.ignored)
    review = replace(made, skipped=(*unread, *made.skipped))
    return Outcome(review, change, meter.stats(time.perf_counter() - started, decoding), failure)


def _guidelines(request: Request, environment: Environment) -> str:
    """Read the guidelines; where the change is not trusted, as they stood before the change."""
    config, start = request.config, request.source.start
    if not request.trusted and start is None:
        if config.guidelines not in ("auto", "none"):
            environment.say("the guidelines are not used: with --untrusted they need --from")
        return ""
    return read_guidelines(config, environment.folder, None if request.trusted else start)


def _known(request: Request, environment: Environment) -> dict[str, Known]:
    """Read the baseline; where the change is not trusted, as it stood before the change."""
    config, start = request.config, request.source.start
    if not request.trusted and start is None and config.baseline_file != "none":
        environment.say("the baseline is not used: with --untrusted it needs --from")
        return {}
    return read_baseline(config, environment.folder, None if request.trusted else start)


def exit_code(review: Review, fail_on: Severity | None, failure: errors.EngineError | None = None) -> int:
    """Sum a review up: 1 for findings at or above `fail_on`, 2 if the engine failed, 3 if incomplete, else 0.

    An engine that is not installed is no failure: a light installation makes the checks alone, and says so.
    """
    if fail_on is not None and any(found.severity.rank <= fail_on.rank for found in review.findings):
        return 1
    if failure is not None and not isinstance(failure, errors.MissingExtra):
        return 2
    return 0 if review.complete else 3
