"""`hunkwise hook`: a review that git or pre-commit starts, and that never holds up a commit for long."""

from __future__ import annotations

import sys

import click

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.app.jobs.hook import Outcome, Policies, Policy, review_tasks, threshold
from hunkwise.reviewer.app.jobs.pushes import from_environment, from_lines
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.errors import ReviewError


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
    environment = surroundings()
    environ, folder = environment.variables, environment.folder
    if environ.get("HUNKWISE_SKIP", "") not in ("", "0"):
        environment.say("skipped, as HUNKWISE_SKIP says")
        return 0
    policies = Policies("commit" if remote is None else "push", on_timeout, on_error)
    try:
        config = load(flags={}, environ=environ, folder=folder)
        tasks = (
            from_environment(environ, folder)
            if remote is None
            else from_lines(sys.stdin, remote, folder, environ)
        )
    except (ReviewError, EngineError) as error:
        environment.say(policies.unreviewed(str(error)))
        return policies.code(Outcome.ERROR)
    options = ["--offline", *threshold(fail_on, config), *more]
    return review_tasks(tasks, time_limit, options, policies, environment)
