"""`hunkwise hook`: a review that git or pre-commit starts, and that never holds up a commit for long.

The review itself runs in a process of its own, so that a time limit, a crash in native code and a kill for want
of memory all end the same way: with a note, and with the exit code that --on-timeout and --on-error say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

import click

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.commands.child import Ending, review_command, supervise
from hunkwise.reviewer.commands.pushed import from_environment, from_lines
from hunkwise.reviewer.commands.source import Source, read_change
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_files import load
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.types import Severity
from hunkwise.reviewer.visible import visible

Policy = Literal["pass", "fail"]
_SOFT = 0.8  # of the time limit: the review stops asking then, and reports what it has


class Outcome(StrEnum):
    """How a review ended."""

    CLEAN = "clean"
    FINDINGS = "findings"
    TIMEOUT = "timeout"
    ERROR = "error"


@click.command("hook", context_settings={"ignore_unknown_options": True})
@click.option(
    "--push", "remote", metavar="REMOTE", help="Review what is pushed there; git's pre-push input is read."
)
@click.option(
    "--time-limit", type=click.IntRange(1), default=60, show_default=True, help="Seconds to take at most."
)
@click.option(
    "--on-timeout",
    type=click.Choice(["pass", "fail"]),
    default="pass",
    show_default=True,
    help="What becomes of the commit when the time is over.",
)
@click.option(
    "--on-error",
    type=click.Choice(["pass", "fail"]),
    default="pass",
    show_default=True,
    help="What becomes of it when the review can't be made.",
)
@click.option(
    "--fail-on", metavar="SEVERITY", help="Stop the commit at remarks this severe or worse.  [default: high]"
)
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[REVIEW OPTIONS]")
def command(
    remote: str | None,
    time_limit: int,
    on_timeout: Policy,
    on_error: Policy,
    fail_on: str | None,
    more: tuple[str, ...],
) -> int:
    """Review what is staged, or pushed, from a git hook; HUNKWISE_SKIP=1 skips it once.

    Under pre-commit the pushed range is taken from its environment. Models are never downloaded here: fetch
    one before with `hunkwise model pull`.
    """
    if os.environ.get("HUNKWISE_SKIP", "") not in ("", "0"):
        return _note("skipped, as HUNKWISE_SKIP says", 0)
    try:
        sources = _sources(remote, Path.cwd())
        config = load(flags={}, environ=os.environ, folder=Path.cwd())
        reviewable = [source for source in sources if _reviewable(source, config)]
    except (ReviewError, EngineError) as error:
        return _note(str(error), _code(Outcome.ERROR, on_timeout, on_error))
    if not reviewable:
        return _note("nothing to review", 0)
    share = time_limit / len(reviewable)
    soft = ["--max-time", str(max(1, int(share * _SOFT)))]
    options = ["--offline", *_fail_on(fail_on, config), *soft, *more]
    return max(_review(source, options, share, on_timeout, on_error) for source in reviewable)


def _sources(remote: str | None, folder: Path) -> list[Source]:
    return from_environment(os.environ, folder) if remote is None else from_lines(sys.stdin, remote, folder)


def _review(
    source: Source, options: Sequence[str], limit: float, on_timeout: Policy, on_error: Policy
) -> int:
    ending = supervise(review_command([*_named(source), *options]), limit)
    outcome = judge(ending, limit)
    code = _code(outcome, on_timeout, on_error)
    passes = "the commit goes on" if code == 0 else "the commit stops"
    match outcome:
        case Outcome.TIMEOUT:
            _note(f"{ending}; {passes}", code)
        case Outcome.ERROR:
            _note(f"the review failed ({ending}); {passes}", code)
    return code


def judge(ending: Ending, limit: float) -> Outcome:
    """Say how a review ended, by its exit code and by the time it took of `limit` seconds."""
    if ending.code is None:
        return Outcome.TIMEOUT
    if ending.code == 3:  # incomplete: out of time, or for a fault
        return Outcome.TIMEOUT if ending.seconds >= limit * _SOFT else Outcome.ERROR
    return {0: Outcome.CLEAN, 1: Outcome.FINDINGS}.get(ending.code, Outcome.ERROR)


def _code(outcome: Outcome, on_timeout: Policy, on_error: Policy) -> int:
    policy = {
        Outcome.CLEAN: "pass",
        Outcome.FINDINGS: "fail",
        Outcome.TIMEOUT: on_timeout,
        Outcome.ERROR: on_error,
    }
    return 0 if policy[outcome] == "pass" else 1


def _reviewable(source: Source, config: Config) -> bool:
    """Say whether there is anything to ask or to check; without loading anything that reviews."""
    from hunkwise.reviewer.agenda import agenda

    todo = agenda(read_change(source, config, Path.cwd()), config)
    return not todo.empty or any(skip.fault for skip in todo.skipped)


def _fail_on(given: str | None, config: Config) -> list[str]:
    """Stop a commit at "high" unless somebody said otherwise."""
    if given is None and config.origin("fail_on") != "default":
        return []
    return ["--fail-on", given or str(Severity.HIGH)]


def _named(source: Source) -> list[str]:
    if source.staged:
        return ["--staged"]
    if source.commit is not None:
        return ["--commit", source.commit]
    assert source.start is not None
    assert source.end is not None
    return ["--from", source.start, "--to", source.end]


def _note(sentence: str, code: int) -> int:
    click.echo(f"hunkwise: {visible(sentence)}", err=True)
    return code
