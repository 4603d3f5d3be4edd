"""`hunkwise hook`: a review that git or pre-commit starts, and that never holds up a commit for long.

The review itself runs in a process of its own, so that a time limit, a crash in native code and a kill for want
of memory all end the same way: with a note, and with the exit code that --on-timeout and --on-error say.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.app.child import Ending, review_command, supervise
from hunkwise.reviewer.app.pushes import Task, from_environment, from_lines
from hunkwise.reviewer.app.sources import Source, read_change
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.text.visible import visible
from hunkwise.reviewer.types import Severity

if TYPE_CHECKING:
    from hunkwise.reviewer.judge.agenda import Agenda

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
    policies = Policies("commit" if remote is None else "push", on_timeout, on_error)
    try:
        config = load(flags={}, environ=os.environ, folder=Path.cwd())
        tasks = _tasks(remote, Path.cwd())
    except (ReviewError, EngineError) as error:
        return policies.unreviewed(str(error))
    codes: list[int] = []
    wanted: list[tuple[Source, Agenda]] = []
    for task in tasks:  # each by itself: one that can't be read costs no other
        try:
            if task.source is None:
                codes.append(policies.unreviewed(f"{task.name}: {task.problem}"))
            elif (todo := _reviewable(task.source, config)) is not None:
                wanted.append((task.source, todo))
        except (ReviewError, EngineError) as error:
            codes.append(policies.unreviewed(f"{task.name}: {error}"))
    share = time_limit / max(1, len(wanted))
    soft = ["--max-time", str(max(1, int(share * _SOFT)))]
    options = ["--offline", *_fail_on(fail_on, config), *soft, *more]
    for source, todo in wanted:
        if not _clean(source, todo, options, share):
            codes.append(_review(source, options, share, policies))
    if codes:
        return max(codes)
    return _note("no remarks; checked without the model" if wanted else "nothing to review", 0)


@dataclass(frozen=True, slots=True)
class Policies:
    """What becomes of a commit or push when it can't be reviewed."""

    what: Literal["commit", "push"]
    on_timeout: Policy
    on_error: Policy

    def code(self, outcome: Outcome) -> int:
        """Give the exit code that lets git go on, or stops it."""
        policy = {
            Outcome.CLEAN: "pass",
            Outcome.FINDINGS: "fail",
            Outcome.TIMEOUT: self.on_timeout,
            Outcome.ERROR: self.on_error,
        }
        return 0 if policy[outcome] == "pass" else 1

    def unreviewed(self, reason: str) -> int:
        """Say that nothing was reviewed, and what becomes of it."""
        code = self.code(Outcome.ERROR)
        return _note(f"{reason}; it was not reviewed, and {self.consequence(code)}", code)

    def consequence(self, code: int) -> str:
        """Say what git does now, and how to go on where it stops."""
        if code == 0:
            return f"the {self.what} goes on"
        return f"the {self.what} stops; HUNKWISE_SKIP=1 git {self.what} … goes on once without a review"


def _tasks(remote: str | None, folder: Path) -> list[Task]:
    return from_environment(os.environ, folder) if remote is None else from_lines(sys.stdin, remote, folder)


def _review(source: Source, options: Sequence[str], limit: float, policies: Policies) -> int:
    ending = supervise(review_command([*_named(source), *options]), limit)
    outcome = judge(ending, limit)
    code = policies.code(outcome)
    match outcome:
        case Outcome.FINDINGS:
            _note(f"for the remarks above {policies.consequence(code)}", code)
        case Outcome.TIMEOUT:
            _note(f"{ending}, so not all was reviewed; {policies.consequence(code)}", code)
        case Outcome.ERROR:
            _note(
                f"the review failed ({ending}), so not all was reviewed; {policies.consequence(code)}", code
            )
            if missing := _missing(os.environ):
                _note(missing, code)
    return code


def _missing(environ: Mapping[str, str]) -> str:
    """Say how to get what this hook's own Python lacks, where advice for a shell would not reach it."""
    if find_spec("llama_cpp") is None:
        if environ.get("PRE_COMMIT"):
            extra = [text.partition(";") for text in requires("hunkwise") or ()]
            wanted = json.dumps([name.strip() for name, _, marker in extra if '"local"' in marker])
            return (
                "pre-commit runs this hook in an environment of its own, which lacks llama-cpp-python; "
                f"add to the hook in .pre-commit-config.yaml: additional_dependencies: {wanted}"
            )
        python = shlex.quote(sys.executable)
        return f"this hook's Python lacks llama-cpp-python; run: {python} -m pip install 'hunkwise[local]'"
    if shutil.which("hunkwise") is None:
        program = shlex.quote(str(Path(sys.executable).with_name("hunkwise")))
        return f"the command `hunkwise` is not on your PATH; the one of this hook is {program}"
    return ""


def judge(ending: Ending, limit: float) -> Outcome:
    """Say how a review ended, by its exit code and by the time it took of `limit` seconds."""
    if ending.code is None:
        return Outcome.TIMEOUT
    if ending.code == 3:  # incomplete: out of time, or for a fault
        return Outcome.TIMEOUT if ending.seconds >= limit * _SOFT else Outcome.ERROR
    return {0: Outcome.CLEAN, 1: Outcome.FINDINGS}.get(ending.code, Outcome.ERROR)


def _reviewable(source: Source, config: Config) -> Agenda | None:
    """Say what is to be asked or checked, if anything is; without loading anything that reviews."""
    from hunkwise.reviewer.judge.agenda import agenda

    todo = agenda(read_change(source, config, Path.cwd()), config)
    return None if todo.empty and not any(skip.fault for skip in todo.skipped) else todo


def _clean(source: Source, todo: Agenda, options: Sequence[str], limit: float) -> bool:
    """Say whether nothing but checks was to be made, and they found nothing: then no report is worth reading."""
    if todo.asked or any(skip.fault for skip in todo.skipped):
        return False
    least = ["--fail-on", str(list(Severity)[-1])]
    return supervise(review_command([*_named(source), *options, *least]), limit, quiet=True).code == 0


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
    assert source.end is not None
    return [*(part for start in source.starts for part in ("--from", start)), "--to", source.end]


def _note(sentence: str, code: int) -> int:
    click.echo(f"hunkwise: {visible(sentence)}", err=True)
    return code
