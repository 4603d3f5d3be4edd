"""Where a cache lives, and how it opens: memory in front, the user's folder, then Redis if there is one."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from hunkwise.engine.around.cached import Cache
from hunkwise.engine.store.disk import DiskStore
from hunkwise.engine.store.port import DAY, Counters, MemoryStore, Store
from hunkwise.engine.store.secret import new_secret, open_secret

if TYPE_CHECKING:
    from hunkwise.engine.store.redis import RedisStore

Trust = Literal["trusted", "fork"]
TRUSTS: tuple[Trust, ...] = get_args(Trust)


@dataclass(frozen=True, slots=True)
class CachePlace:
    """Where a cache lives. `secret`: None for the one that lies, or is made, in `folder`.

    Machines that share a Redis must share a secret, or each sees misses only. `limit` bounds the file of each
    trust level, in bytes; `ttl` the age of an entry, in seconds. Of a `foreign` folder, which came with what is
    reviewed, no secret is believed, for whoever made it can forge answers.
    """

    folder: Path
    redis_url: str | None = field(default=None, repr=False)  # may hold a password
    secret: bytes | None = field(default=None, repr=False)
    limit: int = 256 << 20
    ttl: float = 30 * DAY
    foreign: bool = False

    @property
    def prefixes(self) -> Path | None:
        """The folder of prefixes that a model need not compute again; see `llamacpp/decoding/prefix_files.py`."""
        return None if self.foreign else self.folder / "prefixes"

    def file(self, trust: Trust) -> Path:
        """Name the file of one trust level."""
        return self.folder / f"answers-{trust}.sqlite3"


def open_disk(place: CachePlace, trust: Trust, tally: Counters) -> DiskStore:
    """Open the file of one trust level; what a fork fills can't push out what is trusted."""
    return DiskStore(place.file(trust), tally, limit=place.limit, ttl=place.ttl)


def open_redis(place: CachePlace, space: str, tally: Counters) -> RedisStore | None:
    """Open Redis if the place has one. Raises MissingExtra, and StoreError for an address that is none."""
    if place.redis_url is None:
        return None
    from hunkwise.engine.store.redis import RedisStore

    return RedisStore(place.redis_url, space, tally, ttl=place.ttl)


@dataclass(frozen=True, slots=True)
class Caches:
    """The caches of one trust level, over the same stores; each repository sees its own entries alone."""

    stores: tuple[Store, ...]
    trust: Trust
    tally: Counters
    secret: bytes = field(repr=False)

    def of(self, repository: str) -> Cache:
        """Give the cache of one repository."""
        namespace = _namespace(self.trust, repository)
        return Cache(self.stores, secret=self.secret, namespace=namespace, tally=self.tally)


def _namespace(trust: Trust, repository: str) -> str:
    return f"{trust}:{repository}"


@contextlib.contextmanager
def open_caches(place: CachePlace, *, trust: Trust, space: str) -> Iterator[Caches]:
    """Open the stores of one trust level; when closed, their counts are kept on disk.

    `space` parts what is kept in Redis: a repository, or who holds the caches of several.
    """
    tally = Counters()
    secret = place.secret or (new_secret() if place.foreign else open_secret(place.folder / "secret", tally))
    name = _namespace(trust, space).encode("utf-8", "surrogateescape")
    disk = open_disk(place, trust, tally)
    redis = open_redis(place, f"{trust}-{hashlib.sha256(name).hexdigest()[:16]}", tally)
    try:
        yield Caches((MemoryStore(), disk, *([redis] if redis else [])), trust, tally, secret)
    finally:
        disk.add_counts(tally.counts())
        disk.close()
        if redis:
            redis.close()


@contextlib.contextmanager
def open_cache(place: CachePlace, *, trust: Trust, repository: str) -> Iterator[Cache]:
    """Open the cache of one repository at one trust level."""
    with open_caches(place, trust=trust, space=repository) as caches:
        yield caches.of(repository)
