"""`hunkwise cache`: what the response cache holds, and forgetting it; opening it as the environment says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.engine import TRUSTS, CachePlace, Counters, open_disk, open_redis
from hunkwise.reviewer.app.cache import place_from_environment
from hunkwise.reviewer.errors import ReviewError

if TYPE_CHECKING:
    from hunkwise.engine import Trust


class CacheError(ReviewError):
    """The cache could not be cleared; the message names the stores' troubles."""


@dataclass(frozen=True, slots=True)
class Row:
    """One store in `hunkwise cache stats`; None stands for what is not known."""

    store: str
    entries: int | None
    bytes: int | None
    counts: Mapping[str, int]


@click.group()
def command() -> None:
    """Show or clear the cache of answers."""


_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@command.command()
@_json
def stats(as_json: bool) -> None:
    """Show what the cache holds, and how often it helped."""
    place, tally = place_from_environment(os.environ), Counters()
    stores: list[Row] = []
    for trust in _on_disk(place):
        with closing(open_disk(place, trust, tally)) as disk:
            size = disk.size()
            stores.append(Row(f"disk, {trust}", size.entries, size.bytes, disk.counts()))
    redis = open_redis(place, "", tally)
    if redis is not None:
        with closing(redis):
            found = redis.size()
        stores.append(Row("redis", found.entries if found else None, None, {}))
    if as_json:
        rows = [asdict(row) for row in stores]
        report = {"folder": str(place.folder), "stores": rows, "troubles": tally.counts()}
        click.echo(json.dumps(report, indent=2))
    else:
        click.echo(f"folder  {place.folder}")
        click.echo("\n".join(map(_line, stores)) or "empty")


@command.command()
@_json
def clear(as_json: bool) -> None:
    """Forget every answer, on disk and in Redis, and every prefix."""
    place, tally = place_from_environment(os.environ), Counters()
    gone: dict[str, int | None] = {}
    for trust in _on_disk(place):
        with closing(open_disk(place, trust, tally)) as disk:
            gone[f"disk, {trust}"] = disk.clear()
    redis = open_redis(place, "", tally)
    if redis is not None:
        with closing(redis):
            gone["redis"] = redis.clear()
    if place.prefixes and place.prefixes.exists():
        gone["prefixes"] = _forget_prefixes(place.prefixes)
    if as_json:
        click.echo(json.dumps({"cleared": gone, "troubles": tally.counts()}, indent=2))
    for store, number in () if as_json else gone.items():
        click.echo(f"{store}: {'out of reach' if number is None else f'{number} entries forgotten'}")
    if tally.counts():
        raise CacheError("not all was cleared: " + ", ".join(tally.counts()))


def _forget_prefixes(folder: Path) -> int | None:
    """Delete what a model computed of system messages; gives the number of files, None if some stay."""
    files = list(folder.glob("*.cells"))
    try:
        for path in files:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return len(files)


def _on_disk(place: CachePlace) -> list[Trust]:
    return [trust for trust in TRUSTS if place.file(trust).exists()]


def _line(row: Row) -> str:
    entries = "out of reach" if row.entries is None else f"{row.entries} entries"
    size = "" if row.bytes is None else f", {row.bytes} bytes"
    counts = "".join(f"\n  {name:<18}{number}" for name, number in row.counts.items())
    return f"{row.store}  {entries}{size}{counts}"
