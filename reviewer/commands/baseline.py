"""`hunkwise baseline`: note findings as known, so that they are not said again; reading what is noted."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import click

from hunkwise.reviewer.baseline import known, merged, parse, render
from hunkwise.reviewer.commands.post import read_findings
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.config_files import repository_root
from hunkwise.reviewer.errors import ConfigError, UsageError
from hunkwise.reviewer.forges.git import blobs, repository
from hunkwise.reviewer.report.json import LARGEST, ReportError
from hunkwise.reviewer.silence import Known


@click.command("baseline", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("findings", metavar="FINDINGS.json")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    default=Path(".hunkwise/baseline.json"),
    show_default=True,
    help="The baseline to write, or to add to.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why these findings are left as they are.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day they are not said again."
)
@click.option("--only", multiple=True, metavar="FINGERPRINT", help="Note this finding alone; repeatable.")
def command(findings: str, file: Path, reason: str, until: datetime | None, only: tuple[str, ...]) -> int:
    """Note the findings of a review made by `review --format json` as known.

    `review --baseline-file FILE` does not say them again, and shows them as silenced, with the reason, in JSON
    and SARIF. After the last day they are said again. Entries of the file that have ended are dropped from it.
    """
    now, review = today(), read_findings(findings)
    if until is not None and until.date() < now:
        raise UsageError(f"--until {until.date()} has passed; give a day from {now} on")
    names = {found.fingerprint for found in review.findings}
    if unknown := sorted(set(only) - names):
        raise UsageError(f"{findings} has no finding with the fingerprint {unknown[0]!r:.60}")
    chosen = [found for found in review.findings if not only or found.fingerprint in only]
    before = parse(_content(file)) if file.exists() else {}
    after = merged(before, chosen, reason, until.date() if until else None, now)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(after), encoding="utf-8")
    added, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    click.echo(f"{file}: {len(after)} known findings, {added} of them new; {gone} that had ended are gone")
    return 0


def today() -> date:
    """Give the day that decides what still holds, the same everywhere on earth."""
    return datetime.now(UTC).date()


def read_baseline(config: Config, folder: Path, before: str | None = None) -> dict[str, Known]:
    """Give all that the baseline knows, by fingerprint. Raises ConfigError.

    With the commit `before`, a baseline inside the repository is read as it stood there: who wrote the change
    could have written into it what the review would say.
    """
    if config.baseline_file == "none":
        return {}
    root = repository_root(folder) or folder
    path = Path(os.path.normpath(root / config.baseline_file))  # a link may be the change's own
    try:
        inside = before is not None and path.is_relative_to(root)
        return known(parse(_as_of(str(before), path.relative_to(root), folder) if inside else _content(path)))
    except OSError as error:
        raise ConfigError(
            f"{path}: the baseline can't be read: {error.strerror}; write one with: "
            f"hunkwise baseline FINDINGS.json --file {config.baseline_file}"
        ) from None
    except ReportError as error:
        raise ConfigError(f"{path}: the baseline can't be used: {error}") from None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _as_of(commit: str, path: Path, folder: Path) -> bytes:
    name = f"{commit}:{path.as_posix()}"
    found = blobs(repository(folder), [name], LARGEST, LARGEST)
    if name not in found:
        raise ConfigError(
            f"{path}: the baseline is not in {commit[:12]}; with --untrusted it is read from the commit of --from"
        )
    return found[name]
