"""`hunkwise baseline`: note findings as known, so that they are not said again; reading what is noted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from hunkwise.reviewer.app.baseline import today
from hunkwise.reviewer.app.post import read_findings
from hunkwise.reviewer.config.named_files import placed, read_regular
from hunkwise.reviewer.errors import ConfigError, UsageError
from hunkwise.reviewer.findings.baseline import Entry, merged, parse, render
from hunkwise.reviewer.report.interchange.json import LARGEST


@click.command("baseline", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("findings", metavar="FINDINGS.json")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    default=Path(".hunkwise/baseline.json"),
    show_default=True,
    help="The baseline to write, or to add to; the path begins at the repository's root, as in --baseline-file.",
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
    now, review, file = today(), read_findings(findings), placed(file, Path.cwd())
    if until is not None and until.date() < now:
        raise UsageError(f"--until {until.date()} has passed; give a day from {now} on")
    names = {found.fingerprint for found in review.findings}
    if unknown := sorted(set(only) - names):
        raise UsageError(f"{findings} has no finding with the fingerprint {unknown[0]!r:.60}")
    chosen = [found for found in review.findings if not only or found.fingerprint in only]
    before = _noted(file)
    after = merged(before, chosen, reason, until.date() if until else None, now)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(after), encoding="utf-8")
    added, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    click.echo(f"{file}: {len(after)} known findings, {added} of them new; {gone} that had ended are gone")
    return 0


def _noted(file: Path) -> dict[str, Entry]:
    """Read the entries of a baseline that may not be there yet. Raises ConfigError."""
    try:
        return parse(read_regular(file, LARGEST + 1))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{file}: the baseline can't be read: {error.strerror}") from None
