"""`hunkwise post`: put findings on a pull or merge request. Holds the token, loads no model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.reviewer.config.named_files import read_regular
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.text.visible import visible
from hunkwise.reviewer.types import Review

if TYPE_CHECKING:
    from hunkwise.reviewer.forges.port import CheckSink

_LONGEST_SUMMARY = 250_000  # characters; GitHub shows no step's summary of more than 1 MiB
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@click.command("post", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("findings", metavar="FINDINGS.json")
@click.option(
    "--to",
    "name",
    metavar="FORGE",
    help="Where to: github, gitlab, or a forge that a package adds; known from --pr, --mr, CI.",
)
@click.option("--pr", metavar="URL", help="The pull request, https://HOST/OWNER/NAME/pull/NUMBER.")
@click.option(
    "--mr", metavar="URL", help="The merge request, https://HOST/GROUP/NAME/-/merge_requests/NUMBER."
)
@click.option("--head", metavar="COMMIT", help="The commit the findings are of, if the file does not say it.")
@click.option("--check-run", is_flag=True, help="GitHub: also show the remarks as a check run of the commit.")
@click.option("--dry-run", is_flag=True, help="Print the requests that would be sent, and send none.")
def command(
    findings: str,
    name: str | None,
    pr: str | None,
    mr: str | None,
    head: str | None,
    *,
    check_run: bool,
    dry_run: bool,
) -> int:
    """Post a review made by `review --format json` as comments and one summary.

    Run again, it posts nothing twice; what is gone is marked as outdated. The token is read from GITHUB_TOKEN
    or GITLAB_TOKEN (or HUNKWISE_GITHUB_TOKEN, HUNKWISE_GITLAB_TOKEN).

    Exit codes: 0 posted; 2 usage, file or forge error, or the findings are of another commit.
    """
    from hunkwise.reviewer.forges.registry import chosen_forge

    chosen = chosen_forge(name, pr, mr, os.environ)
    review = made_of(read_findings(findings), head)
    return post_review(review, chosen, pr or mr, os.environ, check_run=check_run, dry_run=dry_run)


def read_findings(name: str) -> Review:
    """Read the report, which may have been written by anybody. Raises UsageError, ReportError."""
    from hunkwise.reviewer.report.json import LARGEST, ReportError, load

    try:
        return load(read_regular(name, LARGEST + 1))
    except ReportError as error:
        raise ReportError(f"{name}: {error}") from None
    except OSError as error:
        raise UsageError(f"{name}: can't be read: {error.strerror}") from None


def made_of(review: Review, head: str | None) -> Review:
    """Name the commit of a review that does not name it itself, as one of a bare diff. Raises UsageError."""
    if head is None:
        return review
    if _COMMIT.fullmatch(head) is None:
        raise UsageError("--head takes a whole commit id, 40 or 64 hex digits")
    if review.head not in (None, head):
        raise UsageError(f"--head is {head[:12]}, but the findings are of {str(review.head)[:12]}")
    return replace(review, head=head)


def post_review(
    review: Review,
    name: str,
    url: str | None,
    environment: Mapping[str, str],
    *,
    check_run: bool = False,
    dry_run: bool = False,
) -> int:
    """Post a review and return the exit code; see `command`. Without `url` the CI job says where to.

    Raises UsageError, ForgeError, and MissingExtra if the forge's SDK is not installed.
    """
    from hunkwise.reviewer.forges.port import CheckSink
    from hunkwise.reviewer.forges.registry import open_request
    from hunkwise.reviewer.publish.deliver import deliver, rehearse
    from hunkwise.reviewer.publish.port import NotAllowed
    from hunkwise.reviewer.report.json import dump

    remote = open_request(name, url, environment)
    request, forge = remote.request, remote.forge
    if check_run and not isinstance(request, CheckSink):
        raise UsageError(
            f"--check-run: {forge.title} has no check runs; give its job a report such as codequality"
        )
    if dry_run:
        calls = rehearse(review, request, request, forge.dialect)
        shown = [{"method": call.verb, "path": call.path, "body": call.body} for call in calls]
        click.echo(dump({"api": remote.address.api, "requests": shown}), nl=False)
        return 0
    try:
        counts = deliver(review, request, request, forge.dialect)
        if check_run and isinstance(request, CheckSink):
            _check_run(review, request)
    except NotAllowed as error:
        if not (forge.annotates and forge.in_job(environment)):
            raise
        _annotate(review, environment)
        click.echo(
            f"hunkwise: {visible(str(error))}; the findings are in the job's annotations and summary instead",
            err=True,
        )
        return 0
    click.echo(f"hunkwise: {counts}", err=True)
    return 0


def _check_run(review: Review, request: CheckSink) -> None:
    from hunkwise.reviewer.publish.deliver import deliver_check
    from hunkwise.reviewer.report import View, renderer

    summary = renderer("markdown")(review, View())
    deliver_check(lambda: request.check(review, summary))


def _annotate(review: Review, environment: Mapping[str, str]) -> None:
    """Show the findings in the job itself, where the token may not post (a pull request from a fork)."""
    from hunkwise.reviewer.publish.comment import cut
    from hunkwise.reviewer.report import View, renderer

    click.echo(renderer("annotations")(review, View()), nl=False)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(cut(renderer("markdown")(review, View()), _LONGEST_SUMMARY) + "\n")
