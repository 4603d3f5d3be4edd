"""One ranking out of several, by reciprocal rank fusion: each ranking counts by places alone.

A question in words is answered by documents more often than by code or its tests, so documents are ranked once
more among themselves. Measured: docs/ask.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hunkwise.reviewer.knowledge.port import ANY, Filter, Hit, Knowledge, Passage

_DEPTH = 60  # of each ranking
_FLATTEN = 60  # Cormack, Clarke and Büttcher 2009: how little the first places stand out


def search(
    index: Knowledge,
    question: str,
    limit: int = 8,
    wanted: Filter = ANY,
    by_vector: Sequence[Passage] = (),
) -> tuple[Hit, ...]:
    """Find the passages that say most about a question: by words, by words in documents, and by vectors."""
    words = [hit.passage for hit in index.search(question, _DEPTH, wanted)]
    rankings: list[Sequence[Passage]] = [words]
    if not wanted.kinds:
        documents = replace(wanted, kinds=("document",))
        rankings.append([hit.passage for hit in index.search(question, _DEPTH, documents)])
    if by_vector:
        rankings.append(by_vector)
        if not wanted.kinds:
            rankings.append([passage for passage in by_vector if passage.kind == "document"])
    return _fuse(rankings, words, by_vector)[:limit]


def _fuse(
    rankings: Sequence[Sequence[Passage]], words: Sequence[Passage], vectors: Sequence[Passage]
) -> tuple[Hit, ...]:
    scores: dict[Passage, float] = {}
    for ranking in rankings:
        for place, passage in enumerate(ranking, 1):
            scores[passage] = scores.get(passage, 0.0) + 1 / (_FLATTEN + place)
    lexical, vector = _places(words), _places(vectors)
    best = sorted(scores, key=lambda passage: -scores[passage])  # of equals the one that was found first
    return tuple(Hit(each, scores[each], lexical.get(each), vector.get(each)) for each in best)


def _places(ranking: Sequence[Passage]) -> dict[Passage, int]:
    return {passage: place for place, passage in enumerate(ranking, 1)}
