"""The response cache as the environment says it: where it is, and whose changes it may answer for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from hunkwise.engine import CachePlace, open_cache, open_caches
from hunkwise.reviewer.config.named_files import repository_root
from hunkwise.reviewer.errors import ConfigError, GitError
from hunkwise.reviewer.source import ci, git

if TYPE_CHECKING:
    from hunkwise.engine import Cache, Caches, Trust

_SHORTEST_SECRET = 16  # characters


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
        foreign=_is_committed(folder, environ),
    )


def warn_of_foreign(environ: Mapping[str, str], say: Callable[[str], object]) -> None:
    """Say so where nothing is believed of what the place holds."""
    place = place_from_environment(environ)
    if place.foreign:
        say(f"what {place.folder} holds is not believed, for it is under version control; see HUNKWISE_CACHE")


def _is_committed(folder: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether a checkout brought something of the folder along, or may have."""
    root = repository_root(folder)
    if root is None:
        return False
    try:
        repo = git.repository(root, environ)
        inside = ("ls-files", "-z", "--", str(folder.resolve()))
        return repo.top is None or bool(git.run(repo, *inside, work_tree=True))
    except GitError:
        return True


def trust_from_environment(environ: Mapping[str, str]) -> Trust:
    """Say whose change this run reads: "fork" in CI for another repository's, or where it can't be told."""
    return "fork" if ci.is_foreign(environ) else "trusted"


def cache_from_environment(environ: Mapping[str, str], repository: str = "") -> AbstractContextManager[Cache]:
    """Open the response cache of a repository; the CI's own name for it goes before `repository`."""
    name = ci.repository_name(environ) or repository
    cache: AbstractContextManager[Cache] = open_cache(
        place_from_environment(environ), trust=trust_from_environment(environ), repository=name
    )
    return cache


def caches_for_strangers(
    environ: Mapping[str, str], say: Callable[[str], object]
) -> AbstractContextManager[Caches]:
    """Open what a server keeps of what its clients send: as of forks, apart from what trusted runs keep."""
    warn_of_foreign(environ, say)
    caches: AbstractContextManager[Caches] = open_caches(
        place_from_environment(environ), trust="fork", space="serve"
    )
    return caches
