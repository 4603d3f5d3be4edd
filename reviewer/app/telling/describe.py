"""Describing: from what names a change to its description. What `describe` does, and the bot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from hunkwise.engine import errors
from hunkwise.reviewer.app.engines import OpenEngine, open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.app.sources import Source, read_change, request_of
from hunkwise.reviewer.app.telling.issue import issue_of, read_issue
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.describing.describe import described
from hunkwise.reviewer.describing.description import Description, Issue
from hunkwise.reviewer.describing.gathering import gather
from hunkwise.reviewer.describing.writer import Writer
from hunkwise.reviewer.errors import ForgeError, UsageError
from hunkwise.reviewer.linters.covered import line_coverage
from hunkwise.reviewer.types import Change

Wording = Literal["facts", "model"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to describe, and who words the title: "facts" or "model".

    `coverage` names reports of what tests run, `issue` the file of the issue that the change is for.
    """

    source: Source
    config: Config
    words: Wording = "facts"
    coverage: tuple[Path, ...] = ()
    issue: Path | None = None


def describe_change(
    request: Request, environment: Environment, progress: Progress, *, open_engine: OpenEngine = open_engine
) -> Description:
    """Read the change and describe it. Raises ReviewError (a diff, git, a forge, the configuration).

    Where the engine fails the description is made without it, and that is said.
    """
    change = read_change(request.source, request.config, environment.folder, environment.variables)
    for sentence in change.notes:
        environment.say(sentence)
    issue = None if request.issue else _closed(request.source, environment)
    return describe_read(change, request, environment, progress, open_engine=open_engine, issue=issue)


def _closed(source: Source, environment: Environment) -> Issue | None:
    """Read the issue that a pull or merge request closes; a description does without one that can't be read."""
    asked = request_of(source, environment.variables)
    if asked is None:
        return None
    from hunkwise.reviewer.forges.registry import requested_issue

    try:
        told = requested_issue(*asked, environment.variables)
        return issue_of(told) if told else None
    except (ForgeError, UsageError) as error:
        environment.say(f"the issue that it closes is left out: {error}")
        return None


def describe_read(
    change: Change,
    request: Request,
    environment: Environment,
    progress: Progress,
    *,
    open_engine: OpenEngine = open_engine,
    issue: Issue | None = None,
) -> Description:
    """Describe a change that was read. `issue` is what it closes; the file that is named goes before it."""
    facts = gather(change)
    tests = line_coverage(change.files, request.coverage, environment.folder, environment.say)
    if request.issue:
        issue = read_issue(environment.folder / request.issue)
    told = partial(described, facts, line_coverage=tests, issue=issue)
    if request.words == "facts" or not facts.files:
        return told()
    try:
        engine = open_engine(request.config, environment, progress)
        try:
            writer = Writer(engine, progress, issue.shown if issue else "")
            words = writer.words(facts)
            return told(words, engine.card().model)
        finally:
            engine.close()
    except errors.EngineError as error:
        environment.say(f"described without a model: {error}")
        return told()
