"""`hunkwise review`: read a change, review it, write the reports, and say by the exit code how it went."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.reviewer.app.outputs import Output, colored, outputs, write
from hunkwise.reviewer.app.sources import Source, checked, fed, request_of
from hunkwise.reviewer.commands.flags import (
    change_flags,
    coverage_flag,
    given,
    help_all,
    named_source,
    rare,
    setting_flags,
)
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import NO_MODEL, Config
from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.summary import is_idle

if TYPE_CHECKING:
    from hunkwise.reviewer.app.engines import OpenEngine
    from hunkwise.reviewer.app.environment import Environment
    from hunkwise.reviewer.app.review import Outcome


def _reports(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    if not given:
        return ()
    from hunkwise.reviewer.linters.formats import named

    try:
        return tuple(map(named, given))
    except ValueError as error:
        raise click.BadParameter(f"must be {error}", ctx, param) from None


@click.command("review", context_settings={"help_option_names": ["-h", "--help"]})
@change_flags("Review", " and post the review to it")
@click.option(
    "-o",
    "--output",
    "targets",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write the report to a file; repeatable.",
)
@click.option(
    "--with",
    "reports",
    multiple=True,
    metavar="FORMAT=FILE",
    callback=_reports,
    help="Add what a report of another tool says of changed lines; repeatable.",
)
@coverage_flag
@rare("--no-model", is_flag=True, help="Ask no model: rules, checks and other tools alone.")
@setting_flags
@rare(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="Configuration to read.",
)
@rare(
    "--untrusted",
    is_flag=True,
    help="Read the configuration as it stood at --from, and trust nothing that the change brings.",
)
@rare("--witness", type=click.Choice(["asked"]), help="The same as --asked on: ask the model in words too.")
@rare("--stats", is_flag=True, help="Print times and token counts on stderr.")
@rare("--show-prompt", is_flag=True, help="Print every prompt on stderr.")
@click.option(
    "--brief", is_flag=True, hidden=True, help="For the hook: print nothing where no model was asked."
)
@help_all
@click.pass_context
def command(ctx: click.Context, /, targets: tuple[str, ...], **values: Any) -> int:
    """Review a change with a language model that runs on this machine.

    The change is a DIFF file, standard input, or what git knows: see the options.

    Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it; 2 usage, configuration or tool
    error; 3 incomplete review; 130 interrupted.
    """
    from hunkwise.reviewer.app.review import exit_code, unasked

    source, environment = checked(named_source(values), fed=fed()), surroundings()
    config = load(
        flags=given(values | _meant(values)),
        environ=environment.variables,
        folder=environment.folder,
        file=values["file"],
        trusted=not values["untrusted"],
        before=source.start,
    )
    for path, why in config.ignored:
        environment.say(f"{path}: {why}")
    chosen = outputs(targets, config.format, source.paths)
    outcome = _reviewed(
        source,
        config,
        environment,
        ctx.obj,
        trusted=not values["untrusted"],
        reports=values["reports"],
        coverage=values["coverage"],
        streamed=Output("text") in chosen,
        transcript=values["show_prompt"],
    )
    if values["stats"]:
        environment.say(outcome.statistics)
    if values["brief"] and (code := unasked(outcome)):
        write(
            outcome.review,
            [one for one in chosen if one.path],
            View(change=outcome.change),
            environment.variables,
        )
        return code
    _write(outcome, chosen, config, environment)
    if request := request_of(source, environment.variables):
        from hunkwise.reviewer.app.post import post_review

        click.echo(post_review(outcome.review, *request, environment), nl=False)
    return exit_code(outcome.review, config.fail_on, outcome.failure)


def _meant(values: Mapping[str, Any]) -> dict[str, str]:
    """Give the settings that short flags stand for."""
    asked = {"asked": "on"} if values["witness"] else {}
    return asked | ({"model": NO_MODEL} if values["no_model"] else {})


def _reviewed(
    source: Source,
    config: Config,
    environment: Environment,
    open_engine: OpenEngine | None,
    *,
    trusted: bool,
    reports: tuple[tuple[str, Path], ...],
    coverage: tuple[Path, ...],
    streamed: bool,
    transcript: bool,
) -> Outcome:
    """Review with progress on a terminal; with `streamed`, findings stand above it as they come."""
    from hunkwise.reviewer.app import engines
    from hunkwise.reviewer.app.progress import Progress, wanted
    from hunkwise.reviewer.app.review import Request, review_change
    from hunkwise.reviewer.report.text import headline

    color = colored(config.color, environment.variables, terminal=sys.stderr.isatty())
    with Progress(sys.stderr, enabled=wanted(sys.stderr, environment.variables)) as progress:
        return review_change(
            Request(source, config, trusted, reports, coverage),
            environment,
            progress,
            open_engine=open_engine or engines.open_engine,
            found=lambda finding: progress.say(headline(finding, color=color)) if streamed else None,
            transcript=sys.stderr if transcript else None,
        )


def _write(outcome: Outcome, chosen: tuple[Output, ...], config: Config, environment: Environment) -> None:
    review = outcome.review
    color = colored(config.color, environment.variables, terminal=sys.stdout.isatty())
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    write(review, chosen, View(color, width, outcome.change), environment.variables)
    if expired := review.manifest.settings.get("baseline_expired"):
        environment.say(f"{expired} entries of the baseline have ended; their remarks count again")
    if outcome.failure is not None:
        environment.say(str(outcome.failure))
    elif not review.complete:
        environment.say("the review is incomplete; the report names what was not reviewed")
    elif is_idle(review):
        environment.say("nothing to review")
