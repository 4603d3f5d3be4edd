"""Passages by vectors: what has none is embedded first, and what is nearest to a question is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

from hunkwise.reviewer.knowledge.port import ANY, Filter, Passage
from hunkwise.reviewer.knowledge.vectors.port import Embedder, Key, Vectors, embedded_text, key_of

_SOME = 16  # passages that are embedded and kept at a time: what was done stays when the rest is broken off
_MANY = 500
T = TypeVar("T")
Tell = Callable[[int, int], object]


class Passages(Protocol):
    """An index that gives all its passages."""

    def passages(self, wanted: Filter = ANY) -> Iterator[Passage]:
        """Give all passages."""
        ...


def bring_up_to_date(
    index: Passages, vectors: Vectors, embedder: Embedder, tell: Tell = lambda done, total: None
) -> int:
    """Embed the passages that have no vector yet; gives how many. `tell` hears how many are done of how many."""
    missing: dict[Key, Passage] = {}
    for batch in _batches(index.passages(), _MANY):
        keys = {key_of(passage): passage for passage in batch}
        known = vectors.known(list(keys))
        missing.update((key, passage) for key, passage in keys.items() if key not in known)
    done = 0
    for some in _batches(missing.items(), _SOME):
        made = embedder.embed([embedded_text(passage) for _, passage in some])
        vectors.put([(key, vector) for (key, _), vector in zip(some, made, strict=True)])
        done += len(some)
        tell(done, len(missing))
    return done


def nearest(
    index: Passages, vectors: Vectors, embedder: Embedder, question: str, limit: int, wanted: Filter = ANY
) -> list[Passage]:
    """Find the passages whose vectors are nearest to that of a question, nearest first."""
    (asked,) = embedder.embed([question])
    keys = ([key_of(passage) for passage in batch] for batch in _batches(index.passages(wanted), _MANY))
    order = vectors.nearest(asked, keys, limit)
    ranks = {key: rank for rank, key in enumerate(order)}
    found: dict[int, Passage] = {}
    for passage in index.passages(wanted):
        rank = ranks.get(key_of(passage))
        if rank is not None:
            found.setdefault(rank, passage)
    return [found[rank] for rank in sorted(found)]


def _batches(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
