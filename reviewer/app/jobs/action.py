"""What the shipped jobs do, as functions of the job's environment: see action.yml and templates/hunkwise.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hunkwise.engine import library_from_environment
from hunkwise.reviewer.app.engines import LLAMACPP, engine_and_model, listens
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs.child import for_review, review_command, supervise
from hunkwise.reviewer.app.jobs.ci_job import Inputs, append_summary, base_config, check_history, read_inputs
from hunkwise.reviewer.app.sources import Source, read_change
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import NO_MODEL, Config
from hunkwise.reviewer.errors import ReviewError, UsageError
from hunkwise.reviewer.report.interchange.json import load as read_report
from hunkwise.reviewer.source.ci import Range, read_merge_range, read_range
from hunkwise.reviewer.types import Severity


class ReviewFailed(ReviewError):
    """The review ended without a report; its own message stands above in the log."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many hunks the model is needed for, and which model."""

    hunks: int
    model: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a job's review came to: the step's outputs, and whether it was incomplete where that is let pass."""

    outputs: Mapping[str, str]
    let_pass: bool


def prepare(environment: Environment) -> Wanted:
    """Say whether the model is needed. What needs none is checked in any case."""
    job = _job(environment.variables)
    return Wanted(
        _asked(job.commits, job.config, job.inputs.workdir, environment.variables), job.config.model
    )


def review_job(environment: Environment) -> Reviewed:
    """Review the change of a job of GitHub; write the reports and the job's summary."""
    job, folder = _job(environment.variables), job_folder(environment.variables)
    reports = {
        "json": folder / "findings.json",
        "sarif": folder / "hunkwise.sarif",
        "markdown": folder / "summary.md",
    }
    shown = "annotations" if job.inputs.reporter == "github-pr-annotations" else "text"
    options = [*_range(job.commits), *job.inputs.flags]
    options += [f"--config={job.file}"] if job.file else []
    options += [f"--output={name}={path}" for name, path in reports.items()]
    code = _reviewed([*options, f"--output={shown}=-"], environment.variables, job.inputs.workdir)
    append_summary(environment.variables, reports["markdown"].read_text("utf-8"))
    ended = verdict(code, job.config.fail_on)
    outputs = {
        **_told(reports["json"]),
        "exit_code": str(ended),
        "report": str(reports["json"]),
        "sarif": str(reports["sarif"]),
    }
    return Reviewed(outputs, let_pass=ended != code)


def review_merge_request(environment: Environment) -> int:
    """Review the merge request of a GitLab job, with the model if it has to be asked; write both reports.

    Configuration, guidelines and baseline are those of the base commit. Gives the review's exit code.
    """
    environ, folder = environment.variables, environment.folder
    commits = check_history(folder, read_merge_range(environ), environ, "set GIT_DEPTH to 0")
    config = load(flags={}, environ=environ, folder=folder, trusted=False, before=commits.base)
    here = not config.engine and engine_and_model(config.model)[0] == LLAMACPP
    if here and _asked(commits, config, folder, environ):

        def say(phase: str, done: int, total: int) -> None:
            """Write what a pull notes into the log, but not how far it is."""
            if not total:
                environment.say(phase)

        library = library_from_environment(environ, offline=config.offline)
        library.pull(config.model, say)
        library.verify(config.model, say)
    reports = {"json": folder / "hunkwise.json", "codequality": folder / "hunkwise-codequality.json"}
    for path in reports.values():  # a link in its place, or an earlier report, could be the change's own
        path.unlink(missing_ok=True)
    options = [*_range(commits), *(f"--output={name}={path.name}" for name, path in reports.items())]
    return _reviewed([*options, "--output=text=-"], environ, folder)


def verdict(code: int, fail_on: Severity | None) -> int:
    """Give the job's exit code: that of the review, but an incomplete one passes where nothing shall fail."""
    return 0 if code == 3 and fail_on is None else code


def _asked(commits: Range, config: Config, folder: Path, environ: Mapping[str, str]) -> int:
    """Count the hunks that the model is needed for."""
    from hunkwise.reviewer.judge.scope.agenda import agenda

    change = read_change(Source(starts=(commits.base,), end=commits.head), config, folder, environ)
    todo = agenda(change, config, modelled=config.model != NO_MODEL)
    heard = todo.readable if todo.readable and listens(config, environ) else ()
    return len({pick.place for pick in (*todo.asked, *heard)})


def _range(commits: Range) -> list[str]:
    return [f"--from={commits.base}", f"--to={commits.head}", "--untrusted"]


def _reviewed(options: list[str], environ: Mapping[str, str], folder: Path) -> int:
    """Run a review that holds none of the job's secrets; gives its exit code. Raises ReviewFailed."""
    ending = supervise(review_command(options), environ=for_review(environ), folder=folder)
    if ending.code not in (0, 1, 3):
        raise ReviewFailed(f"there is no report of this change: the review ended with {ending}")
    return ending.code


@dataclass(frozen=True, slots=True)
class _Job:
    """What a job of GitHub asks for; `file` is its configuration, as the base commit has it."""

    inputs: Inputs
    commits: Range
    file: Path | None
    config: Config


def _job(environ: Mapping[str, str]) -> _Job:
    """Read inputs and event, and the configuration of the base commit."""
    inputs, commits = read_inputs(environ), read_range(environ)
    commits = check_history(inputs.workdir, commits, environ)
    file = None
    if inputs.config:
        file = base_config(inputs.workdir, commits, inputs.config, job_folder(environ), environ)
    flags: dict[str, object] = {"model": inputs.model} if inputs.model else {}
    if inputs.fail_on:
        flags["fail_on"] = None if inputs.fail_on == "none" else Severity(inputs.fail_on)
    config = load(
        flags=flags, environ=environ, folder=inputs.workdir, file=file, trusted=False, before=commits.base
    )
    return _Job(inputs, commits, file, config)


def job_folder(environ: Mapping[str, str]) -> Path:
    """Give the folder for the job's files, outside the checkout."""
    if not environ.get("RUNNER_TEMP"):
        raise UsageError(
            "RUNNER_TEMP is not set; `hunkwise action` is for GitHub Actions, use `review` elsewhere"
        )
    folder = Path(environ["RUNNER_TEMP"]) / "hunkwise"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _told(report: Path) -> dict[str, str]:
    made = read_report(report.read_bytes())
    worst = min((found.severity for found in made.findings), key=lambda severity: severity.rank, default=None)
    return {"findings": str(len(made.findings)), "highest_severity": worst or "none"}
