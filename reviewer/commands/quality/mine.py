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
def command(folder: Path, output: Path, most: int, start: str, depth: int) -> None:
    """Find changes in FOLDER's history that brought a bug in, for `bench` and `calibrate`.

    A small fix names the lines that were wrong; the commit that wrote them is the change to review. Candidates
    are no proof: read some before you trust a figure.
    """
    from hunkwise.reviewer.bench.mine import mine

    found = 0
    with (
        Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress,
        output.open("w", encoding="utf-8") as file,
    ):
        progress("changes found:", 0, most)
        for mined in mine(folder, most, os.environ, start, depth):
            found += 1
            file.write(json.dumps(mined.case, ensure_ascii=True) + "\n")
            progress("changes found:", found, most)
    if not found:
        output.unlink()
        click.echo(f"No fix in the last {depth:,} commits names one commit that wrote what it removes.")
        return
    click.echo(
        f"{found} changes written to {output}. How many of these bugs does a review find, and what else is said?\n"
    )
    click.echo(f"  hunkwise bench {output}")
