"""`hunkwise queue`: what the bot has to do, and what it gave up."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict

import click

from hunkwise.reviewer.bot.queue.place import open_queue
from hunkwise.reviewer.bot.queue.port import Entry, Queue, State
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.text.visible import visible_line


@click.group()
def command() -> None:
    """Show, retry or drop the jobs of the bot. HUNKWISE_QUEUE says where they are kept."""


@contextmanager
def _queue() -> Iterator[Queue]:
    with closing(open_queue(os.environ)) as queue:
        yield queue


@command.command("list")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_command(*, dead: bool, as_json: bool) -> None:
    """List jobs, the oldest first."""
    with _queue() as queue:
        entries = [entry for entry in queue.entries() if not dead or entry.state is State.DEAD]
    if as_json:
        click.echo(json.dumps([_row(entry) for entry in entries], indent=2))
        return
    if not entries:
        click.echo("no jobs", err=True)
    for entry in entries:
        age = max(0, int(time.time() - entry.since))
        urgent = "high  " if entry.high else "normal"
        why = f"  {visible_line(entry.reason)[:100]}" if entry.reason else ""
        click.echo(
            f"{entry.state:<8} {urgent} {age:>7} s  {entry.tries} tries  {visible_line(entry.key)}{why}"
        )


@command.command()
@click.argument("key")
def show(key: str) -> None:
    """Print all that is known of a job, as JSON."""
    with _queue() as queue:
        entry = _found(queue, key)
    click.echo(json.dumps(_row(entry), indent=2))


@command.command()
@click.argument("key")
def retry(key: str) -> None:
    """Let a job that was given up wait again."""
    with _queue() as queue:
        entry = _found(queue, key)
        if not queue.retry(entry.key):
            raise UsageError(f"{entry.key} is {entry.state}; only a dead job can be retried")
    click.echo(f"{entry.key} waits again")


@command.command()
@click.argument("key")
def drop(key: str) -> None:
    """Forget a job; a review that runs is ended."""
    with _queue() as queue:
        entry = _found(queue, key)
        queue.drop(entry.key)
    click.echo(f"{entry.key} is forgotten")


def _found(queue: Queue, key: str) -> Entry:
    """Find a job by its key, or by the end of it if that is of one alone. Raises UsageError."""
    entries = queue.entries()
    exact = [entry for entry in entries if entry.key == key]
    found = exact or [entry for entry in entries if entry.key.endswith(f"/{key}")]
    if len(found) != 1:
        several = f"{len(found)} jobs are called {key!r}; give the whole key"
        raise UsageError(several if found else f"there is no job {key!r}; see `hunkwise queue list`")
    return found[0]


def _row(entry: Entry) -> dict[str, object]:
    try:
        event = json.loads(entry.event)
    except ValueError:  # of another version, or damaged
        event = entry.event
    return {**asdict(entry), "event": event}
