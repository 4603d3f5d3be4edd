"""`hunkwise action`: what action.yml and templates/hunkwise.yml do in a job. People use `review` instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from hunkwise.engine import library_from_environment
from hunkwise.reviewer.app.child import for_review, review_command, supervise
from hunkwise.reviewer.app.ci_job import Inputs, base_config, check_history, read_inputs
from hunkwise.reviewer.app.engines import LLAMACPP, engine_and_model
from hunkwise.reviewer.app.sources import Source, read_change
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ReviewError, UsageError
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.source.ci import Range, read_merge_range, read_range
from hunkwise.reviewer.text.visible import visible_line
from hunkwise.reviewer.types import Review, Severity

_LARGEST_SUMMARY = 1_000_000  # bytes; GitHub refuses more than 1 MiB for all of a step


class ReviewFailed(ReviewError):
    """The review ended without a report; its own message stands above in the log."""


@click.group(hidden=True)
def command() -> None:
    """Do what the shipped jobs do, from the variables of GitHub Actions or GitLab."""


@command.command()
def prepare() -> None:
    """Say whether the model is needed, and which. What needs none is checked in any case."""
    inputs, commits, _, config = _job(os.environ)
    asked = _asked(commits, config, inputs.workdir)
    _output({"reviewable": str(bool(asked)).lower(), "model": config.model})
    click.echo(f"hunkwise: the model is needed for {plural(asked, 'hunk')}", err=True)


@command.command()
def review() -> None:
    """Review the job's change; write the reports, the job's summary, and the step's outputs.

    Gives exit code 0 even with findings, which `exit_code` among the outputs tells: they are posted first.
    """
    inputs, commits, file, config = _job(os.environ)
    folder = _folder(os.environ)
    reports = {
        "json": folder / "findings.json",
        "sarif": folder / "hunkwise.sarif",
        "markdown": folder / "summary.md",
    }
    shown = "annotations" if inputs.reporter == "github-pr-annotations" else "text"
    options = [f"--from={commits.base}", f"--to={commits.head}", "--untrusted", *inputs.flags]
    options += [f"--config={file}"] if file else []
    options += [f"--output={name}={path}" for name, path in reports.items()]
    code = _reviewed([*options, f"--output={shown}=-"], inputs.workdir)
    _summary(os.environ, reports["markdown"])
    _output({**_told(reports["json"]), "exit_code": str(verdict(code, config.fail_on))})
    _output({"report": str(reports["json"]), "sarif": str(reports["sarif"])})


@command.command("merge-request")
def merge_request() -> int:
    """Review the merge request of a GitLab job, with the model if it has to be asked; write both reports.

    Configuration, guidelines and baseline are those of the base commit.
    """
    folder, commits = Path.cwd(), read_merge_range(os.environ)
    check_history(folder, commits, "set GIT_DEPTH to 0")
    config = load(flags={}, environ=os.environ, folder=folder, trusted=False, before=commits.base)
    if _asked(commits, config, folder) and engine_and_model(config.model)[0] == LLAMACPP:
        library = library_from_environment(os.environ, offline=config.offline)
        library.pull(config.model, _say)
        library.verify(config.model, _say)
    reports = {"json": folder / "hunkwise.json", "codequality": folder / "hunkwise-codequality.json"}
    for path in reports.values():  # a link in its place, or an earlier report, could be the change's own
        path.unlink(missing_ok=True)
    options = [f"--from={commits.base}", f"--to={commits.head}", "--untrusted"]
    options += [f"--output={name}={path.name}" for name, path in reports.items()]
    return _reviewed([*options, "--output=text=-"], folder)


def _asked(commits: Range, config: Config, folder: Path) -> int:
    """Count the hunks that the model is needed for."""
    from hunkwise.reviewer.judge.agenda import agenda

    change = read_change(Source(starts=(commits.base,), end=commits.head), config, folder)
    return len({pick.place for pick in agenda(change, config).asked})


def _reviewed(options: list[str], folder: Path) -> int:
    """Run a review that holds none of the job's secrets; gives its exit code. Raises ReviewFailed."""
    ending = supervise(review_command(options), environ=for_review(os.environ), folder=folder)
    if ending.code not in (0, 1, 3):
        raise ReviewFailed(f"there is no report of this change: the review ended with {ending}")
    return ending.code


def _say(phase: str, done: int, total: int) -> None:
    """Write what a pull notes into the log, but not how far it is."""
    if not total:
        click.echo(f"hunkwise: {visible_line(phase)}", err=True)


def verdict(code: int, fail_on: Severity | None) -> int:
    """Give the job's exit code: that of the review, but an incomplete one passes where nothing shall fail."""
    if code == 3 and fail_on is None:
        click.echo(
            "::warning title=hunkwise::The review is incomplete; the job's summary names what is missing."
        )
        return 0
    return code


def _job(environ: Mapping[str, str]) -> tuple[Inputs, Range, Path | None, Config]:
    """Read inputs and event, and the configuration of the base commit."""
    inputs, commits = read_inputs(environ), read_range(environ)
    commits = check_history(inputs.workdir, commits)
    file = base_config(inputs.workdir, commits, inputs.config, _folder(environ)) if inputs.config else None
    flags: dict[str, object] = {"model": inputs.model} if inputs.model else {}
    if inputs.fail_on:
        flags["fail_on"] = None if inputs.fail_on == "none" else Severity(inputs.fail_on)
    config = load(
        flags=flags, environ=environ, folder=inputs.workdir, file=file, trusted=False, before=commits.base
    )
    return inputs, commits, file, config


def _folder(environ: Mapping[str, str]) -> Path:
    """Give the folder for the job's files, outside the checkout."""
    if not environ.get("RUNNER_TEMP"):
        raise UsageError(
            "RUNNER_TEMP is not set; `hunkwise action` is for GitHub Actions, use `review` elsewhere"
        )
    folder = Path(environ["RUNNER_TEMP"]) / "hunkwise"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _told(report: Path) -> dict[str, str]:
    from hunkwise.reviewer.report.json import load as read_report

    made: Review = read_report(report.read_bytes())
    worst = min((found.severity for found in made.findings), key=lambda severity: severity.rank, default=None)
    return {"findings": str(len(made.findings)), "highest_severity": worst or "none"}


def _summary(environ: Mapping[str, str], report: Path) -> None:
    """Append a report to the job's summary, whole lines of it, as much as GitHub takes."""
    if environ.get("GITHUB_STEP_SUMMARY"):
        text = report.read_bytes()
        if len(text) > _LARGEST_SUMMARY:
            text = (
                text[: text.rindex(b"\n", 0, _LARGEST_SUMMARY) + 1]
                + b"\n(cut; the report is in the artifacts)\n"
            )
        with Path(environ["GITHUB_STEP_SUMMARY"]).open("ab") as file:
            file.write(text)


def _output(values: Mapping[str, str]) -> None:
    """Set the step's outputs. One line each: a line end in a value would be another output."""
    path = os.environ.get("GITHUB_OUTPUT")
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise UsageError(f"{name} has a line end in it")
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(lines)
    else:
        click.echo(lines, nl=False)
