"""What embeds, and what keeps vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hunkwise.reviewer.knowledge.port import Passage

Vector = Sequence[float]
Key = bytes  # of a passage: what its vector is made of names it, so what did not change is not embedded again


@dataclass(frozen=True, slots=True)
class Embedder:
    """Turns texts into vectors of length 1; of one that is too long for it, by parts that are all of it.

    `name` tells its vectors from those of others: the digest of the model, and how it is used.
    """

    name: str
    embed: Callable[[Sequence[str]], Sequence[Vector]]


class Vectors(Protocol):
    """Vectors of one embedder, by the keys of passages. Its calls raise KnowledgeError."""

    def known(self, keys: Sequence[Key]) -> set[Key]:
        """Give those of the keys that have a vector."""
        ...

    def put(self, vectors: Sequence[tuple[Key, Vector]]) -> None:
        """Keep vectors, all of them or none."""
        ...

    def nearest(self, asked: Vector, keys: Iterable[Sequence[Key]], limit: int) -> list[Key]:
        """Give those of the keys, which come in batches, whose vectors are nearest, nearest first."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def key_of(passage: Passage) -> Key:
    """Name a passage by what is embedded of it."""
    return hashlib.sha256(embedded_text(passage).encode("utf-8", "surrogateescape")).digest()[:16]


def embedded_text(passage: Passage) -> str:
    """Give what is embedded of a passage: its title, and its text."""
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text
