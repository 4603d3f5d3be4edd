"""`hunkwise review`: read a change, review it, write the reports, and say by the exit code how it went."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hunkwise.reviewer.app.outputs import Output, colored, outputs, write
from hunkwise.reviewer.app.sources import Source, checked, fed, read_change, request_of
from hunkwise.reviewer.commands.baseline import read_baseline, today
from hunkwise.reviewer.commands.flags import given, help_all, rare, setting_flags
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.guidelines import read_guidelines
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.findings.suppressions import Known, Silence
from hunkwise.reviewer.report import View
from hunkwise.reviewer.report.summary import is_idle
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Change, Review, Severity, Skipped

if TYPE_CHECKING:
    from hunkwise.engine import Engine
    from hunkwise.reviewer.app.meters import Meter
    from hunkwise.reviewer.app.progress import Progress
    from hunkwise.reviewer.judge.pipeline import Observer
    from hunkwise.reviewer.judge.pipeline import Progress as Step

OpenEngine = Callable[[Config, "Progress"], "Engine"]


@click.command("review", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, metavar="[DIFF|-]")
@click.option("--staged", is_flag=True, help="Review what is staged for the next commit.")
@click.option("--working", is_flag=True, help="Review what differs from the last commit.")
@click.option("--commit", metavar="SHA", help="Review one commit.")
@click.option(
    "--from",
    "starts",
    multiple=True,
    metavar="A",
    help="Review what changed since A and --to parted; given again, what is in none of them.",
)
@click.option("--to", "end", metavar="B", help="End of the range; HEAD if not given.")
@rare("--scan", is_flag=True, help="Review whole files or folders, named as arguments, as if newly written.")
@rare("--pr", "pull", metavar="URL", help="Review a pull request and post the review to it.")
@rare("--mr", "merge", metavar="URL", help="Review a merge request and post the review to it.")
@click.option(
    "-o",
    "--output",
    "asked",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write the report to a file; repeatable.",
)
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
@rare("--stats", is_flag=True, help="Print times and token counts on stderr.")
@rare("--show-prompt", is_flag=True, help="Print every prompt on stderr.")
@help_all
@click.pass_context
def command(ctx: click.Context, /, asked: tuple[str, ...], **values: Any) -> int:
    """Review a change with a language model that runs on this machine.

    The change is a DIFF file, standard input, or what git knows: see the options.

    Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it; 2 usage, configuration or tool
    error; 3 incomplete review; 130 interrupted.
    """
    source = checked(_source(values), fed=fed())
    config = load(
        flags=given(values),
        environ=os.environ,
        folder=Path.cwd(),
        file=values["file"],
        trusted=not values["untrusted"],
        before=source.start,
    )
    for path, why in config.ignored:
        click.echo(f"hunkwise: {visible_line(path)}: {visible_line(why)}", err=True)
    chosen = outputs(asked, config.format, source.paths)
    open_engine: OpenEngine = ctx.obj or _open_engine
    guidelines = _guidelines(config, source, trusted=not values["untrusted"])
    known = _known(config, source, trusted=not values["untrusted"])
    silence = Silence(known, today(), trusted=not values["untrusted"])
    review, change = _review(
        source,
        config,
        guidelines,
        silence,
        open_engine,
        streamed=Output("text") in chosen,
        stats=values["stats"],
        transcript=values["show_prompt"],
    )
    unread = tuple(Skipped(path, why) for path, why in config.ignored)
    review = replace(review, skipped=(*unread, *review.skipped))
    _write(review, change, chosen, config, os.environ)
    if request := request_of(source):
        from hunkwise.reviewer.commands.post import post_review

        posted = post_review(review, *request, os.environ)
        if posted:
            return posted
    return exit_code(review, config.fail_on)


def _source(values: Mapping[str, Any]) -> Source:
    names = ("paths", "staged", "working", "commit", "starts", "end", "scan", "pull", "merge")
    return Source(**{name: values[name] for name in names})


def _guidelines(config: Config, source: Source, *, trusted: bool) -> str:
    """Read the guidelines; where the change is not trusted, as they stood before the change."""
    if not trusted and source.start is None:
        if config.guidelines not in ("auto", "none"):
            click.echo("hunkwise: the guidelines are not used: with --untrusted they need --from", err=True)
        return ""
    return read_guidelines(config, Path.cwd(), None if trusted else source.start)


def _known(config: Config, source: Source, *, trusted: bool) -> dict[str, Known]:
    """Read the baseline; where the change is not trusted, as it stood before the change."""
    if not trusted and source.start is None and config.baseline_file != "none":
        click.echo("hunkwise: the baseline is not used: with --untrusted it needs --from", err=True)
        return {}
    return read_baseline(config, Path.cwd(), None if trusted else source.start)


def _open_engine(config: Config, progress: Progress) -> Engine:
    from hunkwise.reviewer.app.engines import open_engine

    return open_engine(config, os.environ, progress)


def _review(
    source: Source,
    config: Config,
    guidelines: str,
    silence: Silence,
    open_engine: OpenEngine,
    *,
    streamed: bool,
    stats: bool,
    transcript: bool,
) -> tuple[Review, Change]:
    """Run the pipeline; with `streamed` a terminal shows findings as they come.

    A model is opened only if something is to be asked.
    """
    from hunkwise.reviewer.app.engines import OpenedModel
    from hunkwise.reviewer.app.meters import Meter, Transcript, Unasked
    from hunkwise.reviewer.app.progress import Progress, wanted
    from hunkwise.reviewer.judge.agenda import agenda
    from hunkwise.reviewer.judge.pipeline import allowance, carry_out
    from hunkwise.reviewer.judge.precision import point_for

    started, time_left = time.perf_counter(), allowance(config)
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)))
        change = read_change(source, config, Path.cwd(), os.environ)
        todo = agenda(change, config, time_left)
        engine = open_engine(config, progress) if todo.asked else Unasked()
        if isinstance(engine, AbstractContextManager):
            stack.enter_context(engine)
        meter = Meter(engine)
        aimed = point_for(config.precision_target, engine) if todo.asked and config.precision_target else None
        made = carry_out(
            todo,
            config,
            Transcript(meter, sys.stderr) if transcript else meter,
            guidelines=guidelines,
            silence=silence,
            memory=engine.memory if isinstance(engine, OpenedModel) else None,
            observer=_observer(progress, meter, config, streamed=streamed),
            time_left=time_left,
        )
        decoding = engine.decode_seconds if isinstance(engine, OpenedModel) else None
    if aimed:
        click.echo(f"hunkwise: --precision-target {config.precision_target:g} gives {aimed}", err=True)
    for sentence in change.notes:
        click.echo(f"hunkwise: {visible_line(sentence)}", err=True)
    if stats:
        click.echo(f"hunkwise: {meter.stats(time.perf_counter() - started, decoding)}", err=True)
    return made, change


def _observer(progress: Progress, meter: Meter, config: Config, *, streamed: bool) -> Observer:
    """Draw the progress, with each finding above it if `streamed`, and count what is recalled."""
    from hunkwise.reviewer.report.text import headline

    color = colored(config.color, os.environ, terminal=sys.stderr.isatty())

    def show(step: Step) -> None:
        # after the last hunk comes the report itself
        if step.found and streamed and step.done < step.total:
            progress.say(headline(step.found, color=color))
        progress("hunks reviewed:", step.done, step.total, step.path)
        meter.recalled = step.recalled

    return show


def _write(
    review: Review, change: Change, chosen: tuple[Output, ...], config: Config, environ: Mapping[str, str]
) -> None:
    color = colored(config.color, environ, terminal=sys.stdout.isatty())
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    write(review, chosen, View(color, width, change), environ)
    if expired := review.manifest.settings.get("baseline_expired"):
        click.echo(
            f"hunkwise: {expired} entries of the baseline have ended; their remarks count again", err=True
        )
    if not review.complete:
        click.echo("hunkwise: the review is incomplete; the report names what was not reviewed", err=True)
    elif is_idle(review):
        click.echo("hunkwise: nothing to review", err=True)


def exit_code(review: Review, fail_on: Severity | None) -> int:
    """Sum a review up: 1 for findings at or above `fail_on`, else 3 if it is incomplete, else 0."""
    if fail_on is not None and any(found.severity.rank <= fail_on.rank for found in review.findings):
        return 1
    return 0 if review.complete else 3
