"""The hook: reviews that git or pre-commit asks for, in processes of their own that have a time limit.

Whatever ends a process (a time limit, a crash in native code, a kill for want of memory), the hook ends with a
sentence, and with the exit code that the policies give.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs.child import CHECKED, IDLE, Ending, review_command, supervise
from hunkwise.reviewer.app.jobs.pushes import Task
from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.types import Severity

Policy = Literal["pass", "fail"]
_SOFT = 0.8  # of the time limit: the review stops asking then, and reports what it has


class Outcome(StrEnum):
    """How a review ended."""

    CLEAN = "clean"
    FINDINGS = "findings"
    TIMEOUT = "timeout"
    ERROR = "error"


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

    def consequence(self, outcome: Outcome) -> str:
        """Say what git does now, and how to go on where it stops."""
        if self.code(outcome) == 0:
            return f"the {self.what} goes on"
        return f"the {self.what} stops; HUNKWISE_SKIP=1 git {self.what} … goes on once without a review"

    def unreviewed(self, reason: str) -> str:
        """Say that nothing was reviewed, and what becomes of it."""
        return f"{reason}; it was not reviewed, and {self.consequence(Outcome.ERROR)}"


def review_tasks(
    tasks: Sequence[Task], limit: float, options: Sequence[str], policies: Policies, environment: Environment
) -> int:
    """Review one task after the other in `limit` seconds; gives the exit code. `options` are those of `review`.

    What could not be reviewed costs no other. The time that one leaves is for those after it.
    """
    end = time.monotonic() + limit
    outcomes, quiet = [], {IDLE}
    for number, task in enumerate(tasks):
        if task.source is None:
            environment.say(policies.unreviewed(f"{task.name}: {task.problem}"))
            outcomes.append(Outcome.ERROR)
            continue
        share = max(1.0, (end - time.monotonic()) / (len(tasks) - number))
        soft = ("--max-time", str(max(1, round(share * _SOFT))))
        ending = supervise(review_command([*_named(task.source), "--brief", *soft, *options]), share)
        if ending.code in (IDLE, CHECKED):
            quiet.add(ending.code)
            continue
        outcomes.append(judge(ending, share))
        name = f"the review of {task.name}" if len(tasks) > 1 else "the review"
        for sentence in _told(outcomes[-1], name, ending, policies, environment.variables):
            environment.say(sentence)
    if not outcomes:
        environment.say("no remarks; checked without the model" if CHECKED in quiet else "nothing to review")
    return max(map(policies.code, outcomes), default=0)


def judge(ending: Ending, limit: float) -> Outcome:
    """Say how a review ended, by its exit code and by the time it took of `limit` seconds."""
    if ending.code is None:
        return Outcome.TIMEOUT
    if ending.code == 3:  # incomplete: out of time, or for a fault
        return Outcome.TIMEOUT if ending.seconds >= limit * _SOFT else Outcome.ERROR
    return {0: Outcome.CLEAN, 1: Outcome.FINDINGS}.get(ending.code, Outcome.ERROR)


def threshold(given: str | None, config: Config) -> list[str]:
    """Give the flag that stops a commit at "high" unless somebody said otherwise."""
    if given is None and config.origin("fail_on") != "default":
        return []
    return ["--fail-on", given or str(Severity.HIGH)]


def _told(
    outcome: Outcome, name: str, ending: Ending, policies: Policies, environ: Mapping[str, str]
) -> Sequence[str]:
    """Say what came of a review whose own report stands above."""
    goes_on = policies.consequence(outcome)
    match outcome:
        case Outcome.CLEAN:
            return ()
        case Outcome.FINDINGS:
            return (f"for the remarks above {goes_on}",)
        case Outcome.TIMEOUT:
            return (f"{ending}, so not all was reviewed; {goes_on}",)
        case Outcome.ERROR:
            failed = f"{name} failed ({ending}), so not all was reviewed; {goes_on}"
            return tuple(filter(None, (failed, _missing(environ))))


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
    if shutil.which("hunkwise", path=environ.get("PATH")) is None:
        program = shlex.quote(str(Path(sys.executable).with_name("hunkwise")))
        return f"the command `hunkwise` is not on your PATH; the one of this hook is {program}"
    return ""


def _named(source: Source) -> list[str]:
    if source.staged:
        return ["--staged"]
    if source.commit is not None:
        return ["--commit", source.commit]
    assert source.end is not None
    return [*(part for start in source.starts for part in ("--from", start)), "--to", source.end]
