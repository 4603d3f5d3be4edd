"""`hunkwise mine`: bugs of this repository's own history, to measure reviews on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from hunkwise.reviewer.app.progress import Progress, wanted


@click.command("mine")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default="mined.jsonl",
              show_default=True, help="Write the changes here, a line of JSON each.")  # fmt: skip
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="Stop at so many.")
@click.option("--from", "start", default="HEAD", show_default=True, help="Look at what led here.")
@click.option(
    "--depth", type=click.IntRange(1), default=20_000, show_default=True, help="Commits to look at."
)
@click.option("--ordinary", is_flag=True,
              help="Draw ordinary commits instead, most of which are right.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of that draw.")
def command(
    folder: Path, output: Path, most: int, start: str, depth: int, *, ordinary: bool, seed: int
) -> None:
    """Find changes in FOLDER's history that brought a bug in, for `bench` and `calibrate`.

    A small fix names the lines that were wrong; the commit that wrote them is the change to review. Candidates
    are no proof: read some before you trust a figure. With --ordinary, what is said of those commits is noise, and
    `calibrate` learns from them how seldom a change is wrong.
    """
    from hunkwise.reviewer.bench.labelled.mine import mine
    from hunkwise.reviewer.bench.labelled.mine import ordinary as drawn

    cases = (
        drawn(folder, most, os.environ, seed, start, depth)
        if ordinary
        else mine(folder, most, os.environ, start, depth)
    )
    found = 0
    with (
        Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress,
        output.open("w", encoding="utf-8") as file,
    ):
        progress("changes found:", 0, most)
        for case in cases:
            found += 1
            file.write(json.dumps(case, ensure_ascii=True) + "\n")
            progress("changes found:", found, most)
    if not found:
        output.unlink()
        none = "changes code" if ordinary else "is a fix that names one commit that wrote what it removes"
        click.echo(f"None of the last {depth:,} commits {none}.")
        return
    asked = (
        "How much is said of them?"
        if ordinary
        else "How many of these bugs does a review find, and what else is said?"
    )
    click.echo(f"{found} changes written to {output}. {asked}\n")
    click.echo(f"  hunkwise bench {output}")
