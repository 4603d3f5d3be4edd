"""`hunkwise index`: what the repository and its documents know, ready to be asked."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.reviewer.commands.surroundings import surroundings
from hunkwise.reviewer.text.visible import visible_line

if TYPE_CHECKING:
    from hunkwise.reviewer.app.telling.index import Held


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH…]", type=click.Path(path_type=Path))
@click.option("--stats", is_flag=True, help="Say what the index holds and where it lies; read no file.")
@click.option("--drop", is_flag=True, help="Forget the index.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the report."
)
def command(paths: tuple[Path, ...], *, stats: bool, drop: bool, form: str) -> None:
    """Index a repository, or a folder of documents, so that it can be searched and asked.

    Without a PATH, the paths that were indexed before, or all of the repository that the current folder is in.
    Only files that changed are read. What is ignored, vendored, generated, binary or too large, or holds a
    secret, stays out. Nothing leaves the machine.
    """
    from hunkwise.engine import human_bytes
    from hunkwise.reviewer.app.progress import Progress, wanted
    from hunkwise.reviewer.app.telling.index import drop_index, held, index
    from hunkwise.reviewer.report.summary import plural

    environment = surroundings()
    if stats and drop:
        raise click.UsageError("--stats and --drop don't go together")
    if drop:
        gone = drop_index(paths, environment)
        lines = f"forgotten: {gone}" if gone else "nothing was indexed"
        click.echo(json.dumps({"dropped": gone and str(gone)}) if form == "json" else visible_line(lines))
        return
    began, done = time.monotonic(), None
    if stats:
        now = held(paths, environment)
    else:
        with Progress(sys.stderr, enabled=wanted(sys.stderr, os.environ)) as progress:
            now, done = index(paths, environment, lambda *at: progress("indexing", *at))
    seconds = time.monotonic() - began
    if form == "json":
        report = {**_report(now), "seconds": round(seconds, 3)}
        changes = {"read": done.read, "gone": done.gone} if done else {}
        click.echo(json.dumps({**report, **changes}, indent=2))
        return
    what = f"{plural(now.coverage.files, 'file')}, {plural(now.coverage.passages, 'passage')}"
    if done:
        click.echo(f"{what} in {seconds:.1f} s: {done.read:,} read, {done.gone:,} gone{_left_out(now)}")
        found = bool(now.coverage.passages)
        click.echo('next: hunkwise ask "…"' if found else "nothing to ask: no file was indexed", err=True)
    else:
        click.echo(f"{what}, {human_bytes(now.bytes)}{_left_out(now)}")
        click.echo(visible_line(f"of {now.top} in {now.file}"))
    if not now.complete:
        environment.say("the last run did not come to its end; run: hunkwise index")


def _left_out(now: Held) -> str:
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in now.coverage.left_out)
    return f"; left out: {visible_line(reasons)}" if reasons else ""


def _report(now: Held) -> dict[str, object]:
    return {
        "folder": str(now.top),
        "file": str(now.file),
        "bytes": now.bytes,
        "complete": now.complete,
        "files": now.coverage.files,
        "passages": now.coverage.passages,
        "left_out": dict(now.coverage.left_out),
    }
