"""`hunkwise cache`: what the response cache holds, and forgetting it; opening it as the environment says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hunkwise.engine import TRUSTS, CachePlace, Tally, open_cache, open_disk, open_redis
from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.errors import ConfigError, GitError, ReviewError
from hunkwise.reviewer.source import git

if TYPE_CHECKING:
    from hunkwise.engine import Cache, Trust

_SHORTEST_SECRET = 16  # characters


class CacheError(ReviewError):
    """The cache could not be cleared; the message names the stores' troubles."""


@dataclass(frozen=True, slots=True)
class Row:
    """One store in `hunkwise cache stats`; None stands for what is not known."""

    store: str
    entries: int | None
    bytes: int | None
    counts: Mapping[str, int]


def place_from_environment(environ: Mapping[str, str]) -> CachePlace:
    """Read HUNKWISE_CACHE (or XDG_CACHE_HOME), HUNKWISE_CACHE_SECRET and HUNKWISE_REDIS_URL.

    Raises ConfigError for a secret too short to be one.
    """
    home = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".cache")
    secret = environ.get("HUNKWISE_CACHE_SECRET") or None
    if secret is not None and len(secret) < _SHORTEST_SECRET:
        raise ConfigError(
            f"HUNKWISE_CACHE_SECRET has {len(secret)} characters; give it {_SHORTEST_SECRET} or more, "
            "for example from: openssl rand -hex 32"
        )
    folder = Path(environ.get("HUNKWISE_CACHE") or home / "hunkwise")
    return CachePlace(
        folder=folder,
        redis_url=environ.get("HUNKWISE_REDIS_URL") or None,
        secret=os.fsencode(secret) if secret else None,
        foreign=_is_committed(folder),
    )


def _is_committed(folder: Path) -> bool:
    """Tell whether a checkout brought something of the folder along, or may have."""
    root = repository_root(folder)
    if root is None:
        return False
    try:
        repo = git.repository(root)
        inside = ("ls-files", "-z", "--", str(folder.resolve()))
        return repo.top is None or bool(git.run(repo, *inside, work_tree=True))
    except GitError:
        return True


def trust_from_environment(environ: Mapping[str, str]) -> Trust:
    """Say whose change this run reads: "fork" in CI for another repository's, or where it can't be told."""
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_EVENT_NAME", "").startswith(
        "pull_request"
    ):
        return "trusted" if _github_head_is_ours(environ) else "fork"
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")  # GitLab
    if source is not None:
        return "trusted" if source == environ.get("CI_PROJECT_PATH") else "fork"
    return "trusted"


def _github_head_is_ours(environ: Mapping[str, str]) -> bool:
    try:
        event = json.loads(Path(environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
        head = event["pull_request"]["head"]["repo"]["full_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # a deleted fork has no repository
    return bool(head == environ.get("GITHUB_REPOSITORY"))


def cache_from_environment(environ: Mapping[str, str], repository: str = "") -> AbstractContextManager[Cache]:
    """Open the response cache of a repository; the CI's own name for it goes before `repository`."""
    name = environ.get("GITHUB_REPOSITORY") or environ.get("CI_PROJECT_PATH") or repository
    cache: AbstractContextManager[Cache] = open_cache(
        place_from_environment(environ), trust=trust_from_environment(environ), repository=name
    )
    return cache


@click.group()
def command() -> None:
    """Show or clear the cache of answers."""


_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@command.command()
@_json
def stats(as_json: bool) -> None:
    """Show what the cache holds, and how often it helped."""
    place, tally = place_from_environment(os.environ), Tally()
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
    place, tally = place_from_environment(os.environ), Tally()
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
