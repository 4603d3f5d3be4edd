"""`hunkwise describe`: a change in words, for a pull request, a change log, or a commit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import click

from hunkwise.reviewer.app.sources import checked, fed
from hunkwise.reviewer.commands.flags import change_flags, coverage_flag, help_all, named_source
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import NO_MODEL


@click.command("describe", context_settings={"help_option_names": ["-h", "--help"]})
@change_flags("Describe")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="The form of the description.",
)
@click.option("--commit-message", is_flag=True, help="Write the message of a commit, and nothing else.")
@click.option("--no-model", is_flag=True, help="Ask no model, whatever else is said.")
@click.option(
    "--words",
    type=click.Choice(["facts", "model"]),
    default="facts",
    show_default=True,
    help="Who words the title: what is known, or the model.",
)
@click.option("--model", metavar="NAME", help="The model to ask, instead of the configured one.")
@coverage_flag
@click.option(
    "--issue",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The issue that the change closes: a forge's JSON of it, or a text.",
)
@click.option("--offline", is_flag=True, help="Use no network: a model that is not here is not asked.")
@help_all
@click.pass_context
def command(
    ctx: click.Context,
    /,
    form: str,
    *,
    commit_message: bool,
    no_model: bool,
    words: Literal["facts", "model"],
    **values: Any,
) -> int:
    """Describe a change: title, kind, file by file, where to look first, risk, changelog entry.

    The change is a DIFF file, standard input, or what git knows: see the options.

    Exit codes: 0 described; 2 usage, configuration or tool error; 130 interrupted.
    """
    from hunkwise.reviewer.app import engines
    from hunkwise.reviewer.app.progress import Progress, wanted
    from hunkwise.reviewer.app.telling.describe import Request, describe_change
    from hunkwise.reviewer.describing import rendering

    source, environment = checked(named_source(values), fed=fed()), surroundings()
    flags = {name: values[name] for name in ("model", "offline") if values[name]}
    config = load(flags=flags, environ=environment.variables, folder=environment.folder, before=source.start)
    if no_model or config.model == NO_MODEL:
        words = "facts"
    with Progress(sys.stderr, enabled=wanted(sys.stderr, environment.variables)) as progress:
        made = describe_change(
            Request(source, config, words, values["coverage"], values["issue"]),
            environment,
            progress,
            open_engine=ctx.obj or engines.open_engine,
        )
    write = rendering.commit_message if commit_message else rendering.FORMATS[form]
    click.echo(write(made), nl=False)
    return 0
