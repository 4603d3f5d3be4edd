"""`hunkwise post`: put findings on a pull or merge request."""

from __future__ import annotations

import click

from hunkwise.reviewer.app.post import made_of, post_review, read_findings
from hunkwise.reviewer.commands.surroundings import surroundings


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
) -> None:
    """Post a review made by `review --format json` as comments and one summary.

    Run again, it posts nothing twice; what is gone is marked as outdated. The token is read from GITHUB_TOKEN
    or GITLAB_TOKEN (or HUNKWISE_GITHUB_TOKEN, HUNKWISE_GITLAB_TOKEN).

    Exit codes: 0 posted; 2 usage, file or forge error, or the findings are of another commit.
    """
    from hunkwise.reviewer.forges.registry import chosen_forge

    environment = surroundings()
    chosen = chosen_forge(name, pr, mr, environment.variables)
    review = made_of(read_findings(findings), head)
    told = post_review(review, chosen, pr or mr, environment, check_run=check_run, dry_run=dry_run)
    click.echo(told, nl=False)
