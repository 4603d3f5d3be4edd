"""`hunkwise action`: what action.yml and templates/hunkwise.yml do in a job. People use `review` instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from hunkwise.reviewer.app.jobs.action import prepare as prepare_job
from hunkwise.reviewer.app.jobs.action import review_job, review_merge_request
from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.report.summary import plural


@click.group(hidden=True)
def command() -> None:
    """Do what the shipped jobs do, from the variables of GitHub Actions or GitLab."""


@command.command()
def prepare() -> None:
    """Say whether the model is needed, and which. What needs none is checked in any case."""
    environment = surroundings()
    wanted = prepare_job(environment)
    _output({"reviewable": str(wanted.hunks > 0).lower(), "model": wanted.model}, environment.variables)
    environment.say(f"the model is needed for {plural(wanted.hunks, 'hunk')}")


@command.command()
def review() -> None:
    """Review the job's change; write the reports, the job's summary, and the step's outputs.

    Gives exit code 0 even with findings, which `exit_code` among the outputs tells: they are posted first.
    """
    environment = surroundings()
    made = review_job(environment)
    if made.let_pass:
        click.echo(
            "::warning title=hunkwise::The review is incomplete; the job's summary names what is missing."
        )
    _output(made.outputs, environment.variables)


@command.command("merge-request")
def merge_request() -> int:
    """Review the merge request of a GitLab job, with the model if it has to be asked; write both reports."""
    return review_merge_request(surroundings())


def _output(values: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Set the step's outputs. One line each: a line end in a value would be another output."""
    path = environ.get("GITHUB_OUTPUT")
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise UsageError(f"{name} has a line end in it")
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(lines)
    else:
        click.echo(lines, nl=False)
